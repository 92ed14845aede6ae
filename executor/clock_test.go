package executor_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// steps is a wall clock that a test sets.
type steps struct {
	mu  sync.Mutex
	off time.Duration
}

func (s *steps) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.off)
}

func (s *steps) by(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off += d
}

// remembering is a merchant whose provider dedupes for an hour, and says after 40 minutes that a request
// it does not find never came.
const remembering = `
[contract]
dedupe          = ["request_id"]
dedupe_window   = "1h"
replay          = "first_result"
arrival_grace   = "1m"
not_found_after = "40m"

[[rule]]
id     = "gone"
when   = 'class == "not_found" && effect == "not_executed" && !in_doubt'
then   = "retry_new_request"
reason = "it never came"

[[rule]]
id       = "once-more"
when     = 'class == "not_found" && effect == "unknown" && attempt < 3'
then     = "retry_same_request"
schedule = "slow"
reason   = "the provider remembers it"

[schedule.slow]
intervals = ["20m"]
`

// The wall clock is stepped while a request is in doubt. Forward it proves no absence: nothing is sent under a
// new identity before the time has really passed. Back it makes no window last longer.
func TestAStepOfTheWallClockProvesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		step    time.Duration
		restart bool
		from    time.Duration // no new identity is sent before
		until   time.Duration // the same identity is not sent again from then on
	}{
		"forward":               {step: 2 * time.Hour, from: 40 * time.Minute, until: time.Hour},
		"back":                  {step: -2 * time.Hour, from: 40 * time.Minute, until: time.Hour},
		"far back":              {step: -6 * time.Hour, from: 40 * time.Minute, until: time.Hour},
		"back, and a restart":   {step: -2 * time.Hour, restart: true, from: 40 * time.Minute, until: time.Hour},
		"forward, no next send": {step: 90 * time.Minute, from: 40 * time.Minute, until: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j, w := newSpy(), new(steps)
				b := &bank{sends: []reply{silence, silence, silence, paidNow}, asks: []reply{missing}}
				var mu sync.Mutex
				var said []string
				config := executor.Config{
					Journal: j, WallClock: w.now, Clients: map[string]executor.Client{"momo": b},
					OnError: func(err error) { mu.Lock(); said = append(said, err.Error()); mu.Unlock() },
				}
				rules := rulesOf(t, map[string]string{"merchants/acme.toml": remembering})
				x := open(t, rules, config)
				start := time.Now()
				begin(t, x, of("acme", payment("k")), b)
				time.Sleep(31 * time.Second)
				if tt.restart {
					_ = shutDown(x)
					time.Sleep(time.Minute)
				}
				w.by(tt.step)
				if tt.restart {
					config.Journal = j.beside()
					y := open(t, rules, config)
					if n, err := y.Resume(context.Background()); n != 1 || err != nil {
						t.Fatal(n, err)
					}
				}
				time.Sleep(50 * time.Hour)
				all := rows(t, j, keyOf(of("acme", payment("k"))))
				if s := decodeState(t, &all[0]); s.Outcome == policy.Open {
					t.Errorf("it is still %s, next %+v", s.Stage, s.Next)
				}
				first := b.sent[0].RequestID
				for _, c := range b.sent[1:] {
					after := c.at.Sub(start)
					if c.RequestID != first && after < tt.from {
						t.Errorf("S1: a new identity was sent after %s", after)
					}
					if c.RequestID == first && after > tt.until-time.Minute-30*time.Second {
						t.Errorf("S1: the same identity was sent again after %s", after)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				if !strings.Contains(strings.Join(said, "\n"), "the wall clock is") {
					t.Errorf("no alert of the step: %q", said)
				}
			})
		})
	}
}

// Waits go on whatever the wall clock does, and a call that was decided is made.
func TestWaitsAndCallsGoOnBesideAStep(t *testing.T) {
	for name, step := range map[string]time.Duration{"forward": 2 * time.Hour, "back": -6 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := new(steps)
				x := open(t, defaults(), executor.Config{Journal: newSpy(), WallClock: w.now})
				b := &bank{sends: []reply{shut, shut, paidNow}}
				h := begin(t, x, payment("k"), b)
				time.Sleep(time.Second)
				w.by(step)
				wantOutcome(t, end(t, h, 10*time.Minute), policy.Succeeded)
				w.by(step)
				wantOutcome(t, carry(t, x, payment("l"), b), policy.Succeeded)
			})
		})
	}
}
