package bench

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/avast/retry-go/v5"
	"github.com/cenkalti/backoff/v4"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	goretry "github.com/sethvargo/go-retry"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

var errRefused = errors.New("refused")

// provider is the client's work, the same for everybody: it refuses so many calls, and then
// one succeeds.
type provider struct {
	refusals   int
	calls      int
	paid, shut executor.Reply
}

func newProvider(refusals int) *provider {
	return &provider{
		refusals: refusals,
		paid:     executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0", OrderID: "o-1"}},
		shut:     executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "10", OrderID: "o-1"}}, // maintenance
	}
}

// Send implements [executor.Client].
func (p *provider) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	p.calls++
	if p.calls%(p.refusals+1) != 0 {
		return p.shut, nil
	}
	return p.paid, nil
}

// Query implements [executor.Client]. Nothing here is ever in doubt.
func (p *provider) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, errors.New("nobody asks")
}

// call is Send as the other libraries want it: what is no success is an error.
func (p *provider) call() error {
	r, err := p.Send(context.Background(), nil)
	if err == nil && r.Answer.Code != "0" {
		err = errRefused
	}
	return err
}

// contestant makes one payment, with two retries at most and no delay.
type contestant struct {
	name string
	pay  func() error
}

const retries = 2

func contestants(tb testing.TB, p *provider) []contestant {
	ctx := context.Background()
	all := []contestant{{"bare call", func() error {
		err := p.call()
		for n := 0; err != nil && n < retries; n++ {
			err = p.call()
		}
		return err
	}}}
	add := func(name string, pay func() error) { all = append(all, contestant{name, pay}) }

	add("backoff v4, zero", func() error { return backoff.Retry(p.call, &backoff.ZeroBackOff{}) })
	add("backoff v4, exponential + max + context", func() error { // has state, so every payment needs its own
		b := backoff.NewExponentialBackOff(backoff.WithInitialInterval(1), backoff.WithMaxInterval(1))
		return backoff.Retry(p.call, backoff.WithContext(backoff.WithMaxRetries(b, retries), ctx))
	})

	policy := retrypolicy.NewBuilder[any]().WithMaxRetries(retries).Build()
	retrying := failsafe.With[any](policy)
	add("failsafe-go, retry", func() error { return retrying.Run(p.call) })
	breaker := circuitbreaker.NewBuilder[any]().WithFailureThreshold(5).Build()
	guarded := failsafe.With[any](policy, breaker)
	add("failsafe-go, retry + breaker", func() error { return guarded.Run(p.call) })

	add("sethvargo/go-retry", func() error {
		return goretry.Do(ctx, goretry.WithMaxRetries(retries, goretry.NewConstant(1)), func(context.Context) error {
			return goretry.RetryableError(p.call())
		})
	})
	avast := retry.New(retry.Attempts(retries+1), retry.Delay(0), retry.DelayType(retry.FixedDelay))
	add("avast/retry-go v5", func() error { return avast.Do(p.call) })

	return append(all, recourse(tb, p)...)
}

// recourse does in the same call what the others do not. The answer is read by the provider's
// catalogue for what it proves; the merchant's rules decide; the interlock checks that every
// identity sent so far is known not to have executed; a retry goes out under a request id of its
// own, paid for by the budget and let through by the breaker; the result holds the evidence and
// the trace. It has no journal here: for that see BenchmarkDurable.
//
// The breaker is the default one, and two refusals in a row do not open it. The budget is so
// large that it lasts: with the default one of 500 tokens a provider that refuses two calls of
// three would soon get no retries, which is what it is for.
func recourse(tb testing.TB, p *provider) []contestant {
	q := executor.Request{OrderID: "o-1", Payment: policy.Payment{
		Provider: "momo", Merchant: "bench", Operation: policy.Pay, Amount: 120_000, Currency: "VND",
	}}
	pay := func(x *executor.Executor, q executor.Request) error {
		r, err := x.Do(context.Background(), q, p)
		if err == nil && r.Outcome != policy.Succeeded {
			err = errRefused
		}
		return err
	}
	large := executor.Config{Budget: executor.Budget{Tokens: 1e12}}
	plain, keyed := newExecutor(tb, large), newExecutor(tb, large)
	n := 0
	return []contestant{
		{"Recourse", func() error { return pay(plain, q) }},
		{"Recourse, with a payment key", func() error {
			n++
			q := q
			q.Key = strconv.Itoa(n)
			return pay(keyed, q)
		}},
	}
}

func newExecutor(tb testing.TB, c executor.Config) *executor.Executor {
	tb.Helper()
	rules, err := ruleset.Open("testdata/rules")
	if err != nil {
		tb.Fatal(err)
	}
	x, err := executor.New(rules, &c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := x.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return x
}
