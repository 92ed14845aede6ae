package executor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
)

// What a journal says of its database is for the log: no answer to a person or a tool repeats it, and nothing on the trail.
func TestAdminKeepsTheJournalsErrorsToTheLog(t *testing.T) {
	const secret = "user=payments host=10.1.2.3"
	for name, broken := range map[string]error{
		"fails":      errors.New("failed to connect to `" + secret + "`"),
		"too late":   fmt.Errorf("failed to connect to `%s`: %w", secret, errDeadline{}),
		"lost":       fmt.Errorf("%w: process 7 of %s", journal.ErrLost, secret),
		"closed":     fmt.Errorf("%w: %s", journal.ErrClosed, secret),
		"taken over": fmt.Errorf("%w: %s", journal.ErrConflict, secret),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var mu sync.Mutex
				var logged []string
				j := newSpy()
				x := open(t, defaults(), executor.Config{Journal: unlisted{j}, OnError: func(err error) {
					mu.Lock()
					defer mu.Unlock()
					logged = append(logged, err.Error())
				}})
				admin := x.AdminHandler()
				_, path := inDoubt(t, x, "k")
				knocksAtAll := func() {
					for _, ask := range []string{"GET /flows", "GET " + path, "GET /counts", "GET /audit", "GET /export", "GET /", "GET /flow?id=" + path[len("/flows/"):], "GET /trail", "GET /flows/f-unknown",
						"POST " + path + "/resolve " + sayNotExecuted("k", ""), "POST " + path + `/withdraw {"who":"ann","why":"y"}`, `POST /prune {"older_than":"24h","who":"ann","why":"y"}`,
						"POST " + path + `/confirm {"who":"bob","why":"y","proposal":"p"}`} {
						method, rest, _ := strings.Cut(ask, " ")
						at, body, _ := strings.Cut(rest, " ")
						r := httptest.NewRequest(method, at, strings.NewReader(body))
						r.Header.Set("Content-Type", "application/json")
						w := httptest.NewRecorder()
						admin.ServeHTTP(w, r)
						if strings.Contains(w.Body.String(), "10.1.2.3") {
							t.Errorf("%s: %d %s", ask, w.Code, w.Body)
						}
					}
				}
				breaks := func(reads func(string) error, writes func(*put) error) {
					j.mu.Lock()
					j.reads, j.before = reads, writes
					j.mu.Unlock()
					knocksAtAll()
				}
				breaks(func(string) error { return broken }, nil)
				breaks(nil, func(*put) error { return broken })
				breaks(nil, func(p *put) error {
					if p.Standing == "audit" && p.Version == 1 { // and not how it went
						return nil
					}
					return broken
				})
				breaks(nil, func(p *put) error {
					if p.Standing == "audit" {
						return nil
					}
					return broken
				})
				breaks(nil, nil) // what stands on the trail
				mu.Lock()
				defer mu.Unlock()
				if !strings.Contains(strings.Join(logged, "\n"), secret) {
					t.Errorf("the log does not say why: %q", logged)
				}
			})
		})
	}
}

// unlisted fails also where flows are listed and counted.
type unlisted struct{ *spy }

func (u unlisted) List(ctx context.Context, f journal.Filter, after journal.Cursor, limit int) ([]journal.Row, error) {
	if err := u.read("List"); err != nil {
		return nil, err
	}
	return u.spy.List(ctx, f, after, limit)
}

func (u unlisted) Count(ctx context.Context, f journal.Filter) ([]journal.Tally, error) {
	if err := u.read("Count"); err != nil {
		return nil, err
	}
	return u.spy.Count(ctx, f)
}

func (u unlisted) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	if err := u.read("Named"); err != nil {
		return nil, err
	}
	return u.spy.Named(ctx, provider, names...)
}

type errDeadline struct{}

func (errDeadline) Error() string        { return "timeout" }
func (errDeadline) Is(target error) bool { return target.Error() == "context deadline exceeded" }
