package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// guarded turns the guard on.
var guarded = executor.Duplicates{Within: 10 * time.Minute, Tag: "customer"}

// by is a payment of a customer.
func by(customer string, q executor.Request) executor.Request {
	q.Tags = map[string]string{"customer": customer}
	return q
}

func withAmount(amount int64, q executor.Request) executor.Request {
	q.Amount = amount
	return q
}

// A payment that is like one of the last while is refused before anything is sent, whatever became of that,
// unless it is known to have executed nothing. It is the same in the next process.
func TestDuplicatesAreRefused(t *testing.T) {
	momo := func(key string) executor.Request { return by("c-1", payment(key)) }
	confirmed := momo("b")
	for name, tt := range map[string]struct {
		second  executor.Request
		replies []reply // to the first
		after   time.Duration
		free    bool
		off     bool
	}{
		"open":                    {second: momo("b"), replies: []reply{working}},
		"in doubt":                {second: momo("b"), replies: []reply{silence}},
		"paid":                    {second: momo("b"), replies: []reply{paidNow}},
		"paid nine minutes ago":   {second: momo("b"), replies: []reply{paidNow}, after: 9 * time.Minute},
		"paid, at its checkout":   {second: operation(policy.Checkout, momo("b")), replies: []reply{paidNow}},
		"paid, another provider":  {second: at("shopline", "VND", momo("b")), replies: []reply{paidNow}},
		"paid long ago":           {second: momo("b"), replies: []reply{paidNow}, after: 11 * time.Minute, free: true},
		"failed":                  {second: momo("b"), replies: []reply{refused}, free: true},
		"another customer":        {second: by("c-2", payment("b")), replies: []reply{paidNow}, free: true},
		"no customer":             {second: payment("b"), replies: []reply{paidNow}, free: true},
		"another amount":          {second: withAmount(120_001, momo("b")), replies: []reply{paidNow}, free: true},
		"another merchant":        {second: of("x", momo("b")), replies: []reply{paidNow}, free: true},
		"a payout":                {second: operation(policy.Payout, momo("b")), replies: []reply{paidNow}, free: true},
		"confirmed":               {second: confirmed, replies: []reply{paidNow}, free: true},
		"off, as it is from home": {second: momo("b"), replies: []reply{paidNow}, free: true, off: true},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restart %v", name, restart), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					j, clients := newSpy(), map[string]executor.Client{"momo": &bank{}}
					c := executor.Config{Journal: j, Duplicate: guarded, Clients: clients}
					if tt.off {
						c.Duplicate = executor.Duplicates{}
					}
					x := open(t, defaults(), c)
					first := begin(t, x, momo("a"), &bank{sends: tt.replies, asks: []reply{working}})
					time.Sleep(time.Second + tt.after)
					if restart {
						_ = shutDown(x)
						c.Journal = j.beside()
						x = open(t, defaults(), c)
					}
					q := tt.second
					if name == "confirmed" {
						q.Distinct = []string{first.Flow()}
					}
					b := &bank{sends: []reply{paidNow}}
					_, err := x.Do(within(t, time.Second), q, b)
					if tt.free {
						if sends, _ := b.calls(); sends != 1 {
							t.Errorf("%d sends: %v", sends, err)
						}
						return
					}
					d := wantError[*executor.DuplicateError](t, err)
					if d.Flow != first.Flow() || d.Key != "a" || d.Age != time.Second+tt.after || d.Open == (name[:4] == "paid") {
						t.Errorf("%+v, %v", d, err)
					}
					b.wantCalls(t, 0, 0)
				})
			})
		}
	}
}

// Many who pay one cart under keys of their own, at once: one is sent.
func TestManyAlikeAtOnceSendOne(t *testing.T) {
	for name, config := range journals {
		for _, hold := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/hold %v", name, hold), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := &bank{sends: []reply{{after: time.Second, answer: policy.Answer{Code: "0"}}}}
					c := config()
					c.Duplicate = guarded
					c.Duplicate.Hold = hold && c.Journal != nil // without one, what has ended is not known
					x := open(t, defaults(), c)
					var all sync.WaitGroup
					var refusals atomic.Int32
					ctx := within(t, time.Minute)
					for i := range 50 {
						all.Go(func() {
							q := by("c-1", payment(fmt.Sprint("k-", i)))
							var err error
							if i%2 == 0 {
								_, err = x.Do(ctx, q, b)
							} else {
								_, err = x.Start(ctx, q, b)
							}
							if d := (*executor.DuplicateError)(nil); errors.As(err, &d) {
								refusals.Add(1)
							}
						})
					}
					all.Wait()
					time.Sleep(time.Second)
					b.wantCalls(t, 1, 0)
					if n := refusals.Load(); n != 49 {
						t.Errorf("%d were refused", n)
					}
				})
			})
		}
	}
}

// A held payment goes on when the other one has failed, and is refused when it was paid, or when the caller
// cannot wait any longer.
func TestHeldDuplicates(t *testing.T) {
	for name, tt := range map[string]struct {
		first reply
		sends int
	}{
		"the other fails":     {reply{after: 5 * time.Second, answer: policy.Answer{Code: "1001"}}, 1},
		"the other is paid":   {reply{after: 5 * time.Second, answer: policy.Answer{Code: "0"}}, 0},
		"the other stays so":  {silence, 0},
		"the executor closes": {silence, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := executor.Config{Journal: newSpy(), Duplicate: guarded}
				c.Duplicate.Hold = true
				x := open(t, defaults(), c)
				begin(t, x, by("c-1", payment("a")), &bank{sends: []reply{tt.first}, asks: []reply{working}})
				if strings.Contains(name, "closes") {
					time.AfterFunc(time.Second, func() { _ = shutDown(x) })
				}
				b, begun := &bank{sends: []reply{paidNow}}, time.Now()
				_, err := x.Do(within(t, 30*time.Second), by("c-1", payment("b")), b)
				b.wantCalls(t, tt.sends, 0)
				if tt.sends == 0 {
					wantError[*executor.DuplicateError](t, err)
				} else if err != nil {
					t.Error(err)
				}
				if d := time.Since(begun); d > 31*time.Second || d < time.Second {
					t.Errorf("it took %s", d)
				}
			})
		})
	}
}

func TestDuplicatesAreConfiguredWhole(t *testing.T) {
	for want, d := range map[string]executor.Duplicates{
		"Within is 0s":   {Tag: "customer"},
		"Within is 49h":  {Tag: "customer", Within: 49 * time.Hour},
		"Within is -1s":  {Tag: "customer", Within: -time.Second},
		"Tag must name":  {Within: time.Minute},
		"Within is 0s; ": {Hold: true},
	} {
		if _, err := executor.New(defaults(), &executor.Config{Duplicate: d}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", d, err, want)
		}
	}
	if _, err := executor.New(defaults(), &executor.Config{}); err != nil {
		t.Error(err)
	}
}

// A journal that cannot say whether there is a duplicate lets nothing be sent.
func TestDuplicatesNeedTheJournal(t *testing.T) {
	j := newSpy()
	x := open(t, defaults(), executor.Config{Journal: j, Duplicate: guarded})
	j.kill(true)
	b := &bank{sends: []reply{paidNow}}
	if _, err := x.Do(context.Background(), by("c-1", payment("b")), b); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
	b.wantCalls(t, 0, 0)
}
