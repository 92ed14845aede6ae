package executor

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// proposalHolds is how long a proposal waits for a second person: over a weekend.
const proposalHolds = 72 * time.Hour

// proposed answers that a resolution waits for a second person.
type proposed struct {
	Proposal string    `json:"proposal"`
	Until    time.Time `json:"until"`

	exported
}

// confirmation is the body of a confirm.
type confirmation struct {
	instruction

	Proposal string `json:"proposal"`
	Reject   bool   `json:"reject,omitempty"`
}

// propose puts a resolution on the trail, as one that could be done now. Nothing of the flow changes.
func (a *admin) propose(r *http.Request, b *resolution, w *Resolution) (any, error) {
	var p proposed
	as, err := a.act(r, "propose", b, func(ctx context.Context, id string, e *trailEntry) error {
		seen, sends, err := a.x.resolvable(ctx, id, w, b.Version)
		if err != nil {
			return err
		}
		p.Proposal, p.Until = e.ID, e.At.Add(proposalHolds)
		e.Seen, e.Sends, e.Waits, e.Result = seen, sends, true, "waits for a second person"
		return nil
	})
	p.exported = as
	return &p, err
}

// confirm does what another person proposed, or rejects it.
func (a *admin) confirm(r *http.Request) (any, error) {
	var b confirmation
	if err := readBody(r, &b); err != nil {
		return nil, err
	}
	if err := b.by(r); err != nil {
		return nil, err
	}
	b.Proposal = cards.Mask(b.Proposal)
	wrong := b.missing()
	if b.Proposal == "" {
		wrong = append(wrong, "proposal must not be empty: it is the id of a line of the flow's audit trail")
	}
	if err := refuseAll(wrong); err != nil {
		return nil, err
	}
	return a.act(r, "confirm", b, func(ctx context.Context, id string, e *trailEntry) error {
		line, err := a.proposal(ctx, id, b.Proposal)
		if err != nil {
			return err
		}
		w, err := line.mayBe(&b, a.x.clock.stamp())
		if err != nil {
			return err
		}
		if !b.Reject { // what could not be done would spend the proposal
			if _, _, err := a.x.resolvable(ctx, id, w, b.Version); err != nil {
				return err
			}
		}
		if err := a.spend(ctx, line, &b); err != nil {
			return err
		}
		if b.Reject {
			e.Result = "rejected"
			return nil
		}
		return a.x.resolve(ctx, id, *w, b.Version)
	})
}

// proposalLine is a proposal with its row.
type proposalLine struct {
	trailEntry

	row   journal.Row
	asked resolution
}

// proposal reads one of a flow.
func (a *admin) proposal(ctx context.Context, of, id string) (*proposalLine, error) {
	row, err := a.x.cfg.Journal.Get(ctx, id)
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return nil, err
	}
	l := &proposalLine{row: row}
	if err == nil && row.Provider == auditProvider && row.Damaged == nil {
		l.trailEntry = entryOf(&row)
	}
	if l.Verb != "propose" || l.Flow != of {
		return nil, refusal(http.StatusNotFound, "flow %s has no proposal %s", of, id)
	}
	if err := json.Unmarshal(l.Asked, &l.asked); err != nil {
		return nil, err
	}
	return l, nil
}

// mayBe returns what a confirmed proposal resolves, or why this person may not confirm it now.
func (l *proposalLine) mayBe(b *confirmation, now time.Time) (*Resolution, error) {
	first := &l.asked
	switch {
	case !l.Waits:
		return nil, refusal(http.StatusConflict, "the proposal does not wait any more: %s", l.Result)
	case b.Reject: // also who made it
		return nil, nil
	case onePerson(first.Who, b.Who):
		return nil, refusal(http.StatusConflict, "%s proposed it, and a second person confirms", first.Who)
	case now.After(l.At.Add(proposalHolds)):
		return nil, refusal(http.StatusConflict, "the proposal is of %s, and holds for %s; propose it again", l.At.Format(time.RFC3339), proposalHolds)
	}
	w, wrong := first.parsed()
	if err := refuseAll(wrong); err != nil {
		return nil, err
	}
	if w.Override { // it contradicts what the first person saw, and nothing that came later
		if b.Version != 0 && b.Version != l.Seen {
			return nil, refusal(http.StatusConflict, "the proposal contradicts a proof as of version %d of the flow, and you saw version %d; propose it again", l.Seen, b.Version)
		}
		b.Version = l.Seen
	}
	w.sends = max(1, l.Sends)
	w.Who = first.Who + " and " + b.Who
	w.Why = first.Who + ": " + first.Why + "; " + b.Who + ": " + b.Why
	return w, nil
}

// spend marks a proposal as confirmed or rejected before that is done: of two people who do so at once, one does.
func (a *admin) spend(ctx context.Context, l *proposalLine, b *confirmation) error {
	l.row.Version++
	l.Waits, l.Result = false, "confirmed by "+b.Who+": "+b.Why
	if b.Reject {
		l.Result = "rejected by " + b.Who + ": " + b.Why
	}
	err := a.write(ctx, &l.row, &l.trailEntry)
	if errors.Is(err, journal.ErrConflict) {
		return refusal(http.StatusConflict, "another person has confirmed or rejected the proposal meanwhile")
	}
	if err != nil {
		return a.failed("nothing was done: the audit trail cannot be written", err)
	}
	return nil
}

// onePerson reports whether two names are one, but for how they are typed.
func onePerson(a, b string) bool {
	plain := func(name string) string {
		visible := strings.Map(func(c rune) rune {
			if unicode.In(c, unicode.Cf, unicode.Mn) {
				return -1
			}
			return c
		}, name)
		return strings.Join(strings.Fields(visible), " ")
	}
	return strings.EqualFold(plain(a), plain(b))
}

// resolvable returns the version of a flow for which a resolution could be done now, and how often the request was sent of which it speaks; or why
// it could not be done.
func (x *Executor) resolvable(ctx context.Context, id string, w *Resolution, version int64) (seen int64, sends int, err error) {
	type looked struct {
		version int64
		sends   int
	}
	l, err := bounded(ctx, x, func() (l looked, err error) {
		var refused error
		err = x.applyTo(ctx, id, func(r *run) flow.Event {
			var i int
			if i, refused = r.resolving(w, version); refused == nil {
				l = looked{r.row.version, r.state.Ledger[i].Sends}
			}
			return nil
		})
		return l, errors.Join(refused, err)
	}, func(why error) (looked, error) { return looked{}, why })
	return l.version, l.sends, err
}

// resent returns an error if a request was sent again since a person spoke of it: what that person saw says nothing of the later one. The
// lock is held.
func (r *run) resent(i int, w *Resolution) error {
	of := &r.state.Ledger[i]
	if w.sends == 0 || of.Sends <= w.sends || w.Effect != policy.NotExecuted {
		return nil
	}
	return refusal(http.StatusConflict, "order %s, request %s was sent again at %s, after a person said that it did not execute; look at the provider's side again", of.OrderID, of.RequestID, of.LastSent.Format(time.RFC3339))
}
