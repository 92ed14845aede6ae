package ruleset

import (
	"crypto/sha256"
	"fmt"
	"sync/atomic"
)

// Mentions reports whether the condition of some rule looks at a variable.
func (e *Engine) Mentions(variable string) bool {
	for _, c := range e.conditions {
		if _, mentioned := c.vars[variable]; mentioned {
			return true
		}
	}
	return false
}

// setName is the digest of a set of rules, once it was asked for.
type setName struct{ digest atomic.Pointer[string] }

// Digest stands for all rules and catalogues. From then on the deciders of [Engine.For] say it.
func (e *Engine) Digest() string {
	if d := e.named.digest.Load(); d != nil {
		return *d
	}
	h := sha256.New()
	for _, name := range e.Catalogs.Names() {
		if c, err := e.Catalogs.Get(name); err == nil {
			digest := c.Digest()
			fmt.Fprintf(h, "%q %x\n", name, digest)
		}
	}
	for _, f := range e.Rules.Files() {
		fmt.Fprintf(h, "%q %d\n%s", f.Path, len(f.Text), f.Text)
	}
	d := fmt.Sprintf("sha256:%x", h.Sum(nil))
	e.named.digest.Store(&d)
	return d
}

// Set is the digest of the rules that decide here; empty until [Engine.Digest] was called.
func (b *ruleTable) Set() string {
	if d := b.named.digest.Load(); d != nil {
		return *d
	}
	return ""
}
