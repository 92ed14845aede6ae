package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Step is what a caller has to do next for a flow.
type Step struct {
	Flow string `json:"flow" doc:"The flow's id."`
	Do   string `json:"do" enum:"send,query,wait,busy,end" doc:"send: make the payment request, once. query: ask for its status, once. wait: nothing until \"until\". busy: the command is with another caller. end: it has an outcome."`

	Command    string     `json:"command,omitempty" doc:"Of send and query: its id, for the report."`
	Attempt    int        `json:"attempt,omitempty" doc:"Of send and query: how many there were, with this one."`
	OrderID    string     `json:"order_id,omitempty" doc:"The order id to send or ask by. Use this one and make none."`
	RequestID  string     `json:"request_id,omitempty" doc:"The request id, or idempotency key, to send under. Use this one and make none."`
	ProviderID string     `json:"provider_id,omitempty" doc:"The provider's own id, once it is known; of a capture, cancel or refund what it works on."`
	By         string     `json:"by,omitempty" doc:"Of query: which identifier to ask by."`
	QueryID    string     `json:"query_id,omitempty" doc:"Of query: a fresh id, for providers that want each request named."`
	Deadline   *time.Time `json:"deadline,omitempty" doc:"Of send and query: break the call off then, and report a timeout. A report that comes later is refused."`
	NotAfter   *time.Time `json:"not_after,omitempty" doc:"Of send: nothing may be sent from then on, as the flow was started."`
	LeftMS     int64      `json:"left_ms,omitempty" doc:"Milliseconds until the deadline, for callers whose clock differs."`
	Data       string     `json:"data,omitempty" doc:"What the flow was started with."`

	Until   *time.Time            `json:"until,omitempty" doc:"Of wait: when the next step comes, unless a webhook comes before. Absent: when a webhook or a person says. Of busy: when the command is over."`
	Next    string                `json:"next,omitempty" doc:"Of wait: what comes then."`
	Shopper *policy.ShopperAction `json:"shopper,omitempty" doc:"What the shopper has to do for the payment to go on."`
	Payment *policy.Payment       `json:"payment,omitempty" doc:"What is paid; amounts in minor units of the currency."`
	Outcome string                `json:"outcome,omitempty" enum:"succeeded,failed,escalated" doc:"Of end. An escalated flow waits for a person, and may end again."`
	Class   string                `json:"class,omitempty" doc:"Of end: what kind of answer ended it."`
	Reason  string                `json:"reason,omitempty" doc:"Of end: why."`
}

// StartBody begins a payment.
type StartBody struct {
	Caller     string             `json:"caller" pattern:"^[0-9]{10}-[0-9A-Za-z]{16,64}$" doc:"The Unix time, a hyphen, and a random text that this run of the calling program made for this payment. A call that is repeated with it gets the same command again; another text gets it not."`
	Provider   string             `json:"provider" minLength:"1" doc:"The provider, by the name of its catalogue."`
	Merchant   string             `json:"merchant,omitempty" maxLength:"500" doc:"Whose payment it is."`
	Operation  policy.Operation   `json:"operation" enum:"pay,checkout,capture,cancel,refund,payout" doc:"What is to be done."`
	PaymentKey string             `json:"payment_key" minLength:"1" maxLength:"500" doc:"The purchase, payout or refund that is meant. Under one key at most one execution is made, however often it is asked for."`
	Amount     int64              `json:"amount,omitempty" minimum:"0" doc:"In minor units of the currency."`
	Currency   string             `json:"currency,omitempty" doc:"ISO 4217, in capital letters."`
	Capture    policy.CaptureMode `json:"capture,omitempty" enum:"auto,manual" doc:"Whether the money is taken at once, or held first."`
	Tags       map[string]string  `json:"tags,omitempty" doc:"For the rules."`
	OrderID    string             `json:"order_id" minLength:"1" maxLength:"500" doc:"The merchant's name for it at the provider."`
	RequestID  string             `json:"request_id,omitempty" maxLength:"500" doc:"Of the first request. Absent: the flow makes one."`
	ProviderID string             `json:"provider_id,omitempty" maxLength:"500" doc:"The provider's name for what a capture, cancel or refund works on."`
	NotAfter   time.Time          `json:"not_after,omitzero" doc:"Nothing is sent from then on."`
	Distinct   []string           `json:"distinct,omitempty" doc:"Flows that look alike and are other payments nevertheless."`
	Data       string             `json:"data,omitempty" maxLength:"65536" doc:"Comes back with each command, also after a restart. No secrets, no card numbers."`
}

