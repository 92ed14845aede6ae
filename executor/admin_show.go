package executor

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// shown is a flow as a person looks at it.
type shown struct {
	exported

	Now   time.Time    `json:"now"`
	Live  bool         `json:"live"`            // this process has it in memory
	Held  string       `json:"held,omitempty"`  // what delays its next call: budget, breaker or limit
	Story []storyLine  `json:"story"`           // from the row
	Trace []storyLine  `json:"trace,omitempty"` // what this process did, in more detail
	Ends  []waitsFor   `json:"ends"`            // what would end it; empty: it is settled
	Trail []trailEntry `json:"audit"`

	You        string `json:"you,omitempty"` // who asks, if that is known
	TwoPersons bool   `json:"two_persons,omitempty"`
}

type storyLine struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// waitsFor is a request that is not settled, or the flow itself, and what would end the wait.
type waitsFor struct {
	OrderID   string   `json:"order_id,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	What      string   `json:"what"`
	By        []string `json:"by"`
}

func (a *admin) show(r *http.Request) (any, error) {
	if _, err := a.readQuery(r); err != nil {
		return nil, err
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	row, err := j.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, journal.ErrNotFound) || err == nil && row.Standing == standsAudit {
		return nil, refusal(http.StatusNotFound, "there is no flow %s", r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	s := shown{exported: exportOf(&row), Now: a.x.clock.stamp(), Story: []storyLine{}, Ends: []waitsFor{}, You: personOf(r), TwoPersons: a.x.cfg.TwoPersons}
	if s.State != nil {
		s.Story = storyOf(s.State)
		s.Ends = ends(a.x.termsOf(&s.State.Payment), s.State)
	}
	if s.Trail, err = trailOf(r.Context(), j, row.ID); err != nil {
		return nil, err
	}
	a.x.addLive(row.ID, &s)
	return s, nil
}

// termsOf are the terms of a payment, by the rules of now.
func (x *Executor) termsOf(p *policy.Payment) *policy.Terms {
	rules, err := x.rules.For(p)
	if err != nil {
		return x.rules.Terms(p)
	}
	return (&careful{Decider: rules, x: x}).Terms(p)
}

// addLive adds what only the process knows that drives a flow. It does not wait for one that is being
// written.
func (x *Executor) addLive(id string, s *shown) {
	x.mu.Lock()
	r := x.flows[id]
	x.mu.Unlock()
	if r == nil {
		return
	}
	s.Live = true
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	s.Held = r.calls.delay.String()
	for _, e := range r.trace.snapshot() {
		s.Trace = append(s.Trace, storyLine{e.At, flow.Describe(e.Command)})
	}
}

// storyOf tells a flow from its state, in the order of time.
func storyOf(s *flow.State) []storyLine {
	var all []storyLine
	add := func(at time.Time, format string, args ...any) {
		all = append(all, storyLine{at, fmt.Sprintf(format, args...)})
	}
	p := &s.Payment
	amount := ""
	if p.Amount != 0 {
		amount = " of " + policy.FormatAmount(p.Amount, p.Currency)
	}
	add(s.Started, "accepted: %s %s%s, payment key %q", p.Provider, p.Operation, amount, p.Key)
	for i := range s.Ledger {
		id := &s.Ledger[i]
		if id.Sends == 0 {
			continue
		}
		add(id.FirstSent, "sent as order %s, request %s", id.OrderID, id.RequestID)
		if id.Sends > 1 {
			add(id.LastSent, "sent again as order %s, request %s: %d times in all", id.OrderID, id.RequestID, id.Sends)
		}
	}
	for i := range s.Evidence {
		e := &s.Evidence[i]
		add(e.At, "%s", evidenceText(s, e))
	}
	if s.Queries > 0 && s.Stage == flow.Querying {
		add(s.Asked, "query %d asked, by %s", s.Queries, s.AskedBy)
	}
	slices.SortStableFunc(all, func(a, b storyLine) int { return a.At.Compare(b.At) })
	last := all[len(all)-1].At
	if s.Withdrawn != "" {
		add(last, "withdrawn: %s", s.Withdrawn)
	}
	switch s.Stage {
	case flow.Ended:
		add(last, "ended %s: %s", s.Outcome, s.Reason)
	case flow.Waiting:
		what := s.Next.Action.String()
		if s.Next.Via == flow.ByWebhook {
			what = "the webhook has not come: " + what
		}
		add(s.Next.At, "next: %s", what)
	case flow.New:
		add(last, "next: send, when the breaker allows it")
	case flow.Sending, flow.Querying:
	}
	return all
}

func evidenceText(s *flow.State, e *flow.Evidence) string {
	of := "of no request of this flow"
	if e.Identity >= 0 && e.Identity < len(s.Ledger) {
		of = "of order " + s.Ledger[e.Identity].OrderID + ", request " + s.Ledger[e.Identity].RequestID
	}
	if e.Person != "" {
		said := ""
		if e.Answer != nil {
			said = ", " + e.Answer.Message
		}
		return fmt.Sprintf("a person settled it as %s, %s%s", e.Fact.Effect, of, said)
	}
	if e.Answer == nil {
		return fmt.Sprintf("%s: %s, %s", e.Phase, e.Fact.Effect, of)
	}
	text := fmt.Sprintf("%s answered %s: %s, %s, %s", e.Phase, flow.DescribeAnswer(e.Answer), e.Fact.Effect, e.Fact.Class, of)
	if e.Phase == policy.Webhook && !e.Answer.Verified {
		text += ", not verified"
	}
	if e.Answer.SetAside != "" {
		text += ", set aside: " + e.Answer.SetAside
	}
	return text
}

// ends lists what would end the wait of a flow, by its provider's contract.
func ends(t *policy.Terms, s *flow.State) []waitsFor {
	all := []waitsFor{}
	for i := range s.Ledger {
		if id := &s.Ledger[i]; id.Sends > 0 && !id.Effect.Settled() {
			all = append(all, waitsFor{
				OrderID: id.OrderID, RequestID: id.RequestID,
				What: fmt.Sprintf("%s since %s; what is known is %s", doubtOf(id), id.FirstSent.Format(time.RFC3339), id.Effect),
				By:   endsDoubt(&t.Contract, s, id),
			})
		}
	}
	if s.Stage == flow.Ended || len(all) > 0 {
		return all
	}
	limit := s.Started.Add(t.Limits.MaxElapsed)
	if !s.NotAfter.IsZero() && s.NotAfter.Before(limit) {
		limit = s.NotAfter
	}
	return append(all, waitsFor{What: "nothing is in doubt; the next step is " + cmp.Or(nextStep(s), "the first send"),
		By: []string{"an answer", "a withdrawal: it then fails", "its time: it fails at " + limit.Format(time.RFC3339)}})
}

func doubtOf(id *flow.Identity) string {
	switch {
	case id.Contested:
		return "contested"
	case id.Effect == policy.Pending:
		return "pending"
	}
	return "in doubt"
}

func nextStep(s *flow.State) string {
	if s.Stage != flow.Waiting {
		return string(s.Stage)
	}
	return fmt.Sprintf("%s at %s", s.Next.Action, s.Next.At.Format(time.RFC3339))
}

// endsDoubt lists the evidence that would settle an identity.
func endsDoubt(c *policy.Contract, s *flow.State, id *flow.Identity) (by []string) {
	if ask := c.QueryIdentifier(id.ProviderID != ""); ask != "" {
		next := ""
		if s.Stage == flow.Waiting && s.Next.Action == policy.QueryStatus && s.Next.Via != flow.ByWebhook {
			next = "; the next one is at " + s.Next.At.Format(time.RFC3339)
		}
		by = append(by, fmt.Sprintf("a query by %s that finds it executed, or refused for good%s", ask, next))
		if c.NotFoundAfter > 0 && c.ArrivalGrace > 0 {
			final := id.LastSent.Add(c.NotFoundAfter)
			for i := range s.Ledger {
				if late := s.Ledger[i].Deadline.Add(c.ArrivalGrace); s.Ledger[i].Sends > 0 && late.After(final) {
					final = late
				}
			}
			by = append(by, fmt.Sprintf("a query asked at %s or later that does not find it", final.Format(time.RFC3339)))
		}
	}
	if c.Webhook {
		names := []string{"order " + id.OrderID, "request " + id.RequestID}
		if id.ProviderID != "" {
			names = append(names, "the provider's id "+id.ProviderID)
		}
		by = append(by, "a verified webhook that names "+strings.Join(names, " or ")+", with the payment's amount where it bears one")
	}
	return append(by, "a person who has looked at the provider's side: resolve, with who and why")
}
