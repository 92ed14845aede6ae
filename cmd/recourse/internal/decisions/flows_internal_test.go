package decisions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// moody answers as it likes.
type moody struct {
	mu     sync.Mutex
	random *rand.Rand
}

var errReset = errors.New("connection reset")

func (m *moody) answer(a *executor.Attempt) (executor.Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	amount := a.Payment.Amount
	switch n := m.random.IntN(12); n {
	case 0:
		return executor.Reply{}, context.DeadlineExceeded
	case 1:
		return executor.Reply{}, errReset
	case 2:
		return executor.Reply{}, fmt.Errorf("dial: %w", executor.ErrNotSent)
	case 3:
		return executor.Reply{HTTPStatus: 502, Body: []byte("<html>" + card)}, nil
	case 4:
		return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "1000", OrderID: a.OrderID}}, nil
	case 5:
		amount++
		fallthrough
	default:
		code := []int{0, 1000, 1003, 1006, 7002, 9000, 41, 42, 10, 98}[m.random.IntN(10)]
		return executor.Reply{HTTPStatus: 200, RetryAfter: time.Duration(n) * time.Second, Body: fmt.Appendf(nil, `{"orderId":%q,"requestId":%q,"amount":%d,"resultCode":%d,"transId":%d,"message":"a %s","cvv":"cvv-9Z"}`,
			a.OrderID, a.RequestID, amount, code, 4_000_000_000+n, card)}, nil
	}
}

func (m *moody) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.answer(a)
}
func (m *moody) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.answer(a)
}

// Each decision of a flow can be made again from its line, or the flow made it and not the rules.
func TestFlowsDecisionsCanBeMadeAgain(t *testing.T) {
	e := rulesOf(t)
	e.Digest()
	dir := t.TempDir()
	flows := testkit.Size(60, 300, 3000)
	var seen sync.Map
	synctest.Test(t, func(t *testing.T) {
		l := opened(t, dir, Options{})
		client := &moody{random: rand.New(rand.NewPCG(1, 2))}
		x, err := executor.New(e, &executor.Config{
			Clients: map[string]executor.Client{"momo": client},
			Observers: []executor.Observer{l.Flows(func(digest string) *ruleset.Engine {
				seen.Store(digest, true)
				return e
			})},
			OnEscalate: func(context.Context, *executor.Result) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range flows {
			wg.Go(func() {
				_, _ = x.Do(t.Context(), executor.Request{
					OrderID: fmt.Sprintf("o-%d", i),
					Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: fmt.Sprintf("k-%d", i), Amount: 120_000, Currency: "VND"},
				}, client)
			})
			if i%3 == 0 {
				wg.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					_ = x.Notify(t.Context(), executor.Webhook{Provider: "momo", Merchant: "acme", Verified: i%2 == 0, Body: fmt.Appendf(nil,
						`{"orderId":"o-%d","requestId":"o-%d","amount":120000,"resultCode":%d,"transId":9}`, i, i, []int{0, 1006, 9000}[i%3])})
				})
			}
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := x.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
	decided, ended, alone, own := 0, 0, 0, 0
	r := NewReader()
	for _, line := range texts(t, dir) {
		if bytes.Contains(line, []byte(card)) || bytes.Contains(line, []byte("cvv-9Z")) {
			t.Fatalf("a secret in %s", line)
		}
		if bytes.Contains(line, []byte(`"phase":"end"`)) {
			ended++
		}
		again, err := r.Again(e, line)
		switch {
		case errors.Is(err, ErrNone):
			alone++
		case err != nil:
			t.Fatalf("%v\n%s", err, line)
		case again.NotAgain == flowsOwn:
			own++
		case again.NotAgain != "" || !again.Same:
			t.Errorf("%s\nwas %s\nis  %s", line, again.Was, again.Is)
		default:
			decided++
			wantChangesFound(t, r, e, line)
		}
	}
	t.Logf("%d flows ended, %d decisions made again, %d of the flow itself, %d lines without", ended, decided, own, alone)
	if ended < flows || decided < 2*flows || own*5 > decided {
		t.Errorf("%d flows ended, %d decisions made again, %d of the flow itself, %d lines without", ended, decided, own, alone)
	}
}

// wantChangesFound changes the action of a flow's decision in its line.
func wantChangesFound(t *testing.T, r *Reader, e *ruleset.Engine, line []byte) {
	t.Helper()
	_, rest, _ := bytes.Cut(line, []byte(`"decided":{"action":"`))
	was, _, _ := bytes.Cut(rest, []byte(`"`))
	for _, to := range []string{"mark_succeeded", "mark_failed", "retry_new_order"} {
		if string(was) == to || bytes.Contains(rest, []byte(`"limit":"`)) || !bytes.Contains(rest, []byte(`"interlock":null`)) {
			continue
		}
		changed := bytes.Replace(line, fmt.Appendf(nil, `"decided":{"action":"%s"`, was), fmt.Appendf(nil, `"decided":{"action":"%s"`, to), 1)
		if again, err := r.Again(e, changed); err == nil && again.Same {
			t.Fatalf("%s is the same as %s: %s", to, was, changed)
		}
	}
}
