package temporal

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/policy"
)

// A step of the machine is a local activity: what it returned stands in the history, and a replay reads it there. So
// neither other rules nor another release of package flow can make a history impossible to replay.

// stepIn is a flow and what happened to it. Local activities leave no trace of what they were given.
type stepIn struct {
	Rules  string          `json:"rules"`
	Flow   string          `json:"flow"`
	Salt   string          `json:"salt"`
	Row    json.RawMessage `json:"row"`
	Now    time.Time       `json:"now"`
	Events []event         `json:"events"`
}

// stepOut is the flow afterwards.
type stepOut struct {
	Row     json.RawMessage `json:"row"`
	Next    *next           `json:"next,omitempty"` // nil: as before
	Story   []string        `json:"story,omitempty"`
	Notices bool            `json:"notices,omitempty"` // some are due
}

// stepping is a step under way.
type stepping struct {
	h     *host
	in    *stepIn
	f     *stored.Flow
	rules policy.Decider
	state flow.State
	out   stepOut
}

func (h *host) step(_ context.Context, in stepIn) (*stepOut, error) {
	if err := h.wrongRules(in.Flow, in.Rules); err != nil {
		return nil, err
	}
	f, err := stored.Decode(in.Row)
	if err != nil {
		return nil, fmt.Errorf("temporal: flow %s: %w", in.Flow, err)
	}
	s := &stepping{h: h, in: &in, f: f, state: f.State.State()}
	if s.rules, _ = h.rules.For(&s.state.Payment); s.rules == nil {
		s.rules = h.rules // they refuse the payment, and judge it nevertheless
	}
	for i := range in.Events {
		if err := s.apply(&in.Events[i]); err != nil {
			return nil, fmt.Errorf("temporal: flow %s: %w", in.Flow, err)
		}
	}
	f.State = stored.StateOf(&s.state)
	s.out.Notices = len(f.Notices) > 0
	s.out.Row, err = f.Sealed()
	return &s.out, err
}

// wrongRules is the error of a worker whose rules are not those of a flow: they were replaced while it ran.
func (h *host) wrongRules(id, want string) error {
	if has := h.rules.Digest(); has != want {
		return fmt.Errorf("temporal: flow %s is decided by the rules %s, and this worker has %s: start one that has them", id, want, has)
	}
	return nil
}

// apply takes an event through the machine. What does not fit is said in the story; it changes nothing.
func (s *stepping) apply(e *event) error {
	if e.Kind == evTold {
		if len(s.f.Notices) > 0 && reasonOf(s.f.Notices[0]) == e.Why { // a step may have replaced the list
			s.f.Notices = s.f.Notices[1:]
		}
		return nil
	}
	made, err := s.event(e)
	if err != nil {
		s.tell("refused: " + err.Error())
		return nil
	}
	state, commands, err := flow.Step(s.rules, s.state, made)
	if misfit := (*flow.MisfitError)(nil); errors.As(err, &misfit) {
		s.tell(e.Kind + " came too late")
		return nil
	}
	if err != nil {
		return err
	}
	if e.Shopper != (stored.Shopper{}) {
		s.f.Shopper = e.Shopper
	}
	s.state = state
	for _, c := range commands {
		s.command(c)
	}
	return nil
}

func (s *stepping) command(c flow.Command) {
	if n := nextOf(c); n != nil {
		s.out.Next = n
	}
	switch c := c.(type) {
	case flow.Record:
		return
	case flow.Finish:
		s.f.Notices = nil // proof has settled an escalation
		if c.Outcome == policy.Escalated && s.h.d.o.OnEscalate != nil {
			s.f.Notices = []stored.Notice{{}}
		}
	case flow.Alert:
		if s.h.d.o.OnAlert != nil {
			s.f.Notices = append(s.f.Notices, stored.Notice{Alert: &stored.Alert{Reason: c.Reason, Evidence: stored.EvidenceOf(&c.Evidence)}})
		}
	case flow.Send, flow.Ask, flow.Wait, flow.Decided:
	}
	s.tell(flow.Describe(c))
}

// tell adds a line to the story.
func (s *stepping) tell(what string) {
	at := s.in.Now
	if !s.state.Started.IsZero() {
		s.out.Story = append(s.out.Story, fmt.Sprintf("%9s  %s", "+"+at.Sub(s.state.Started).Round(time.Millisecond).String(), what))
		return
	}
	s.out.Story = append(s.out.Story, fmt.Sprintf("%9s  %s", "", what))
}

// event makes the machine's event.
func (s *stepping) event(e *event) (flow.Event, error) {
	at := flow.Moment{At: s.in.Now, Jitter: rand.Float64()}
	if now := time.Now(); now.After(at.At) {
		at.Latest = now // this task may have been repeated for a while
	}
	switch e.Kind {
	case evStart:
		q := &s.f.Request
		id := q.RequestID
		earlier := (&stored.State{Ledger: e.Earlier}).State().Ledger
		for i := range earlier {
			if earlier[i].RequestID == id {
				id = "" // an answer about the one could be taken for the other
			}
		}
		if id == "" {
			id = s.requestID(len(earlier))
		}
		return flow.Start{
			Moment: at, OrderID: q.OrderID, RequestID: id, ProviderID: q.ProviderID,
			Accepted: s.state.Started, NotAfter: s.state.NotAfter, Earlier: earlier,
		}, nil
	case evAnswered:
		return flow.Answered{Moment: at, Answer: policy.Answer(*e.Answer), Attempt: e.Number}, nil
	case evQueried:
		return flow.Queried{Moment: at, Answer: policy.Answer(*e.Answer), Query: e.Number}, nil
	case evReceived:
		if e.Answer == nil {
			return nil, errors.New("a webhook without an answer")
		}
		return flow.Received{Moment: at, Answer: policy.Answer(*e.Answer)}, nil
	case evDue:
		return flow.Due{Moment: at, RequestID: s.requestID(len(s.state.Ledger)), OrderID: e.OrderID}, nil
	case evResumed:
		return flow.Resumed{Moment: at}, nil
	case evResolved:
		return s.resolved(e, at)
	case evWithdrawn:
		return flow.Withdrawn{Moment: at, Why: e.Why}, nil
	}
	return nil, fmt.Errorf("an event of the unknown kind %q", e.Kind)
}

