// Package engine decides by rules what to do with a provider's answer.
//
// [Open] reads rules and catalogues and compiles them. An [Engine] is safe for
// concurrent use. It has no clock, no randomness and no I/O at decision time, so the same
// situation always gets the same decision. It is the rules of an executor, and a
// [policy.Decider] for everything else.
//
// What may be done about a decision, given everything that was sent before, is for package
// flow.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package engine

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Engine is rules compiled against catalogues. [Engine.Reload] and [Engine.Watch] replace them while
// it decides.
type Engine struct {
	Catalogs *providers.Catalogs // the embedded ones, and those of the user's folder, as Open read them
	Warnings policy.Mistakes     // what is doubtful about rules that work

	rules ruleset.Live
}

// Open reads the defaults and, where dir is not empty, the user's folder over them, or the bundle that `recourse bundle` made of it:
// providers/*.toml, the rules of each layer, merchants/*.toml. The error holds every
// mistake, one a line as FILE:LINE:COLUMN: …; it is a [policy.Mistakes].
func Open(dir string) (*Engine, error) {
	return open(func() [sha256.Size]byte { return ruleset.StampOfPath(dir) }, func() (*ruleset.Engine, error) { return ruleset.Open(dir) })
}

// OpenFS is [Open] for a file system in place of a folder, such as one that a program embeds.
// Mistakes name a file by its path in it.
func OpenFS(fsys fs.FS) (*Engine, error) {
	return open(func() [sha256.Size]byte { return ruleset.StampOf(fsys) }, func() (*ruleset.Engine, error) { return ruleset.OpenFS(fsys) })
}

func open(stamp func() [sha256.Size]byte, read func() (*ruleset.Engine, error)) (*Engine, error) {
	e := &Engine{}
	if err := e.rules.Open(stamp, read); err != nil {
		return nil, err
	}
	first := e.rules.Now()
	e.Catalogs, e.Warnings = first.Catalogs, first.Warnings
	return e, nil
}

// Judge implements [policy.Decider]: it asks the provider's catalogue. An answer of
// a provider without one is unknown.
func (e *Engine) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	return e.rules.Judge(p, a)
}

// Decide implements [policy.Decider]: the first rule that holds, of the merchant's
// layer, the provider's and the baseline.
func (e *Engine) Decide(s *policy.Situation) policy.Decision { return e.rules.Decide(s) }

// Terms implements [policy.Decider].
func (e *Engine) Terms(p *policy.Payment) *policy.Terms { return e.rules.Terms(p) }

// For returns the decider of a payment and of all others of its merchant at its provider. It
// decides as the engine does, and does not look for their rules each time. The error, beside
// it, is that of [Engine.Check].
func (e *Engine) For(p *policy.Payment) (policy.Decider, error) {
	d, err := e.rules.For(p)
	return d, public(err)
}

// Check says what is wrong with a payment before anything is sent: an unknown
// provider, or an operation that the provider does not offer ([NotOfferedError]).
func (e *Engine) Check(p *policy.Payment) error { return public(e.rules.Check(p)) }

// Read decodes a message that a payment's provider sent in a phase: the answer, and what the
// shopper must do next. One that cannot be read is the fault unreadable in the answer, and
// an error with the reason. Of the payment, the provider, operation and currency count. Of the
// message's headers it leaves those that the catalogue reads: no other belongs in a recording.
func (e *Engine) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	return e.rules.Read(p, ph, m)
}

// Mentions reports whether the condition of some rule looks at a variable, such as "message".
func (e *Engine) Mentions(variable string) bool { return e.rules.Mentions(variable) }

// Catalog returns the catalogue by which the answers to a payment are read. Of the payment, the provider
// and the merchant count.
func (e *Engine) Catalog(p *policy.Payment) (*providers.Catalog, error) {
	return e.rules.Catalog(p)
}

// NotOfferedError names an operation that a provider does not have.
type NotOfferedError struct {
	Provider  string
	Operation policy.Operation
	Offered   []policy.Operation
}

// Error names the operations that the provider has.
func (e *NotOfferedError) Error() string {
	offered := make([]string, len(e.Offered))
	for i, op := range e.Offered {
		offered[i] = op.String()
	}
	return e.Provider + " does not offer " + e.Operation.String() + " (it offers: " + strings.Join(offered, ", ") + ")"
}

// public replaces an error type of the compiled rules, which callers cannot name.
func public(err error) error {
	if err == nil { // most payments: errors.As would put its target on the heap
		return nil
	}
	var refused *ruleset.NotOfferedError
	if errors.As(err, &refused) {
		return (*NotOfferedError)(refused)
	}
	return err
}
