package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// flowLine is a flow in a list.
type flowLine struct {
	Flow      string           `json:"flow"`
	Standing  string           `json:"standing"`
	Since     time.Time        `json:"since"`
	Version   int64            `json:"version"`
	Provider  string           `json:"provider"`
	Merchant  string           `json:"merchant"`
	Operation policy.Operation `json:"operation"`
	Key       string           `json:"payment_key"`
	Due       time.Time        `json:"due,omitzero"` // when it is worked on next
	Written   time.Time        `json:"written"`
	Damaged   string           `json:"damaged,omitempty"` // why the row cannot be read
}

func lineOf(r *journal.Row) flowLine {
	l := flowLine{
		Flow: r.ID, Standing: r.Standing, Since: r.Since, Version: r.Version, Provider: r.Provider, Merchant: r.Key.Merchant,
		Operation: r.Key.Operation, Key: r.Key.Payment, Due: r.Due, Written: r.At,
	}
	if r.Standing == standsUnknown {
		l.Standing = "unclassified"
	}
	if l.Due.Equal(never) {
		l.Due = time.Time{}
	}
	if r.Damaged != nil {
		l.Damaged = r.Damaged.Error()
	}
	return l
}

// listedFlow is a line of the list, with what would end the flow's wait where that is asked for.
type listedFlow struct {
	flowLine

	Ends []waitsFor `json:"ends,omitempty"`
}

// lineWithEnds reads a flow whole. The line is then as the flow is now, which may be otherwise than the list had it. One that was
// pruned meanwhile stays as the list had it.
func (a *admin) lineWithEnds(ctx context.Context, j journal.Journal, line listedFlow) (listedFlow, error) {
	row, err := j.Get(ctx, line.Flow)
	if errors.Is(err, journal.ErrNotFound) {
		return line, nil
	}
	if err != nil {
		return line, err
	}
	e := exportOf(&row)
	line.flowLine = e.flowLine
	if e.State != nil {
		line.Ends = ends(a.x.termsOf(&e.State.Payment), e.State)
	}
	return line, nil
}

func (a *admin) list(r *http.Request) (any, error) {
	q, err := a.readQuery(r, "standing", "merchant", "provider", "older_than", "after", "limit", "ends")
	if err != nil {
		return nil, err
	}
	if q.ends {
		q.limit = min(q.limit, adminPage) // each flow is read whole
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	rows, err := j.List(r.Context(), q.Filter, q.after, q.limit)
	if err != nil {
		return nil, err
	}
	page := struct {
		Now   time.Time    `json:"now"`
		Flows []listedFlow `json:"flows"`
		Next  string       `json:"next,omitempty"` // the after of the next page
	}{Now: a.x.clock.stamp(), Flows: []listedFlow{}}
	for i := range rows {
		line := listedFlow{flowLine: lineOf(&rows[i])}
		if q.ends {
			if line, err = a.lineWithEnds(r.Context(), j, line); err != nil {
				return nil, err
			}
		}
		page.Flows = append(page.Flows, line)
	}
	if len(rows) == q.limit {
		page.Next = writeCursor(&rows[len(rows)-1])
	}
	return page, nil
}

func (a *admin) counts(r *http.Request) (any, error) {
	q, err := a.readQuery(r, "standing", "merchant", "provider", "older_than")
	if err != nil {
		return nil, err
	}
	j, err := a.journal()
	if err != nil {
		return nil, err
	}
	counts, err := j.Count(r.Context(), q.Filter)
	if err != nil {
		return nil, err
	}
	type line struct {
		Standing string    `json:"standing"`
		Merchant string    `json:"merchant"`
		Provider string    `json:"provider"`
		Count    int       `json:"count"`
		Oldest   time.Time `json:"oldest"`
	}
	answer := struct {
		Now    time.Time `json:"now"`
		Counts []line    `json:"counts"`
	}{a.x.clock.stamp(), []line{}}
	for _, c := range counts {
		if c.Standing == standsUnknown {
			c.Standing = "unclassified"
		}
		answer.Counts = append(answer.Counts, line(c))
	}
	return answer, nil
}

// exported is a flow in an export, and the core of what show shows. It has neither the data of the
// caller's request nor the links of the shopper: who has them can pay or be paid.
type exported struct {
	flowLine

	OrderID string      `json:"order_id,omitempty"`
	State   *flow.State `json:"state,omitempty"`
	Notices int         `json:"notices,omitempty"` // calls of hooks that are owed
}

// exportOf reads a row for people. One that cannot be read says why.
func exportOf(row *journal.Row) (e exported) {
	e.flowLine = lineOf(row)
	s, err := readStored(row)
	if err != nil {
		e.Damaged = err.Error()
		return e
	}
	state := s.State.State()
	e.OrderID, e.State, e.Notices = s.Request.OrderID, &state, len(s.Notices)
	return e
}

// export writes flows as JSON lines. The last line says that it is complete: a client that does not see it
// has got a part.
func (a *admin) export(w http.ResponseWriter, r *http.Request) error {
	q, err := a.readQuery(r, "standing", "merchant", "provider", "older_than")
	if err != nil {
		return err
	}
	j, err := a.journal()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	out, n := json.NewEncoder(w), 0
	err = eachRow(r.Context(), j, q.Filter, func(row *journal.Row) error {
		trail, err := trailOf(r.Context(), j, row.ID)
		if err != nil {
			return err
		}
		n++
		return out.Encode(struct {
			exported

			Trail []trailEntry `json:"audit,omitempty"` // who did what to it
		}{exportOf(row), trail})
	})
	last := struct {
		Complete bool   `json:"complete"`
		Flows    int    `json:"flows"`
		Error    string `json:"error,omitempty"`
	}{err == nil, n, ""}
	if err != nil {
		last.Error = a.said(err).Message
	}
	_ = out.Encode(last) // the client may be gone
	return nil
}

// eachRow reads the whole rows that a filter selects, page by page. A flow that is gone meanwhile is left
// out.
func eachRow(ctx context.Context, j journal.Journal, f journal.Filter, do func(*journal.Row) error) error {
	var after journal.Cursor
	for {
		rows, err := j.List(ctx, f, after, pageSize)
		if err != nil {
			return err
		}
		for i := range rows {
			after = journal.Cursor{Due: rows[i].Since, ID: rows[i].ID}
			row, err := j.Get(ctx, rows[i].ID)
			switch {
			case errors.Is(err, journal.ErrNotFound):
				continue
			case err != nil:
				return err
			}
			if err := do(&row); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			return nil
		}
	}
}

// backup sends a copy of the journal.
func (a *admin) backup(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.readQuery(r); err != nil {
		return err
	}
	if _, err := a.journal(); err != nil {
		return err
	}
	held := a.x.vitals.journal.Journal
	if guarded, ok := held.(steady); ok {
		held = guarded.Journal
	}
	j, can := held.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !can {
		return refusal(http.StatusNotImplemented, "a %T makes no backup", held)
	}
	dir, err := os.MkdirTemp("", "recourse-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "journal")
	if err := j.Backup(r.Context(), path); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.sqlite3")
	w.Header().Set("Content-Length", fmt.Sprint(info.Size())) // a client sees when it is cut short
	_, _ = io.Copy(w, file)
	return nil
}
