package executor_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// remember keeps the results that OnEscalate gets.
func remember(list *[]*executor.Result) func(context.Context, *executor.Result) error {
	var mu sync.Mutex
	return func(_ context.Context, r *executor.Result) error {
		mu.Lock()
		defer mu.Unlock()
		*list = append(*list, r)
		return nil
	}
}

// numbered mints order ids.
func numbered(prefix string) func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
	var n atomic.Int64
	return func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
		return prefix + strconv.FormatInt(n.Add(1), 10), nil
	}
}
