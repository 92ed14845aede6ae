package executor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// crowd is a client that counts the calls under way at once.
type crowd struct {
	send, ask reply

	mu        sync.Mutex
	now, most map[string]int // by phase and merchant
	order     []string       // of the queries, by payment key
	made      int
}

func newCrowd(send, ask reply) *crowd {
	return &crowd{send: send, ask: ask, now: map[string]int{}, most: map[string]int{}}
}

func (c *crowd) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return c.call(ctx, a, "send "+a.Payment.Merchant, c.send)
}

func (c *crowd) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	c.mu.Lock()
	c.order = append(c.order, a.Payment.Key)
	c.mu.Unlock()
	return c.call(ctx, a, "query "+a.Payment.Merchant, c.ask)
}

func (c *crowd) call(ctx context.Context, a *executor.Attempt, which string, r reply) (executor.Reply, error) {
	c.mu.Lock()
	c.now[which]++
	c.made++
	c.most[which] = max(c.most[which], c.now[which])
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.now[which]--
		c.mu.Unlock()
	}()
	return (&bank{sends: []reply{r}}).Send(ctx, a)
}

func (c *crowd) atMost(t *testing.T, which string, most int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.most[which]; n == 0 || n > most {
		t.Errorf("%s: %d calls were under way at once, want 1 to %d", which, n, most)
	}
}

// A process starts anew after an outage. Its provider is asked for the flows, and people for their word, at a
// pace that they stand.
func TestResumeIsPaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := testkit.Size(60, 300, 10_000)
		j := newSpy()
		dead := open(t, defaults(), executor.Config{Journal: j, AtOnce: -1})
		for i := range n {
			begin(t, dead, of("acme", payment(fmt.Sprint(i))), newCrowd(silence, silence))
		}
		synctest.Wait()
		c := newCrowd(silence, reply{after: time.Second, answer: policy.Answer{Code: "0"}})
		var hooks, mostHooks, called atomic.Int64
		hook := func(context.Context, *executor.Result) error {
			now := hooks.Add(1)
			mostHooks.Store(max(mostHooks.Load(), now))
			time.Sleep(100 * time.Millisecond)
			hooks.Add(-1)
			called.Add(1)
			return nil
		}
		x := open(t, defaults(), executor.Config{Journal: j, AtOnce: 20, Clients: map[string]executor.Client{"momo": c}, OnEscalate: hook})
		c.ask.answer.Code = "99" // unknown: it escalates
		if got, err := x.Resume(context.Background()); got != n || err != nil {
			t.Fatalf("%d of %d flows continue; %v", got, n, err)
		}
		for range 20 * 24 {
			if time.Sleep(time.Hour); called.Load() == int64(n) {
				break
			}
		}
		c.atMost(t, "query acme", 20)
		if most := mostHooks.Load(); called.Load() != int64(n) || most == 0 || most > 16 {
			t.Errorf("%d escalations, want %d; %d at once", called.Load(), n, most)
		}
	})
}

// One merchant's host is dead: its calls hang until they time out, and more wait in line. Another merchant's
// payments do not notice, and the dead one's own queries have slots of their own.
func TestADeadHostHoldsNoOneElse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{AtOnce: 3})
		dead := newCrowd(silence, paidAsk)
		for i := range 12 {
			begin(t, x, of("dead", payment(fmt.Sprint(i))), dead)
		}
		synctest.Wait()
		dead.atMost(t, "send dead", 3)
		start := time.Now()
		wantOutcome(t, carry(t, x, of("acme", payment("k")), &bank{sends: []reply{paidNow}}), policy.Succeeded)
		if took := time.Since(start); took > time.Second {
			t.Errorf("another merchant's payment was held for %s", took)
		}
		time.Sleep(10 * time.Minute)
		dead.atMost(t, "send dead", 3)
		dead.atMost(t, "query dead", 3)
		if dead.made != 24 {
			t.Errorf("%d calls, want a send and a query of 12 flows", dead.made)
		}
	})
}

// Flows of which nothing is known are asked for before those that are known to be under way.
func TestDoubtsComeFirstInLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		dead := open(t, defaults(), executor.Config{Journal: j})
		for i := range 3 {
			begin(t, dead, of("acme", payment(fmt.Sprint("pending", i))), &bank{sends: []reply{working}})
		}
		begin(t, dead, of("acme", payment("doubt")), &bank{sends: []reply{{err: errors.New("reset")}}})
		synctest.Wait()
		if err := shutDown(dead); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute) // all are due by now, and the pending ones were first
		c := newCrowd(silence, reply{after: time.Second, answer: policy.Answer{Code: "0"}})
		x := open(t, defaults(), executor.Config{Journal: j, AtOnce: 1, Clients: map[string]executor.Client{"momo": c}})
		if n, err := x.Resume(context.Background()); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(time.Hour)
		synctest.Wait() // a sleep orders nothing for the race detector
		if at := slices.Index(c.order, "doubt"); at < 0 || at > 1 || len(c.order) != 4 {
			t.Errorf("the flows were asked for in the order %v", c.order)
		}
	})
}

// A caller whose context ends while it waits in line sent nothing; the error says why. One whose turn comes
// before is paid.
func TestACallerInLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{AtOnce: 1})
		slow := &bank{sends: []reply{{after: 20 * time.Second, answer: policy.Answer{Code: "0"}}}}
		first := begin(t, x, payment("first"), slow)
		synctest.Wait()
		b := &bank{sends: []reply{paidNow}}
		_, err := x.Do(within(t, 10*time.Second), payment("short"), b)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "Config.AtOnce") {
			t.Errorf("the error is %v", err)
		}
		b.wantCalls(t, 0, 0)
		start := time.Now()
		r, err := x.Do(within(t, time.Minute), payment("long"), b)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, r, policy.Succeeded)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it was woken after %s, want 10s: at once when the slot was free", took)
		}
		wantOutcome(t, end(t, first, time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 0)
	})
}