// ReportBody says what came of a command.
type ReportBody struct {
	Caller       string            `json:"caller" minLength:"1" maxLength:"100" doc:"The caller that took the command."`
	Command      string            `json:"command" minLength:"1" doc:"The command's id."`
	HTTPStatus   int               `json:"http_status,omitempty" minimum:"0" maximum:"999" doc:"The provider's HTTP status."`
	Headers      map[string]string `json:"headers,omitempty" doc:"The provider's headers, at least those that its catalogue reads."`
	Body         json.RawMessage   `json:"body,omitempty" doc:"The provider's body: a JSON value as it came, or a string with whatever came."`
	RetryAfterMS int64             `json:"retry_after_ms,omitempty" minimum:"0" maximum:"31536000000" doc:"What the provider asked for. Absent: the header Retry-After counts, if it is among the headers."`
	Fault        policy.Fault      `json:"fault,omitempty" enum:"not_sent,timeout,reset,unreadable" doc:"There was no answer. not_sent only if it is certain that no byte left, as for a name that did not resolve; timeout and reset leave it in doubt."`
}

// WaitParam is how long an answer is held.
type WaitParam struct {
	WaitMS int64 `query:"wait_ms" default:"1000" minimum:"0" maximum:"60000" doc:"How long the answer may be held until there is something to do."`
}

func (w WaitParam) duration() time.Duration { return time.Duration(w.WaitMS) * time.Millisecond }

type stepAnswer struct{ Body *Step }

func (s *Service) registerFlows() {
	huma.Register(s.api, huma.Operation{
		OperationID: "start-flow", Method: http.MethodPost, Path: "/v1/flows", Tags: []string{"flows"}, Summary: "Begin a payment, or join the one that has the key",
		Description: "Answers with the first step. Under one payment key there is one flow: a call that is repeated begins none.",
		Errors:      []int{400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 501, 503},
	}, s.start)
	huma.Register(s.api, huma.Operation{
		OperationID: "next-step", Method: http.MethodGet, Path: "/v1/flows/{flow}", Tags: []string{"flows"}, Summary: "What is to be done next",
		Description: "With a caller, the flow's command is given to it. Without one the flow is only looked at.",
		Errors:      []int{401, 403, 404, 422, 500, 501, 503},
	}, s.step)
	huma.Register(s.api, huma.Operation{
		OperationID: "report", Method: http.MethodPost, Path: "/v1/flows/{flow}/reports", Tags: []string{"flows"}, Summary: "Say what came of a command",
		Description: "Answers with the next step. A report that is repeated changes nothing.",
		Errors:      []int{400, 401, 403, 404, 408, 409, 413, 415, 422, 500, 501, 503},
	}, s.report)
	huma.Register(s.api, huma.Operation{
		OperationID: "withdraw", Method: http.MethodPost, Path: "/v1/flows/{flow}/withdraw", Tags: []string{"flows"}, Summary: "Send nothing more",
		Description: "The flow ends failed if nothing was executed, and otherwise by what became of the requests that were sent.",
		Errors:      []int{400, 401, 403, 404, 408, 409, 413, 415, 422, 500, 501, 503},
	}, s.withdraw)
	huma.Register(s.api, huma.Operation{
		OperationID: "notify", Method: http.MethodPost, Path: "/v1/webhooks", Tags: []string{"flows"}, Summary: "Hand in a provider's webhook",
		Description: "verified says that the caller has checked the signature. What is not verified proves nothing, and at most brings a query forward.",
		Errors:      []int{400, 401, 403, 408, 413, 415, 422, 500, 501, 503},
	}, s.notify)
}

