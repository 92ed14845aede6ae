package service_test

import (
	"context"
	"errors"
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

// A database that does not answer is waited for, and the probe is answered nevertheless.
func TestProbesDoNotHangWithTheJournal(t *testing.T) {
	j := &unreadable{Journal: journal.NewMemory()}
	a := newAPI(t, service.Options{Journal: j, Access: twoMerchants(t)})
	j.hangs.Store(true)
	if status, text := a.as("", "GET", "/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, text)
	}
}
