package executor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// script is what happens to one payment: how the provider takes each request, and what its
// merchant's processes do meanwhile.
type script struct {
	fates []fate
	steps []step
}

type step struct {
	what  string
	after time.Duration
	n     int
	fresh bool
}

func scripts(t *rapid.T) script {
	spans := rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, time.Minute, 10 * time.Minute, 2 * time.Hour})
	var s script
	for range rapid.IntRange(0, 4).Draw(t, "fates") {
		var f fate
		switch rapid.SampledFrom([]string{"executes", "shut", "broke", "refused", "lost"}).Draw(t, "fate") {
		case "executes":
			f.executes = true
		case "shut":
			f.shut = true
		case "broke":
			f.broke = true
		case "refused":
			f.refused = true
		case "lost":
			f.lost = true
		}
		f.mute = rapid.Bool().Draw(t, "mute")
		if !f.shut {
			f.takes = spans.Draw(t, "takes")
		}
		if f.executes || f.refused {
			f.hooks = rapid.IntRange(0, 3).Draw(t, "hooks")
		}
		s.fates = append(s.fates, f)
	}
	for range rapid.IntRange(1, 8).Draw(t, "steps") {
		s.steps = append(s.steps, step{
			rapid.SampledFrom([]string{"do", "do", "do", "start", "cancel", "crash", "crash at put", "crash at call", "deaf", "hint", "withdraw", "journal fails", "wait"}).Draw(t, "what"),
			spans.Draw(t, "after"), rapid.IntRange(1, 5).Draw(t, "n"), rapid.Bool().Draw(t, "fresh"),
		})
	}
	return s
}

// Whatever the provider does within its word, and whatever becomes of the processes: the money
// moves once at most, and what the flow says is true.
func TestWhateverHappens(t *testing.T) {
	rules := rulesOf(t, map[string]string{"merchants/acme.toml": careless + newOrderRule})
	rapid.Check(t, func(rt *rapid.T) {
		s := scripts(rt)
		var failed error
		synctest.Test(t, func(t *testing.T) {
			l := &life{t: t, rules: rules, shared: newSpy(), till: &till{fates: s.fates}}
			failed = l.live(s)
		})
		if failed != nil {
			rt.Fatalf("%v\n%+v", failed, s)
		}
	})
}

// life is the merchant's side of a script.
type life struct {
	t           *testing.T
	rules       executor.Rules
	shared      *spy
	till        *till
	p           *process
	escalations int64
	tries       int
}

func (l *life) live(s script) error {
	l.p = birth(l.t, l.rules, l.shared, l.till, when{})
	for _, step := range s.steps {
		l.take(step)
		time.Sleep(step.after)
		synctest.Wait()
	}
	l.next(when{})
	time.Sleep(28 * time.Hour)
	l.next(when{}) // notices that are still due are delivered now
	time.Sleep(28 * time.Hour)
	l.p.bury(l.t)
	l.escalations += l.p.reported.Load()
	return l.check()
}

// next lets one process end, and another one begin.
func (l *life) next(at when) {
	l.p.bury(l.t)
	l.escalations += l.p.reported.Load()
	l.p = birth(l.t, l.rules, l.shared, l.till, at)
	_, _ = l.p.x.Resume(context.Background())
}

func (l *life) take(s step) {
	q := of("acme", payment("k"))
	if l.tries++; s.fresh { // a try with names of its own
		q.OrderID, q.RequestID = fmt.Sprint("o-", l.tries), fmt.Sprint("r-", l.tries)
	}
	switch s.what {
	case "do", "cancel", "deaf":
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour)
		if s.what == "cancel" {
			ctx, cancel = context.WithTimeout(context.Background(), s.after/time.Duration(s.n))
		}
		x := l.p.x
		go func() {
			defer cancel()
			_, _ = x.Do(ctx, q, l.till)
		}()
	case "start":
		_, _ = l.p.x.Start(context.Background(), q, l.till)
	case "crash":
		l.p.die()
		time.Sleep(time.Second)
		l.next(when{})
	case "crash at put":
		l.next(when{"after put", s.n})
	case "crash at call":
		l.next(when{"after call", s.n})
	case "hint":
		_ = l.p.x.Notify(context.Background(), hook(fmt.Sprint("o-", s.n), "0", false))
	case "withdraw":
		if h, err := l.p.x.Start(context.Background(), q, l.till); err == nil {
			_ = h.Withdraw("not wanted")
		}
	case "journal fails":
		if !l.p.dead.Load() {
			j := l.p.j
			j.kill(true)
			time.AfterFunc(time.Duration(s.n)*time.Minute, func() { j.kill(false) })
		}
	}
}

// check holds the journal to the ledger.
func (l *life) check() error {
	paid := l.till.executions()
	if paid > 1 {
		return fmt.Errorf("S1: %d executions: %+v", paid, l.till.calls())
	}
	succeeded, doubts := 0, 0
	all, err := l.shared.ByKey(context.Background(), keyOf(of("acme", payment("k"))))
	if err != nil {
		return err
	}
	for i := range all {
		s := decodeState(l.t, &all[i])
		switch {
		case s.Stage != flow.Ended:
			return fmt.Errorf("S4: flow %d is %s, next %+v", i, s.Stage, s.Next)
		case s.Outcome == policy.Succeeded:
			succeeded++
		case s.Outcome == policy.Escalated:
			doubts++
		}
	}
	switch {
	case succeeded > 0 && paid == 0:
		return errors.New("S3: succeeded, and not paid")
	case paid > 0 && succeeded == 0 && doubts == 0:
		return errors.New("S2: paid, and all of them failed")
	case doubts > 0 && l.escalations == 0:
		return errors.New("escalated, and OnEscalate was not called")
	case len(all) > 0 && sends(l.till.calls()) > attempts(l.t, all):
		return fmt.Errorf("%d sends arrived, of %d that are written down", sends(l.till.calls()), attempts(l.t, all))
	}
	return nil
}

func sends(log []logged) (n int) {
	for _, c := range log {
		if c.send {
			n++
		}
	}
	return n
}

func attempts(t *testing.T, all []journal.Row) (n int) {
	for i := range all {
		n += decodeState(t, &all[i]).Attempts
	}
	return n
}
