package executor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// Two executors of one process have one journal. The second serves a payment key from its first row to its end between the
// moment that the first has looked and the moment that it writes: it must be the first row that finds it, since no look does.
func TestTwoExecutorsOnOneJournalServeAKeyOnce(t *testing.T) {
	for name, start := range map[string]bool{"Do": false, "Start": true} {
		for said, answer := range map[string]reply{"paid": paidNow, "failed": refused, "in doubt": silence} {
			t.Run(name+" "+said, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					s := newSpy()
					first, second := &bank{sends: []reply{answer}, asks: []reply{working}}, &bank{sends: []reply{answer}, asks: []reply{working}}
					y := open(t, defaults(), executor.Config{Journal: s.beside()})
					var other *executor.Result
					s.before = func(p *put) error {
						if p.Version == 1 && other == nil {
							other = carry(t, y, payment("k"), second)
						}
						return nil
					}
					x := open(t, defaults(), executor.Config{Journal: s})
					var r *executor.Result
					var err error
					if start {
						var h *executor.Handle
						if h, err = x.Start(context.Background(), payment("k"), first); err == nil {
							r, err = h.Wait(within(t, 48*time.Hour))
						}
					} else {
						r, err = x.Do(context.Background(), payment("k"), first)
					}
					if sends, _ := first.calls(); sends != 0 {
						t.Errorf("the first executor sent too: %v, %v", ended(r), err)
					}
					if said == "in doubt" {
						if doubt := (*executor.DoubtError)(nil); !errors.As(err, &doubt) || doubt.Flow != other.Flow {
							t.Errorf("the error is %v", err)
						}
						return
					}
					if err != nil || r.Flow != other.Flow || r.Outcome != other.Outcome || r.Repeated != (r.Outcome == policy.Succeeded) {
						t.Errorf("%s, %v; want the result of %s", ended(r), err, other.Flow)
					}
				})
			})
		}
	}
}
