package executor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// instruction is what a person wants done.
type instruction struct {
	Who string `json:"who"`
	Why string `json:"why"`

	Version int64 `json:"version,omitempty"` // of the row that the person saw; 0: any
}

// missing lists what every order must have.
func (o *instruction) missing() (wrong []string) {
	if strings.TrimSpace(o.Who) == "" {
		wrong = append(wrong, "who must not be empty: it is the person that the audit trail names")
	}
	if strings.TrimSpace(o.Why) == "" {
		wrong = append(wrong, "why must not be empty: it stands in the audit trail")
	}
	for what, text := range map[string]string{"who": o.Who, "why": o.Why} {
		if len(text) > longestWord {
			wrong = append(wrong, fmt.Sprintf("%s has %d bytes; at most %d are kept", what, len(text), longestWord))
		}
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			wrong = append(wrong, what+" must be one line of text")
		}
	}
	slices.Sort(wrong)
	if o.Version < 0 {
		wrong = append(wrong, fmt.Sprintf("version is %d; it must not be negative", o.Version))
	}
	return wrong
}

func refuseAll(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	return refusal(http.StatusBadRequest, "%s", strings.Join(wrong, "; "))
}

// resolution is the body of a resolve.
type resolution struct {
	instruction

	OrderID   string `json:"order_id"`
	RequestID string `json:"request_id,omitempty"`
	Effect    string `json:"effect"`
	Override  bool   `json:"override,omitempty"`

	Propose bool `json:"propose,omitempty"` // a second person confirms, though Config.TwoPersons does not ask for one
}

// parsed is what the body says, or what is wrong with it.
func (b *resolution) parsed() (*Resolution, []string) {
	wrong := b.missing()
	if b.OrderID == "" {
		wrong = append(wrong, "order_id must not be empty: it is that of the request which is resolved")
	}
	var effect policy.Effect
	if err := effect.UnmarshalText([]byte(b.Effect)); err != nil || !effect.Settled() {
		wrong = append(wrong, fmt.Sprintf("effect is %q; it must be executed or not_executed", b.Effect))
	}
	return &Resolution{OrderID: b.OrderID, RequestID: b.RequestID, Effect: effect, Who: b.Who, Why: b.Why, Override: b.Override}, wrong
}

func (a *admin) resolve(r *http.Request) (any, error) {
	var b resolution
	if err := readBody(r, &b); err != nil {
		return nil, err
	}
	if err := b.by(r); err != nil {
		return nil, err
	}
	w, wrong := b.parsed()
	if err := refuseAll(wrong); err != nil {
		return nil, err
	}
	if b.Propose || a.x.cfg.TwoPersons {
		return a.propose(r, &b, w)
	}
	return a.act(r, "resolve", b, func(ctx context.Context, id string, _ *trailEntry) error { return a.x.resolve(ctx, id, *w, b.Version) })
}

func (a *admin) withdraw(r *http.Request) (any, error) {
	var b instruction
	if err := readBody(r, &b); err != nil {
		return nil, err
	}
	if err := b.by(r); err != nil {
		return nil, err
	}
	if err := refuseAll(b.missing()); err != nil {
		return nil, err
	}
	return a.act(r, "withdraw", b, func(ctx context.Context, id string, _ *trailEntry) error {
		var changed error
		err := a.x.applyTo(ctx, id, func(r *run) flow.Event {
			if changed = r.unchangedSince(b.Version); changed != nil {
				return nil
			}
			return flow.Withdrawn{Moment: a.x.moment(), Why: b.Who + ": " + b.Why}
		})
		return errors.Join(changed, err)
	})
}

// unchangedSince returns an error if the flow's row is not of a version. The lock is held.
func (r *run) unchangedSince(version int64) error {
	if version == 0 || version == r.row.version {
		return nil
	}
	e := refusal(http.StatusConflict, "flow %s has changed since version %d: look again; it is at version %d", r.id, version, r.row.version)
	e.Flow, e.Version = r.id, r.row.version
	return e
}

// act does what a person wants of a flow. The trail says so before, and how it went after.
func (a *admin) act(r *http.Request, verb string, body any, do func(ctx context.Context, id string, e *trailEntry) error) (as exported, err error) {
	id := r.PathValue("id")
	j, err := a.journal()
	if err != nil {
		return as, err
	}
	if row, err := j.Get(r.Context(), id); err != nil {
		return as, err
	} else if row.Standing == standsAudit {
		return as, refusal(http.StatusNotFound, "there is no flow %s", id)
	}
	// The client may be gone before the end, and it must be certain what was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), adminTimeout)
	defer cancel()
	err = a.onTheTrail(ctx, verb, id, body, func(e *trailEntry) error {
		e.Result = "done"
		return do(ctx, id, e)
	})
	if err != nil {
		return as, err
	}
	row, err := j.Get(ctx, id)
	if err != nil {
		return as, err
	}
	return exportOf(&row), nil
}

