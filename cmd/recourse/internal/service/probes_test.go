package service_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/journal"
)

// unreadable is a journal that can be counted no more once it is broken.
type unreadable struct {
	journal.Journal
	broken, hangs atomic.Bool
}

// Count implements [journal.Journal].
func (j *unreadable) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	if j.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if j.broken.Load() {
		return nil, errors.New("open /srv/secret/flows.db: disk I/O error")
	}
	return j.Journal.Count(ctx, f)
}

// A probe needs no token, so it says nothing of where the journal is.
func TestProbesSayNothingOfTheJournal(t *testing.T) {
	var log lockedBuffer
	j := &unreadable{Journal: journal.NewMemory()}
	a := newAPI(t, service.Options{Journal: j, Access: twoMerchants(t), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	j.broken.Store(true)
	status, text := a.as("", "GET", "/readyz", "")
	if status != http.StatusServiceUnavailable || strings.Contains(text, "secret") || !strings.Contains(text, "journal cannot be read") {
		t.Errorf("%d %s", status, text)
	}
	if !strings.Contains(log.String(), "/srv/secret/flows.db") {
		t.Errorf("the log does not say why: %s", log.String())
	}
}

// failing is a journal that fails in each call once it is broken, and says where it is.
type failing struct {
	journal.Journal
	broken atomic.Pointer[error]
}

var errOfDatabase = errors.New("failed to connect to `user=payments database=secret`: 10.1.2.3:5432: connection refused")

func (j *failing) err() error {
	if broken := j.broken.Load(); broken != nil {
		return *broken
	}
	return nil
}

func (j *failing) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := j.err(); err != nil {
		return err
	}
	return j.Journal.Put(ctx, r, d)
}

func (j *failing) Get(ctx context.Context, id string) (journal.Row, error) {
	row, err := j.Journal.Get(ctx, id)
	return row, cmp.Or(j.err(), err)
}

func (j *failing) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	rows, err := j.Journal.ByKey(ctx, k)
	return rows, cmp.Or(j.err(), err)
}

func (j *failing) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	rows, err := j.Journal.Named(ctx, provider, names...)
	return rows, cmp.Or(j.err(), err)
}

func (j *failing) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	all, err := j.Journal.Count(ctx, f)
	return all, cmp.Or(j.err(), err)
}

func (j *failing) List(ctx context.Context, f journal.Filter, after journal.Cursor, limit int) ([]journal.Row, error) {
	rows, err := j.Journal.List(ctx, f, after, limit)
	return rows, cmp.Or(j.err(), err)
}

// A caller whose call fails with the journal is answered that it can be repeated, and not by whom and where the database is reached.
func TestCallersReadNothingOfTheJournal(t *testing.T) {
	for _, broken := range []error{errOfDatabase, fmt.Errorf("%w (%w)", errOfDatabase, context.DeadlineExceeded), fmt.Errorf("%w: %w", journal.ErrLost, errOfDatabase), fmt.Errorf("%w: %w", journal.ErrClosed, errOfDatabase)} {
		var log lockedBuffer
		j := &failing{Journal: journal.NewMemory()}
		a := newAPI(t, service.Options{Journal: j, Log: slog.New(slog.NewJSONHandler(&log, nil)), PerMerchant: 0.001, Burst: 1, Access: twoMerchants(t)})
		a.token = first
		step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
		flow := step["flow"].(string)
		j.broken.Store(&broken)
		for _, ask := range []struct{ token, method, path, body string }{
			{first, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1")},
			{first, "POST", "/v1/flows?wait_ms=0", start("caller-02", "k2")},
			{first, "GET", "/v1/flows/" + flow + "?wait_ms=0", ""},
			{first, "GET", "/v1/flows/f-other?wait_ms=0", ""},
			{tokenA, "GET", "/v1/flows/f-other?wait_ms=0", ""},
			{first, "POST", "/v1/flows/" + flow + "/withdraw?wait_ms=0", `{"why":"x"}`},
			{first, "POST", "/v1/flows/" + flow + "/reports?wait_ms=0", cancelled("caller-01", step)},
			{first, "POST", "/v1/webhooks", `{"provider":"momo","verified":true,"body":"{\"orderId\":\"o-2\",\"requestId\":\"r\",\"amount\":50000,\"resultCode\":0}"}`},
			{first, "GET", "/admin/flows", ""},
			{first, "GET", "/admin/", ""},
			{people, "GET", "/admin/flows/" + flow, ""},
			{first, "POST", "/admin/flows/" + flow + "/withdraw", `{"who":"all","why":"x"}`},
			{first, "GET", "/readyz", ""},
		} {
			if status, text := a.as(ask.token, ask.method, ask.path, ask.body); strings.Contains(text, "10.1.2.3") || strings.Contains(text, "payments") {
				t.Errorf("%s %s: %d %s", ask.method, ask.path, status, text)
			}
		}
		if !strings.Contains(log.String(), `"msg":"a call failed","error":"`) || !strings.Contains(log.String(), "10.1.2.3") {
			t.Errorf("the log does not say why: %s", log.String())
		}
		j.broken.Store(nil)
	}
}

// A database that does not answer is waited for, and the probe is answered nevertheless.
func TestProbesDoNotHangWithTheJournal(t *testing.T) {
	j := &unreadable{Journal: journal.NewMemory()}
	a := newAPI(t, service.Options{Journal: j, Access: twoMerchants(t)})
	j.hangs.Store(true)
	if status, text := a.as("", "GET", "/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, text)
	}
}
