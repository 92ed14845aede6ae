package executor

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

// adminError is an error with its HTTP status. Its JSON form is the body.
type adminError struct {
	status int
	cause  error // not in the body

	Message string         `json:"error"`
	Flow    string         `json:"flow,omitempty"`
	Proof   *flow.Evidence `json:"proof,omitempty"`   // what the request contradicts
	Version int64          `json:"version,omitempty"` // of the row, if the request speaks of another
}

// Error implements error.
func (e *adminError) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *adminError) Unwrap() error { return e.cause }

func refusal(status int, format string, args ...any) *adminError {
	return &adminError{status: status, Message: fmt.Sprintf(format, args...)}
}

func writeRefusal(w http.ResponseWriter, e *adminError) { writeAdmin(w, e.status, e) }

// refuse answers with an error, and the status that it means.
func (a *admin) refuse(w http.ResponseWriter, err error) { writeRefusal(w, a.said(err)) }

// said is an error as people read it, and as it stands on the trail. What a journal says may name a database, its user and its address, or a
// file: that is for Config.OnError.
func (a *admin) said(err error) *adminError {
	e := new(adminError)
	proved := (*ProvedError)(nil)
	misfit := (*flow.MisfitError)(nil)
	unsent := (*unsentError)(nil)
	unreadable := (*unreadableError)(nil)
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &proved):
		e = refusal(http.StatusConflict, "%s", proved)
		e.Flow = proved.Flow
		if proved.Proof.Answer != nil {
			e.Proof = &proved.Proof
		}
	case errors.As(err, &misfit):
		e = refusal(http.StatusConflict, "the flow has ended meanwhile: %s", misfit)
	case errors.As(err, &unsent):
		e = refusal(http.StatusBadRequest, "%s", unsent)
	case errors.As(err, &unreadable):
		e = refusal(http.StatusInternalServerError, "%s", unreadable)
	case errors.Is(err, ErrUnknownFlow), errors.Is(err, journal.ErrNotFound):
		e = refusal(http.StatusNotFound, "%s", ErrUnknownFlow)
	case errors.Is(err, ErrTakenOver):
		e = refusal(http.StatusConflict, "%s; look again", ErrTakenOver)
	case errors.Is(err, ErrClosed), errors.Is(err, journal.ErrClosed):
		e = refusal(http.StatusServiceUnavailable, "%s", ErrClosed)
	case errors.Is(err, context.Canceled):
		e = refusal(http.StatusServiceUnavailable, "the request was broken off")
	default:
		return a.failed("the journal failed, or did not answer in time: look again before you repeat what changes something", err)
	}
	e.cause = err
	return e
}

// failed is the refusal for an error that is not about the request.
func (a *admin) failed(what string, err error) *adminError {
	a.x.reportError(fmt.Errorf("executor: AdminHandler: %w", err))
	e := refusal(http.StatusServiceUnavailable, "%s; the log of the process says why", what)
	e.cause = err
	return e
}