func (a *admin) prune(r *http.Request) (any, error) {
	var b struct {
		instruction

		OlderThan string `json:"older_than"`
	}
	if err := readBody(r, &b); err != nil {
		return nil, err
	}
	if err := b.by(r); err != nil {
		return nil, err
	}
	wrong := b.missing()
	age, err := time.ParseDuration(b.OlderThan)
	if err != nil || age < youngestPrune {
		wrong = append(wrong, fmt.Sprintf("older_than is %q; it must be a duration of at least %s, such as 2160h", b.OlderThan, youngestPrune))
	}
	if b.Version != 0 {
		wrong = append(wrong, "version is of a flow; prune takes none")
	}
	if err := refuseAll(wrong); err != nil {
		return nil, err
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	var n int
	err = a.onTheTrail(r.Context(), "prune", "", b, func(e *trailEntry) (err error) {
		n, err = j.Prune(r.Context(), a.x.clock.now().Add(-age))
		e.Result = fmt.Sprintf("%d flows", n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Pruned int `json:"pruned"`
	}{n}, nil
}

// The audit trail is rows of the journal beside the flows. They have no key, are due never, and so are
// never pruned; and the journal replaces no row but by its next version, which adds the result.
const (
	standsAudit   = "audit"
	auditProvider = "audit trail" // no provider's: the names of these rows are flows
)

// trailEntry is one line of the trail.
type trailEntry struct {
	At     time.Time       `json:"at"`
	Verb   string          `json:"verb"`
	Flow   string          `json:"flow,omitempty"`
	Asked  json.RawMessage `json:"asked"`            // as it was given, with who and why
	Result string          `json:"result,omitempty"` // empty: it was not written any more

	// Of a proposal.
	ID    string    `json:"id,omitempty"`      // that of its row
	Waits bool      `json:"waits,omitempty"`   // for a second person
	Until time.Time `json:"until,omitzero"`    // it waits no longer
	Seen  int64     `json:"version,omitempty"` // of the flow, as the first person saw it
	Sends int       `json:"sends,omitempty"`   // of the request, until then
}

// onTheTrail writes what will be done, does it, and writes how it went. If the trail cannot be written
// nothing is done.
func (a *admin) onTheTrail(ctx context.Context, verb, flow string, body any, do func(*trailEntry) error) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	e := trailEntry{ID: "audit-" + rand.Text(), At: a.x.clock.stamp(), Verb: verb, Flow: flow, Asked: text}
	row := journal.Row{
		ID: e.ID, Version: 1, Provider: auditProvider, Due: never, At: e.At, Standing: standsAudit, Since: e.At,
	}
	if flow != "" {
		row.Names = []string{flow}
	}
	if err := a.write(ctx, &row, &e); err != nil {
		return a.failed("nothing was done: the audit trail cannot be written", err)
	}
	if err = do(&e); err != nil {
		refused := a.said(err)
		e.Result, err = "refused: "+refused.Message, refused
	}
	row.Version++
	if lost := a.write(context.WithoutCancel(ctx), &row, &e); lost != nil {
		if e.Waits {
			return a.failed("nothing is proposed: the audit trail cannot be written", lost)
		}
		a.x.reportError(fmt.Errorf("executor: the audit trail does not say how %s of flow %q went (%s): %w", verb, flow, e.Result, lost))
	}
	return err
}

func (a *admin) write(ctx context.Context, row *journal.Row, e *trailEntry) (err error) {
	if row.State, err = json.Marshal(e); err != nil {
		return err
	}
	return a.x.cfg.Journal.Put(ctx, row, journal.Synced)
}

// trailOf is what was done to a flow.
func trailOf(ctx context.Context, j journal.Journal, flow string) ([]trailEntry, error) {
	rows, err := j.Named(ctx, auditProvider, flow)
	if err != nil {
		return nil, err
	}
	trail := []trailEntry{}
	for i := range rows {
		trail = append(trail, entryOf(&rows[i]))
	}
	return trail, nil
}

// entryOf reads a line of the trail. One that cannot be read is a line too.
func entryOf(row *journal.Row) (e trailEntry) {
	err := row.Damaged
	if err == nil {
		err = json.Unmarshal(row.State, &e)
	}
	if err != nil {
		e = trailEntry{At: row.At, Verb: "unreadable", Result: err.Error(), Asked: json.RawMessage("{}")}
	}
	if e.Waits {
		e.Until = e.At.Add(proposalHolds)
	}
	return e
}

func (a *admin) audit(r *http.Request) (any, error) {
	q, err := a.readQuery(r, "after", "limit")
	if err != nil {
		return nil, err
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	rows, err := j.List(r.Context(), journal.Filter{Standings: []string{standsAudit}}, q.after, q.limit)
	if err != nil {
		return nil, err
	}
	page := struct {
		Audit []trailEntry `json:"audit"`
		Next  string       `json:"next,omitempty"`
	}{Audit: []trailEntry{}}
	for i := range rows {
		row, err := j.Get(r.Context(), rows[i].ID)
		if err != nil {
			return nil, err
		}
		page.Audit = append(page.Audit, entryOf(&row))
	}
	if len(rows) == q.limit {
		page.Next = writeCursor(&rows[len(rows)-1])
	}
	return page, nil
}
