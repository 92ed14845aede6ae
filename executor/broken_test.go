package executor_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// faulty is the foreign code of an executor. From a moment on one part of it panics each time.
type faulty struct {
	part  string
	since atomic.Bool
}

func (b *faulty) at(part string) {
	if b.since.Load() && b.part == part {
		panic("a bug in " + part)
	}
}

type brokenRules struct {
	*engine.Engine
	*faulty
}

func (b brokenRules) For(*policy.Payment) (policy.Decider, error) {
	b.at("Rules.For")
	return b, nil
}

func (b brokenRules) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	b.at("Rules.Judge")
	return b.Engine.Judge(p, a)
}

func (b brokenRules) Decide(s *policy.Situation) policy.Decision {
	b.at("Rules.Decide")
	return b.Engine.Decide(s)
}

func (b brokenRules) Terms(p *policy.Payment) *policy.Terms {
	b.at("Rules.Terms")
	return b.Engine.Terms(p)
}

func (b brokenRules) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	b.at("Rules.Read")
	return b.Engine.Read(p, ph, m)
}

func (b brokenRules) Set() string {
	b.at("Rules.Set")
	return "1"
}

// nilError is an error that is a nil pointer: each of its methods panics.
type nilError struct{ text string }

func (n *nilError) Error() string   { return n.text }
func (n *nilError) Timeout() bool   { return n.text != "" }
func (n *nilError) Temporary() bool { return n.text != "" }

// noCause is another one.
type noCause struct{ cause error }

func (n *noCause) Error() string { return n.cause.Error() }
func (n *noCause) Unwrap() error { return n.cause }

// brokenBank is a client whose provider answers in bodies.
type brokenBank struct {
	*faulty
	*bank
}

func (b brokenBank) answer(r executor.Reply, err error) (executor.Reply, error) {
	b.at("its client")
	if b.since.Load() && b.part == "an error" {
		return r, (*nilError)(nil)
	}
	if r.Answer != nil {
		r.Body, r.Answer = []byte(`{"partnerCode":"X","orderId":"o-k","requestId":"r-k","amount":120000,"resultCode":`+r.Answer.Code+`}`), nil
	}
	return r, err
}

func (b brokenBank) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(b.bank.Send(ctx, a))
}

func (b brokenBank) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return b.answer(b.bank.Query(ctx, a))
}

type brokenJournal struct {
	journal.Journal
	b *faulty
}

func (b brokenJournal) look() (err error) {
	b.b.at("the journal")
	if b.b.since.Load() && b.b.part == "an error of the journal" {
		return (*noCause)(nil)
	}
	return nil
}

func (b brokenJournal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if err := b.look(); err != nil {
		return err
	}
	return b.Journal.Put(ctx, r, d)
}

func (b brokenJournal) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	if err := b.look(); err != nil {
		return nil, err
	}
	return b.Journal.ByKey(ctx, k)
}

func (b brokenJournal) Get(ctx context.Context, id string) (journal.Row, error) {
	if err := b.look(); err != nil {
		return journal.Row{}, err
	}
	return b.Journal.Get(ctx, id)
}

func (b brokenJournal) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	if err := b.look(); err != nil {
		return nil, err
	}
	return b.Journal.Due(ctx, by, after, limit)
}

func (b brokenJournal) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	if err := b.look(); err != nil {
		return nil, err
	}
	return b.Journal.Named(ctx, provider, names...)
}

// config is an executor of which any part may break.
func (b *faulty) config(j journal.Journal, reported *panics, c executor.Client) executor.Config {
	return executor.Config{
		Sweep: 10 * time.Minute, Journal: brokenJournal{j, b}, Clients: map[string]executor.Client{"momo": c},
		Observers:    []executor.Observer{&buggy{}},
		NewRequestID: func(*policy.Payment) string { b.at("NewRequestID"); return "" },
		NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			b.at("NewOrder")
			return "", nil
		},
		OnEscalate:    func(context.Context, *executor.Result) error { b.at("OnEscalate"); return nil },
		OnError:       func(err error) { reported.record(err); b.at("OnError") },
		VerifyWebhook: func(context.Context, *executor.Webhook) error { b.at("VerifyWebhook"); return nil },
		Jitter:        func() float64 { b.at("Config.Jitter"); return 0.5 },
		WallClock:     func() time.Time { b.at("Config.WallClock"); return time.Now() },
	}
}

// Whatever the caller brings may panic, at any moment and each time: the process goes on, what is in doubt is not sent again, and rules that
// panic leave the flow to a person.
func TestForeignCodeThatAlwaysPanicsEndsNoProcess(t *testing.T) {
	phases := []string{"answer", "resume", "hung call", "start", "wait", "webhook"}[:testkit.Size(2, 6, 6)]
	mustReport := map[string]bool{"Rules.Judge": true, "Rules.Decide": true, "Rules.Terms": true, "Config.Jitter": true, "Config.WallClock": true}
	for _, part := range []string{
		"Rules.For", "Rules.Judge", "Rules.Decide", "Rules.Terms", "Rules.Read", "Rules.Set", "Config.Jitter", "Config.WallClock", "its client", "an error",
		"the journal", "an error of the journal", "NewRequestID", "NewOrder", "OnEscalate", "OnError", "VerifyWebhook",
	} {
		for _, phase := range phases {
			t.Run(part+" from "+phase, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b, reported, j := &faulty{part: part}, &panics{}, newSpy()
					first := working
					if phase == "hung call" {
						first = reply{after: 40 * time.Second, deaf: true, err: errBroken}
					}
					first.do = func(context.Context, *executor.Attempt) {
						if phase == "answer" || phase == "hung call" {
							b.since.Store(true)
						}
					}
					provider := &bank{sends: []reply{first, paidNow}, asks: []reply{working}}
					c := brokenBank{b, provider}
					x := open(t, brokenRules{defaults(), b}, b.config(j, reported, c))
					b.since.Store(phase == "start")
					_, err := x.Start(context.Background(), payment("k"), c)
					if err != nil && phase != "start" {
						t.Fatal(err)
					}
					synctest.Wait()
					switch phase {
					case "resume":
						if err := shutDown(x); err != nil {
							t.Fatal(err)
						}
						b.since.Store(true)
						x = open(t, brokenRules{defaults(), b}, b.config(j, reported, c))
						_, _ = x.Resume(context.Background())
					case "wait", "webhook":
						b.since.Store(true)
					}
					if phase == "webhook" {
						w := hookOf("k", "7000")
						w.Answer, w.Body = nil, []byte(`{"orderId":"o-k","requestId":"r-k","amount":120000,"resultCode":7000}`)
						_ = x.Notify(context.Background(), w)
					}
					if strings.HasSuffix(part, "the journal") { // each try to write is reported, with its stack
						time.Sleep(time.Hour)
					} else {
						time.Sleep(30 * time.Hour)
					}
					if sends, _ := provider.calls(); sends > 1 {
						t.Errorf("it was sent %d times", sends)
					}
					if mustReport[part] && reported.count(part) == 0 {
						t.Errorf("OnError got no panic of it: %v", reported.in)
					}
					if strings.HasPrefix(part, "Rules.") && err == nil {
						if row := rows(t, j, keyOf(payment("k")))[0]; row.Open {
							t.Errorf("after 30 hours the flow is open: %s", row.Standing)
						}
					}
					if err := shutDown(x); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
