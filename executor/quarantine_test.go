package executor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// A row that cannot be read stops neither Resume nor the sweeper for the others. It stays as it is, is
// reported every hour, and its payment key is refused.
func TestARowThatCannotBeReadStandsAlone(t *testing.T) {
	for name, harm := range map[string]func(*journal.Row){
		"a bit turned over": func(r *journal.Row) {
			r.State = bytes.Replace(r.State, []byte(`"amount":120000`), []byte(`"amount":120001`), 1)
		},
		"cut short":           func(r *journal.Row) { r.State = r.State[:len(r.State)/2] },
		"of a newer release":  func(r *journal.Row) { r.State = bytes.Replace(r.State, []byte(`"v":4`), []byte(`"v":9`), 1) },
		"another key's state": func(r *journal.Row) { r.Key.Payment = "k0" },
		"damaged":             func(r *journal.Row) { r.Damaged = errors.New("a column is gone") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := &harmed{spy: newSpy(), harm: harm}
				before := &bank{sends: []reply{silence}, asks: []reply{working}}
				x := open(t, defaults(), executor.Config{Journal: j})
				var bad string
				for i := range 20 {
					h := begin(t, x, payment(fmt.Sprint("k", i)), before)
					if i == 7 {
						bad = h.Flow()
					}
				}
				time.Sleep(time.Second)
				_ = shutDown(x)
				j.id = bad

				var mu sync.Mutex
				said := 0
				after := &bank{sends: []reply{paidNow}, asks: []reply{paidAsk}}
				y := open(t, defaults(), executor.Config{
					Journal: j, Clients: map[string]executor.Client{"momo": after}, Sweep: time.Minute,
					OnError: func(err error) {
						mu.Lock()
						defer mu.Unlock()
						if strings.Contains(err.Error(), bad) {
							said++
						}
					},
				})
				n, err := y.Resume(context.Background())
				if n != 19 || err == nil || !strings.Contains(err.Error(), bad) || strings.Count(err.Error(), "\n") != 0 {
					t.Errorf("%d flows go on: %v", n, err)
				}
				time.Sleep(40 * time.Hour)
				after.wantCalls(t, 0, 19)
				for i := range 20 {
					r, err := y.Do(within(t, time.Hour), payment(fmt.Sprint("k", i)), after)
					if wrong := i == 7; wrong != (err != nil) || !wrong && r.Outcome != policy.Succeeded {
						t.Errorf("payment %d: %v", i, err)
					}
				}
				after.wantCalls(t, 0, 19)
				if said < 30 || said > 41 { // every hour
					t.Errorf("reported %d times", said)
				}
			})
		})
	}
}

// harmed is a journal of which one row went bad.
type harmed struct {
	*spy
	id   string
	harm func(*journal.Row)
}

func (h *harmed) spoil(all []journal.Row, err error) ([]journal.Row, error) {
	for i := range all {
		if all[i].ID == h.id {
			h.harm(&all[i])
		}
	}
	return all, err
}

func (h *harmed) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	return h.spoil(h.spy.Due(ctx, by, after, limit))
}

func (h *harmed) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	return h.spoil(h.spy.ByKey(ctx, k))
}

func (h *harmed) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	return h.spoil(h.spy.Named(ctx, provider, names...))
}
