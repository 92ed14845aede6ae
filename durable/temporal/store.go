package temporal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// giver is a journal in which a process holds the flows that it has written. Any worker may make the next step of a
// flow, so each gives it up after its write.
type giver interface {
	GiveUp(ctx context.Context, id string) error
}

// put writes a row. Its Due keeps executors from it, and Prune until it has ended without a doubt.
func (h *host) put(ctx context.Context, id string, version int64, text []byte) error {
	f, err := stored.Decode(text)
	if err != nil {
		return fmt.Errorf("temporal: flow %s: %w", id, err)
	}
	s := f.State.State()
	row := journal.Row{ID: id, Version: version, Key: keyOf(&s.Payment), Provider: s.Payment.Provider, Open: s.Stage != flow.Ended, At: time.Now(), State: text}
	row.Names = stored.AddName(stored.AddName(nil, f.Request.OrderID), f.Request.ProviderID)
	for i := range s.Ledger {
		n := &s.Ledger[i]
		row.Names = stored.AddName(stored.AddName(stored.AddName(row.Names, n.OrderID), n.RequestID), n.ProviderID)
	}
	if row.Open || len(f.Notices) > 0 || s.Outcome != policy.Succeeded && !stored.NoneExecuted(s.Ledger) {
		row.Due = stored.Never
	}
	var was journal.Row // how it stood
	if version > 1 {
		if was, err = h.d.o.Journal.Get(ctx, id); err != nil && !errors.Is(err, journal.ErrNotFound) {
			return err
		}
	}
	row.Standing, row.Since = stored.Standing(&s, was.Standing, was.Since, row.At)
	q := f.Request
	q.Data, q.Digest = nil, digestOf(&f.Request)
	if row.Tombstone, err = stored.Tombstone(q, &s); err != nil {
		return err
	}
	err = h.d.o.Journal.Put(ctx, &row, journal.Synced)
	if g, is := h.d.o.Journal.(giver); is && err == nil && row.Open {
		_ = g.GiveUp(ctx, id) // else its lease ends by itself
	}
	return err
}

func digestOf(q *stored.Request) []byte {
	if len(q.Digest) > 0 {
		return q.Digest
	}
	sum := sha256.Sum256(q.Data)
	return sum[:]
}

func keyOf(p *policy.Payment) journal.Key {
	return journal.Key{Merchant: p.Merchant, Operation: p.Operation, Payment: p.Key}
}

// storeIn is a row that follows Version.
type storeIn struct {
	Flow    string          `json:"flow"`
	Version int64           `json:"version"`
	Row     json.RawMessage `json:"row"`
	Claim   json.RawMessage `json:"claim,omitempty"` // the row of a send that may be stored as Version+1
}

// storeOut is the version that the row got.
type storeOut struct {
	Version int64 `json:"version"`
	Taken   bool  `json:"taken,omitempty"` // the journal's row is another run's
}

// store writes a row. It may run more than once: a row that is there already is its own.
func (h *host) store(ctx context.Context, in storeIn) (*storeOut, error) {
	err := h.put(ctx, in.Flow, in.Version+1, in.Row)
	if err == nil {
		return &storeOut{Version: in.Version + 1}, nil
	}
	if !errors.Is(err, journal.ErrConflict) {
		return nil, err
	}
	got, failed := h.d.o.Journal.Get(ctx, in.Flow)
	switch {
	case failed != nil:
		return nil, errors.Join(err, failed)
	case got.Version == in.Version: // another worker's process holds the flow for a moment
		return nil, err
	case got.Version == in.Version+1 && bytes.Equal(got.State, in.Row):
		return &storeOut{Version: got.Version}, nil
	case got.Version == in.Version+1 && len(in.Claim) > 0 && bytes.Equal(got.State, in.Claim):
		return h.store(ctx, storeIn{Flow: in.Flow, Version: in.Version + 1, Row: in.Row})
	}
	return &storeOut{Taken: true}, nil
}

// loaded is the journal's row; version 0: there is none.
type loaded struct {
	Version int64           `json:"version"`
	Row     json.RawMessage `json:"row"`
	Key     journal.Key     `json:"key,omitzero"`
}

func (h *host) load(ctx context.Context, id string) (*loaded, error) {
	row, err := h.d.o.Journal.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return new(loaded), nil
	}
	if err != nil {
		return nil, err
	}
	if row.Damaged != nil {
		return nil, row.Damaged
	}
	return &loaded{Version: row.Version, Row: row.State, Key: row.Key}, nil
}

// openOut is what the journal knows of a payment key.
type openOut struct {
	Version int64             `json:"version,omitempty"` // of Row
	Row     json.RawMessage   `json:"row,omitempty"`     // of this flow, or of the one that the request means
	Of      string            `json:"of,omitempty"`      // the flow of Row, if it is another one
	Earlier []stored.Identity `json:"earlier,omitempty"`
	Refused string            `json:"refused,omitempty"` // why nothing is sent
}

