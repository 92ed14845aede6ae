package service

import (
	"context"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
)

// What a caller reads of an error that is about this service and not about its call. The reason may name the database, its user and its
// address, or a file; it is for the log.
const (
	textFailed = "the call could not be carried out, and can be repeated; the log of the service says why"
	textLate   = "the call was broken off, or the journal did not answer in time; it can be repeated"
)

// refused is an error of the executor or the hub with its HTTP status.
func (s *Service) refused(err error) error {
	var (
		doubt     *executor.DoubtError
		mismatch  *executor.MismatchError
		order     *executor.OrderError
		duplicate *executor.DuplicateError
		misfit    *flow.MisfitError
		report    reportError
		elsewhere elsewhereError
	)
	switch {
	case errors.As(err, &doubt):
		return inTheWay(doubt, doubt.Flow)
	case errors.As(err, &mismatch):
		return inTheWay(mismatch, mismatch.Flow)
	case errors.As(err, &order):
		return inTheWay(order, order.Flow)
	case errors.As(err, &duplicate):
		return inTheWay(duplicate, duplicate.Flow)
	case errors.As(err, &report):
		return huma.Error409Conflict(report.Error())
	case errors.As(err, &misfit):
		return huma.Error409Conflict(misfit.Error())
	case errors.As(err, &elsewhere):
		return huma.Error503ServiceUnavailable(elsewhere.Error())
	case errors.Is(err, executor.ErrUnknownFlow):
		return huma.Error404NotFound(executor.ErrUnknownFlow.Error())
	case errors.Is(err, executor.ErrClosed):
		return huma.Error503ServiceUnavailable(executor.ErrClosed.Error())
	case errors.Is(err, context.Canceled): // the caller is gone
		return huma.Error503ServiceUnavailable(textLate)
	}
	switch text := strings.TrimPrefix(err.Error(), "executor: "); {
	case strings.HasPrefix(text, "Request."), strings.HasPrefix(text, "Webhook."):
		return huma.Error422UnprocessableEntity(text)
	case strings.HasPrefix(text, "payment key "): // it has had too many flows
		return huma.Error409Conflict(text)
	}
	return s.failed(err)
}

func inTheWay(err error, flow string) error {
	return huma.Error409Conflict(err.Error(), &huma.ErrorDetail{Message: "the flow that stands in the way", Location: "flow", Value: flow})
}

// failed is the answer to a call that failed for a reason which is not the caller's: that of the journal, above all. While it lasts each call
// has it, so it is logged now and then.
func (s *Service) failed(err error) error {
	s.failures.Do(func() { s.log.Error("a call failed", "error", err) })
	if errors.Is(err, context.DeadlineExceeded) {
		return huma.Error503ServiceUnavailable(textLate)
	}
	return huma.Error503ServiceUnavailable(textFailed)
}
