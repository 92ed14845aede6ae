package otelrecourse_test

import (
	"context"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// instant is a client that replies at once: paid.
type instant struct{}

var paidReply = executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}

func (*instant) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return paidReply, nil
}

func (*instant) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return paidReply, nil
}