// open looks at what came before a flow. A row of its own id is that of a run before this one: of one that was reset, or
// terminated.
func (h *host) open(ctx context.Context, in storeIn) (*openOut, error) {
	f, err := stored.Decode(in.Row)
	if err != nil {
		return nil, fmt.Errorf("temporal: flow %s: %w", in.Flow, err)
	}
	s := f.State.State()
	out := new(openOut)
	rows, err := h.d.o.Journal.ByKey(ctx, keyOf(&s.Payment))
	if err != nil {
		return nil, err
	}
	mine, err := h.load(ctx, in.Flow)
	if err != nil {
		return nil, err
	}
	if foreign(in.Row, mine) {
		return &openOut{Refused: fmt.Sprintf("the workflow's id %s is that of a flow of payment key %q", in.Flow, mine.Key.Payment)}, nil
	}
	var ledgers [][]flow.Identity
	for i := range rows {
		old, err := readRow(&rows[i])
		if err != nil {
			return nil, err
		}
		was := old.State.State()
		free := !rows[i].Open && stored.NoneExecuted(was.Ledger)
		mine := rows[i].ID == in.Flow
		if (mine || !free) && !samePayment(old, f) {
			return &openOut{Refused: fmt.Sprintf("the payment key is that of flow %s, whose amount, currency, provider or data differ", rows[i].ID)}, nil
		}
		switch {
		case mine, !rows[i].Open && was.Outcome == policy.Succeeded:
			if out.Version, out.Row = rows[i].Version, rows[i].State; !mine {
				out.Of = rows[i].ID
				return out, nil
			}
		case !free:
			return &openOut{Refused: fmt.Sprintf("flow %s of the same payment key is open, or may have moved money", rows[i].ID)}, nil
		default:
			ledgers = append(ledgers, was.Ledger)
		}
	}
	if out.Row != nil {
		return out, nil
	}
	out.Earlier = stored.StateOf(&flow.State{Ledger: stored.Identities(ledgers...)}).Ledger
	out.Refused, err = h.orderTaken(ctx, in.Flow, &s.Payment, f.Request.OrderID, f.Request.ProviderID)
	return out, err
}

// orderTaken says which flow of another key has the order, or the trade that a capture or a cancel works on. Answers about
// the one could be taken for the other.
func (h *host) orderTaken(ctx context.Context, id string, p *policy.Payment, order, trade string) (string, error) {
	if p.Operation != policy.Capture && p.Operation != policy.Cancel {
		trade = ""
	}
	rows, err := h.d.o.Journal.Named(ctx, p.Provider, stored.AddName(stored.AddName(nil, order), trade)...)
	if err != nil {
		return "", err
	}
	for i := range rows {
		row := &rows[i]
		if row.ID == id || row.Key == keyOf(p) || row.Key.Merchant != p.Merchant || row.Key.Operation != p.Operation {
			continue
		}
		f, err := readRow(row)
		if err != nil {
			return "", err
		}
		s := f.State.State()
		if !row.Open && stored.NoneExecuted(s.Ledger) {
			continue
		}
		if hasOrder(f, order) {
			return fmt.Sprintf("order %q is that of flow %s, which serves another payment key", order, row.ID), nil
		}
		if trade != "" && (f.Request.ProviderID == trade || s.Target == trade) {
			return fmt.Sprintf("trade %q is that of flow %s, which serves another payment key", trade, row.ID), nil
		}
	}
	return "", nil
}

// hasOrder reports whether a flow was sent, or will be, as an order.
func hasOrder(f *stored.Flow, order string) bool {
	return f.Request.OrderID == order || slices.ContainsFunc(f.State.Ledger, func(id stored.Identity) bool { return id.OrderID == order })
}

func readRow(row *journal.Row) (*stored.Flow, error) {
	if row.Damaged != nil {
		return nil, row.Damaged
	}
	f, err := stored.Decode(row.State)
	if err != nil {
		return nil, fmt.Errorf("temporal: flow %s in the journal is left as it is, and its payment key stays taken: %w", row.ID, err)
	}
	return f, nil
}

// foreign reports whether a row of the journal is another payment's than that of a run. What cannot be read is not known to be:
// a newer release may have written it.
func foreign(mine []byte, row *loaded) bool {
	f, err := stored.Decode(mine)
	if err != nil || row.Key.Payment == "" {
		return false
	}
	p := policy.Payment(f.State.Payment)
	return row.Key != keyOf(&p)
}

// samePayment reports whether two requests of a key mean one payment.
func samePayment(a, b *stored.Flow) bool {
	p, q := &a.State.Payment, &b.State.Payment
	return p.Provider == q.Provider && p.Amount == q.Amount && p.Currency == q.Currency && p.Capture == q.Capture &&
		a.Request.ProviderID == b.Request.ProviderID && bytes.Equal(digestOf(&a.Request), digestOf(&b.Request))
}