// resolved is a person's word, if it names one identity and does not contradict a proof.
func (s *stepping) resolved(e *event, at flow.Moment) (flow.Event, error) {
	i, err := resolvable(&s.state, e)
	return flow.Resolved{Moment: at, Identity: i, Effect: e.Effect, Who: e.Who, Why: e.Why}, err
}

// resolvable is the identity that a person's word is about.
func resolvable(s *flow.State, e *event) (int, error) {
	found := -1
	for i := range s.Ledger {
		if id := &s.Ledger[i]; id.OrderID == e.OrderID && (e.Request == "" || id.RequestID == e.Request) {
			if found >= 0 {
				return -1, fmt.Errorf("several requests of order %q were sent; Resolution.RequestID must name one", e.OrderID)
			}
			found = i
		}
	}
	switch {
	case !e.Effect.Settled():
		return -1, fmt.Errorf("Resolution.Effect is %s; it must be executed or not_executed", e.Effect)
	case e.Who == "" || e.Why == "":
		return -1, errors.New("Resolution.Who and Resolution.Why must not be empty")
	case found < 0:
		return -1, fmt.Errorf("nothing was sent as order %q, request %q", e.OrderID, e.Request)
	case s.Ledger[found].Effect == policy.Executed && e.Effect == policy.NotExecuted && !e.Override:
		return -1, fmt.Errorf("it is proved that order %q executed; Resolution.Override contradicts that", e.OrderID)
	}
	return found, nil
}

// requestID makes the id of the n-th identity. The same flow makes the same ids again when its workflow is reset: what a
// reset run sends is to the provider a repeat of a request that it knows. The caller's own id may be among them.
func (s *stepping) requestID(n int) string {
	for try := 0; ; try++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", s.in.Salt, s.in.Flow, n, try))
		id := base32.StdEncoding.EncodeToString(sum[:])[:26]
		if !used(s.state.Ledger, id) {
			return id
		}
	}
}

func used(ledger []flow.Identity, id string) bool {
	for i := range ledger {
		if ledger[i].RequestID == id {
			return true
		}
	}
	return false
}

// reasonOf is what distinguishes a notice from the others of its flow; empty: the flow escalated.
func reasonOf(n stored.Notice) string {
	if n.Alert == nil {
		return ""
	}
	return n.Alert.Reason
}

// orderIn asks for another order.
type orderIn struct {
	Flow string          `json:"flow"`
	Row  json.RawMessage `json:"row"`
}

// order asks the hook for a new order id; empty: there is none.
func (h *host) order(ctx context.Context, in orderIn) (id string, err error) {
	f, err := stored.Decode(in.Row)
	if err != nil {
		return "", fmt.Errorf("temporal: flow %s: %w", in.Flow, err)
	}
	if h.d.o.NewOrder == nil {
		return "", nil
	}
	s := f.State.State()
	err = hook(ctx, in.Flow, "NewOrder", func() error {
		id, err = h.d.o.NewOrder(ctx, &s.Payment, s.Ledger)
		return err
	})
	return id, err
}

// hook calls a hook. What its error or its panic says is for the worker's log, and not for the history.
func hook(ctx context.Context, id, name string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			activity.GetLogger(ctx).Error("a hook failed", "flow", id, "hook", name, "error", err)
			err = fmt.Errorf("temporal: flow %s: Options.%s failed; the worker's log says why", id, name)
		}
	}()
	return call()
}

// notice calls the hook of the first notice, and returns its reason. With an error it is called again.
func (h *host) notice(ctx context.Context, in orderIn) (string, error) {
	f, err := stored.Decode(in.Row)
	if err != nil || len(f.Notices) == 0 {
		return "", err
	}
	s := f.State.State()
	first := f.Notices[0]
	switch {
	case first.Alert != nil:
		if h.d.o.OnAlert == nil {
			return "", fmt.Errorf("temporal: flow %s has an alert, and this worker has no OnAlert", in.Flow)
		}
		a := first.Alert
		return a.Reason, hook(ctx, in.Flow, "OnAlert", func() error {
			return h.d.o.OnAlert(ctx, &executor.Alert{Flow: in.Flow, Reason: a.Reason, Evidence: a.Evidence.Evidence(), State: s})
		})
	case h.d.o.OnEscalate == nil:
		return "", fmt.Errorf("temporal: flow %s was escalated, and this worker has no OnEscalate", in.Flow)
	}
	return "", hook(ctx, in.Flow, "OnEscalate", func() error { return h.d.o.OnEscalate(ctx, executor.NewResult(in.Flow, &s, nil)) })
}