func (s *Service) start(ctx context.Context, in *struct {
	WaitParam
	Body StartBody
}) (*stepAnswer, error) {
	b := &in.Body
	if err := s.flowsPossible(); err != nil {
		return nil, err
	}
	if err := s.actsFor(callerOf(ctx), b.Merchant, "start-flow"); err != nil { // before anything is looked at
		return nil, err
	}
	if err := fresh(b.Caller, time.Now()); err != nil { // before anything begins
		return nil, err
	}
	if err := b.spelled(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	p := policy.Payment{
		Provider: b.Provider, Merchant: b.Merchant, Operation: b.Operation, Key: b.PaymentKey,
		Amount: b.Amount, Currency: b.Currency, Capture: b.Capture, Tags: b.Tags,
	}
	wrong := s.o.Rules.Now().Check(&p) // a flow may stand nevertheless, since before the rules were read anew: the executor looks
	if wrong == nil {
		if err := s.limit(ctx, &p); err != nil {
			return nil, err
		}
	}
	h, err := s.x.Start(ctx, executor.Request{
		Payment: p, OrderID: b.OrderID, RequestID: b.RequestID, ProviderID: b.ProviderID, NotAfter: b.NotAfter, Distinct: b.Distinct, Data: []byte(b.Data),
	}, s.hub)
	if err != nil && wrong != nil && strings.Contains(err.Error(), wrong.Error()) {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	if err != nil {
		return nil, s.refused(err)
	}
	return s.next(ctx, h, b.Caller, in.duration(), stands, errMerchant)
}

// callerAge is how much older than its flow a caller may be. Who uses one name for all payments, or for each run of the program, is
// found at once, and not when two of them send.
const callerAge = 10 * time.Minute

// fresh refuses a caller that was not made for a flow that began at a time.
func fresh(caller string, started time.Time) error {
	seconds, _, _ := strings.Cut(caller, "-")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return huma.Error422UnprocessableEntity("caller must begin with the Unix time in seconds at which it was made")
	}
	made := time.Unix(unix, 0)
	if made.Before(started.Add(-callerAge)) || made.After(time.Now().Add(callerAge)) {
		return huma.Error422UnprocessableEntity(fmt.Sprintf("caller was made at %s, more than ten minutes before %s, or in the future; make a caller for each payment, in each run of the program, so that no two of them carry out one command",
			made.UTC().Format(time.RFC3339), started.UTC().Format(time.RFC3339)))
	}
	return nil
}

func (s *Service) step(ctx context.Context, in *struct {
	WaitParam
	Flow   string `path:"flow" doc:"The flow's id."`
	Caller string `query:"caller" pattern:"^([0-9]{10}-[0-9A-Za-z]{16,64})?$" doc:"Who takes the command, if there is one."`
}) (*stepAnswer, error) {
	h, err := s.handle(ctx, in.Flow)
	if err != nil {
		return nil, err
	}
	if in.Caller != "" {
		if err := fresh(in.Caller, h.State().Started); err != nil {
			return nil, err
		}
	}
	return s.next(ctx, h, in.Caller, in.duration(), never, noFlow(in.Flow))
}

func (s *Service) report(ctx context.Context, in *struct {
	WaitParam
	Flow string `path:"flow" doc:"The flow's id."`
	Body ReportBody
}) (*stepAnswer, error) {
	h, err := s.handle(ctx, in.Flow)
	if err != nil {
		return nil, err
	}
	reply, err := in.Body.reply()
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	_, err = s.hub.report(h.Flow(), in.Body.Caller, in.Body.Command, in.Body.digest(), reply)
	if errors.Is(err, errOver) && mayStand(in.Body.Command) {
		err = s.overHere(ctx, h.Flow())
	}
	if err != nil {
		return nil, s.refused(err)
	}
	return s.next(ctx, h, in.Body.Caller, in.duration(), stands, noFlow(in.Flow))
}

// reply is a report as the executor takes it.
func (b *ReportBody) reply() (executor.Reply, error) {
	r := executor.Reply{HTTPStatus: b.HTTPStatus, RetryAfter: time.Duration(b.RetryAfterMS) * time.Millisecond, Header: b.Headers}
	switch {
	case b.Fault != policy.NoFault && len(b.Body) > 0:
		return r, errors.New("a report has a body or a fault, not both")
	case b.Fault == policy.NotSent && b.HTTPStatus != 0:
		return r, errors.New("a report of not_sent has no http_status: an answer came")
	case b.Fault != policy.NoFault:
		r.Answer = &policy.Answer{Fault: b.Fault}
		return r, nil
	case b.HTTPStatus == 0:
		return r, errors.New("a report has an http_status or a fault")
	}
	r.Body = b.Body
	if len(b.Body) > 0 && b.Body[0] == '"' {
		var text string
		if err := json.Unmarshal(b.Body, &text); err != nil {
			return r, err
		}
		r.Body = []byte(text)
	}
	return r, nil
}

func (b *ReportBody) digest() [sha256.Size]byte {
	text, err := json.Marshal(b)
	if err != nil { // it was read from JSON
		panic(err)
	}
	return sha256.Sum256(text)
}

func (s *Service) withdraw(ctx context.Context, in *struct {
	WaitParam
	Flow string `path:"flow" doc:"The flow's id."`
	Body struct {
		Why string `json:"why" minLength:"1" maxLength:"2000" doc:"Why nothing more is to be sent."`
	}
}) (*stepAnswer, error) {
	h, err := s.handle(ctx, in.Flow)
	if err != nil {
		return nil, err
	}
	if err := h.Withdraw(in.Body.Why); err != nil {
		return nil, s.refused(err)
	}
	return s.next(ctx, h, "", in.duration(), stands, noFlow(in.Flow))
}

func (s *Service) notify(ctx context.Context, in *struct {
	Body struct {
		Provider   string            `json:"provider" minLength:"1" doc:"Who sent it."`
		Merchant   string            `json:"merchant,omitempty" doc:"Whose account it is about. Absent: a webhook that fits the flows of several merchants proves nothing."`
		Operations []string          `json:"operations,omitempty" enum:"pay,checkout,capture,cancel,refund,payout,bind,unbind,onboard" doc:"What the URL receives webhooks about. Absent: any."`
		Headers    map[string]string `json:"headers,omitempty" doc:"As they came, at least those that the catalogue reads."`
		Query      string            `json:"query,omitempty" doc:"Of the URL that it came to, without the question mark."`
		Body       string            `json:"body,omitempty" doc:"As it came."`
		Verified   bool              `json:"verified,omitempty" doc:"Its signature was checked, and is right."`
	}
}) (*struct{}, error) {
	if err := s.flowsPossible(); err != nil {
		return nil, err
	}
	b := &in.Body
	c := callerOf(ctx)
	if err := s.actsFor(c, b.Merchant, "notify"); err != nil {
		return nil, err
	}
	if b.Merchant == "" && !c.OfAll() { // it would be about the flows of every merchant
		s.refusal(c, "notify")
		return nil, huma.Error403Forbidden("a webhook without a merchant may be about the flows of all, and this caller may act for some; merchant must name one")
	}
	header := http.Header{}
	for name, value := range b.Headers {
		header.Set(name, value)
	}
	operations := make([]policy.Operation, len(b.Operations))
	for i, name := range b.Operations {
		if err := operations[i].UnmarshalText([]byte(name)); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
	}
	err := s.x.Notify(ctx, executor.Webhook{
		Provider: b.Provider, Merchant: b.Merchant, Operations: operations,
		Header: header, Query: b.Query, Body: []byte(b.Body), Verified: b.Verified,
	})
	if err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
		return nil, s.refused(err)
	}
	return nil, nil
}

