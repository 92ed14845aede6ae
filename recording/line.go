package recording

import (
	"github.com/recourse-pay/recourse/internal/observed"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// entry is a line whose body is not redacted yet. Everything in it is the recorder's own copy.
type entry observed.Line

const lineSize = 512 // bytes of a line without its body, about

func (e *entry) size() int { return lineSize + len(e.Body) + len(e.Query) }

// line is the entry as JSON, redacted, with a line break.
func (e *entry) line(r *redactor, maxBody int) []byte {
	l := e.Line
	if l.Phase.IsAnswer() {
		r.Line(&l, &redact.Source{Body: e.Body, Read: e.Read, MaxBody: maxBody, Catalog: r.rules.Catalog})
	}
	return l.Append(make([]byte, 0, lineSize+len(l.Body)))
}

// redactor redacts by the catalogues of some rules. It is for one goroutine.
type redactor struct {
	*redact.Redactor

	rules catalogs
}

// catalogs say which catalogue a payment's answers are read by.
type catalogs interface {
	Catalog(p *policy.Payment) (*providers.Catalog, error)
}

func newRedactor(o *Options) *redactor {
	r := &redactor{Redactor: redact.New(o.Redact, o.Keep, o.KeepText), rules: o.Rules}
	if r.rules == nil {
		r.rules = builtin{}
	}
	return r
}

// builtin are the embedded catalogues.
type builtin struct{}

// Catalog implements [catalogs].
func (builtin) Catalog(p *policy.Payment) (*providers.Catalog, error) {
	cs, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	return cs.Get(p.Provider)
}
