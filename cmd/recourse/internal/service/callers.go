package service

import (
	"context"
	"crypto/x509"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
)

// callerKey is the caller in the context of a request.
type callerKey struct{}

// keptCaller is a caller, and how it is looked for again: the list may have been replaced since.
type keptCaller struct {
	caller *access.Caller
	again  func() *access.Caller
}

// with is a request that carries its caller.
func (s *Service) with(r *http.Request, c *access.Caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, keptCaller{c, func() *access.Caller { return s.caller(r) }}))
}

// callerOf is who makes a call. Without one nothing is opened.
func callerOf(ctx context.Context) *access.Caller {
	if k, ok := ctx.Value(callerKey{}).(keptCaller); ok {
		return k.caller
	}
	return new(access.Caller)
}

// still is an error where a call that is about a merchant may not be answered any more, because its token was removed, say, while the answer
// was held: the one that the same call gets now. foreign is that of a merchant that is none of the caller's.
func still(ctx context.Context, merchant string, foreign error) error {
	var c *access.Caller
	if k, ok := ctx.Value(callerKey{}).(keptCaller); ok {
		c = k.again()
	}
	switch {
	case c == nil:
		return huma.ErrorWithHeaders(huma.Error401Unauthorized(noToken), http.Header{"WWW-Authenticate": {"Bearer"}})
	case !c.May(access.Flows):
		return huma.Error403Forbidden(mayNot(access.Flows))
	case !c.Of(merchant):
		return foreign
	}
	return nil
}

// noFlow is of a flow that there is not, or not for the caller.
func noFlow(id string) error { return huma.Error404NotFound("there is no flow " + id) }

// caller is who makes a request; nil: it must show who it is.
func (s *Service) caller(r *http.Request) *access.Caller {
	var leaf *x509.Certificate
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 && len(r.TLS.VerifiedChains[0]) > 0 {
		leaf = r.TLS.VerifiedChains[0][0]
	}
	return s.o.Access.Now().Find(r.Header.Get("Authorization"), leaf)
}

// verbs are what a caller must be allowed for each operation of the description. One that is not here is refused.
var verbs = map[string]access.Verb{
	"explain": access.Decide, "codes": access.Decide,
	"start-flow": access.Flows, "next-step": access.Flows, "report": access.Flows, "withdraw": access.Flows,
	"notify": access.Webhooks,
}

// allowed lets a call through that its caller may make, before anything of it is read.
func (s *Service) allowed(ctx huma.Context, next func(huma.Context)) {
	id := ctx.Operation().OperationID
	verb, known := verbs[id]
	switch c := callerOf(ctx.Context()); {
	case id == "healthy" || id == "ready", known && c.May(verb):
		next(ctx)
	default:
		s.refusal(c, id)
		_ = huma.WriteErr(s.api, ctx, http.StatusForbidden, mayNot(verb))
	}
}

func mayNot(v access.Verb) string {
	return "this caller may not do that: it needs the verb " + v.String()
}

// errMerchant is of a call for a merchant that its caller may not act for, whether there is such a merchant or not.
var errMerchant = huma.Error403Forbidden("the merchant of the request is none that this caller may act for; without a merchant it needs one that is allowed payments without one")

// refusal logs what a caller was refused, now and then: who is refused a million times must not fill the disk.
func (s *Service) refusal(c *access.Caller, what string) {
	s.refusals.Do(func() { s.log.Warn("a caller was refused", "caller", c.Name(), "call", what) })
}

// actsFor is an error where a caller may not act for a merchant.
func (s *Service) actsFor(c *access.Caller, merchant, what string) error {
	if c.Of(merchant) {
		return nil
	}
	s.refusal(c, what)
	return errMerchant
}

// metrics serves them to who may read them.
func (s *Service) metrics(w http.ResponseWriter, r *http.Request) {
	if !callerOf(r.Context()).May(access.Metrics) {
		s.refusal(callerOf(r.Context()), "metrics")
		writeProblem(w, http.StatusForbidden, mayNot(access.Metrics))
		return
	}
	s.o.Metrics.ServeHTTP(w, r)
}
