package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// owed is something that somebody has to be told: an alert, or that the flow escalated.
type notice struct {
	Alert *flow.Alert // nil: escalated
}

// put writes the flow down. The lock is held.
func (r *run) put(owes []notice, d journal.Durability) error {
	s, j := &r.state, r.x.cfg.Journal
	if j == nil && (s.Attempts < 2 && s.Stage == flow.Sending || s.Stage == flow.Ended) {
		return nil // most end with the answer, and nobody asks for them
	}
	names := r.names(s)
	if j == nil {
		if len(names) > int(r.named) {
			r.x.index(r, names[r.named:])
			r.named = int32(len(names))
		}
		return nil
	}
	row := journal.Row{
		ID: r.id, Version: r.version + 1, Key: r.key(), Provider: s.Payment.Provider, Names: names[r.named:],
		Open: s.Stage != flow.Ended, Due: r.due(s, owes), At: wallClock(),
	}
	var err error
	row.State, err = json.Marshal(r.store(s, owes))
	if err != nil {
		return fmt.Errorf("executor: flow %s cannot be written: %w", r.id, err)
	}
	// A caller that gives up must not leave it open whether the row was stored.
	err = j.Put(r.x.forever, &row, d)
	switch {
	case err == nil:
		r.version++
		r.named = int32(len(names))
	case errors.Is(err, journal.ErrConflict), errors.Is(err, journal.ErrLost):
		r.markLost()
		return fmt.Errorf("%w: %w", ErrTakenOver, err)
	default:
		r.unsure = row.Version == 1
	}
	return err
}

// store puts the flow into the form of its row. The lock is held.
func (r *run) store(s *flow.State, owes []notice) *stored {
	to := &stored{
		V: storedVersion,
		Request: storedRequest{
			OrderID: r.req.OrderID, RequestID: r.req.RequestID, ProviderID: r.req.ProviderID, Data: r.req.Data, Bound: r.bound,
		},
		State: toStored(s), Shopper: storedShopper(r.action()),
	}
	for _, o := range owes {
		n := storedNotice{}
		if o.Alert != nil {
			n.Alert = &storedAlert{Reason: o.Alert.Reason, Evidence: storeEvidence(&o.Alert.Evidence)}
		}
		to.Notices = append(to.Notices, n)
	}
	return to
}

// lose lets go of a flow that is not this process's any more, or not this copy's. The lock is
// held.
func (r *run) markLost() {
	r.lost = true
	r.releasePermitLocked()
	r.x.drop(r)
	r.broadcast()
	r.wake()
}

// names are the identifiers under which the provider may speak of the flow. The list only
// grows.
func (r *run) names(s *flow.State) []string {
	r.allNames = addName(r.allNames, r.req.OrderID)
	for i := range s.Ledger {
		id := &s.Ledger[i]
		r.allNames = addName(addName(addName(r.allNames, id.OrderID), id.RequestID), id.ProviderID)
	}
	return r.allNames
}

func addName(all []string, text string) []string {
	if text == "" || slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}

// due is when somebody has to look at the flow if this process does not.
func (r *run) due(s *flow.State, owes []notice) time.Time {
	terms := r.rules.Terms(&s.Payment)
	switch s.Stage {
	case flow.New:
		return wallClock()
	case flow.Sending:
		return s.Ledger[len(s.Ledger)-1].Deadline
	case flow.Querying:
		return s.Asked.Add(terms.Contract.CallTimeout())
	case flow.Waiting:
		return s.Next.At
	case flow.Ended:
		switch {
		case len(owes) > 0:
			return wallClock().Add(renotifyAfter)
		case s.Outcome != policy.Succeeded && !noneExecuted(s.Ledger):
			return never
		}
	}
	return time.Time{}
}

// never is when somebody has to look at a flow that has ended in doubt: no process has to, but
// its key must not be forgotten.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// tellAgain is after how long somebody who could not be told is told again.
const renotifyAfter = 30 * time.Second

// read makes a flow out of a row.
func (x *Executor) read(row *journal.Row) (*run, error) {
	e, err := decodeStored(row.State)
	if err != nil {
		return nil, fmt.Errorf("executor: flow %s in the journal: %w", row.ID, err)
	}
	r := x.newRun(Request{
		Payment: policy.Payment(e.State.Payment),
		OrderID: e.Request.OrderID, RequestID: e.Request.RequestID, ProviderID: e.Request.ProviderID, Data: e.Request.Data,
	})
	r.id, r.version, r.accepted, r.started, r.bound = row.ID, row.Version, true, !e.Request.Bound, e.Request.Bound
	for _, n := range e.Notices {
		o := notice{}
		if n.Alert != nil {
			o.Alert = &flow.Alert{Reason: n.Alert.Reason, Evidence: n.Alert.Evidence.evidence()}
		}
		r.owes = append(r.owes, o)
	}
	if shopper := policy.ShopperAction(e.Shopper); !shopper.IsZero() {
		r.shopper = &shopper
	}
	r.state = e.State.state()
	if r.rules, _ = x.rules.For(&r.req.Payment); r.rules == nil { // the rules were others when it began
		r.rules = x.rules
	}
	r.named = int32(len(r.names(&r.state)))
	r.guard = x.guards.of(&r.req.Payment)
	r.client = x.clientOf(r)
	if r.state.Stage == flow.Ended {
		r.next = flow.Finish{Outcome: r.state.Outcome, Reason: r.state.Reason}
	}
	return r, nil
}