// flowsPossible is an error where the service has no journal.
func (s *Service) flowsPossible() error {
	if s.x == nil {
		return huma.Error501NotImplemented("the service was started without --journal, so it decides and explains, and carries no flow")
	}
	return nil
}

// handle finds a flow. One of a merchant that the caller may not act for is answered as one that does not exist, also where its row cannot be read.
func (s *Service) handle(ctx context.Context, id string) (*executor.Handle, error) {
	if err := s.flowsPossible(); err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	h, err := s.x.Handle(ctx, id)
	foreign := err == nil && !c.Of(h.State().Payment.Merchant)
	if err != nil && !c.OfAll() {
		row, gone := s.o.Journal.Get(ctx, id)
		foreign = gone == nil && (row.Damaged != nil || !c.Of(row.Key.Merchant))
	}
	if foreign || errors.Is(err, executor.ErrUnknownFlow) {
		return nil, noFlow(id)
	}
	if err != nil {
		return nil, s.refused(err)
	}
	return h, nil
}

// Whether an answer is given before its time is over.
func stands(st *flow.State) bool {
	return st.Stage == flow.Waiting && (st.Next.At.After(time.Now()) || st.Next.Via == flow.ByWebhook)
}
func never(*flow.State) bool { return false }

// next waits until a flow has a command for a caller, has ended, or stands as the call wants. foreign is the error where the flow's merchant is
// none of the caller's any more.
func (s *Service) next(ctx context.Context, h *executor.Handle, caller string, most time.Duration, enough func(*flow.State) bool, foreign error) (*stepAnswer, error) {
	id := h.Flow()
	defer s.hub.wait(id)()
	first := h.State()
	notAfter := first.NotAfter
	timer := time.NewTimer(most)
	defer timer.Stop()
	stopping := s.stopping
	if most > 0 {
		defer s.follow(ctx, h)()
	}
	for last := false; ; {
		if err := still(ctx, first.Payment.Merchant, foreign); err != nil { // before a command is taken
			return nil, err
		}
		has := s.hub.take(id, caller, notAfter)
		if has.again {
			overtaken, err := s.overtaken(ctx, has.mine)
			if err != nil {
				return nil, s.refused(err)
			}
			if overtaken {
				has.mine = nil
			}
		}
		if has.mine != nil {
			return &stepAnswer{commandStep(has.mine, notAfter)}, nil
		}
		st := h.State()
		if has.other == nil && st.Stage == flow.Ended || last || has.other == nil && enough(&st) {
			return &stepAnswer{standingStep(ctx, h, &st, has.other)}, nil
		}
		select {
		case <-has.changed:
		case <-timer.C:
			last = true
		case <-stopping: // what was reported now is answered yet
			stopping = nil
			timer.Reset(min(most, time.Second))
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// commandStep is a command for its caller.
func commandStep(c *command, notAfter time.Time) *Step {
	a := c.attempt
	step := &Step{
		Flow: a.Flow, Do: c.phase.String(), Command: c.id, Attempt: a.Number, OrderID: a.OrderID, RequestID: a.RequestID, ProviderID: a.ProviderID,
		By: string(a.By), QueryID: a.QueryID, Deadline: &a.Deadline, LeftMS: max(1, time.Until(a.Deadline).Milliseconds()), Data: string(a.Data), Payment: a.Payment,
	}
	if c.phase == policy.Send && !notAfter.IsZero() {
		step.NotAfter = &notAfter
	}
	return step
}

// standingStep is the step of a flow that has no command for the caller.
func standingStep(ctx context.Context, h *executor.Handle, st *flow.State, other *command) *Step {
	p := st.Payment
	step := &Step{Flow: h.Flow(), Do: "wait", Payment: &p}
	if shopper := shopperOf(ctx, h); !shopper.IsZero() {
		step.Shopper = &shopper
	}
	switch {
	case st.Stage == flow.Ended:
		step.Do, step.Outcome, step.Class, step.Reason = "end", st.Outcome.String(), st.Class.String(), st.Reason
	case other != nil:
		step.Do, step.Until = "busy", &other.attempt.Deadline
	case st.Stage == flow.Waiting:
		step.Next = st.Next.Action.String()
		if st.Next.Via != flow.ByWebhook {
			step.Until = &st.Next.At
		}
	}
	return step
}

// shopperOf is what the shopper has to do, if it is known by now.
func shopperOf(ctx context.Context, h *executor.Handle) policy.ShopperAction {
	ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	s, err := h.Shopper(ctx)
	if err != nil {
		return policy.ShopperAction{}
	}
	return s
}
