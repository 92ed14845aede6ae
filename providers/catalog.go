package providers

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/internal/contract"
	"github.com/recourse-pay/recourse/policy"
)

const (
	operations = 9
	phases     = 3
	captures   = 2
)

// Catalog is one provider: its codes, statuses, decode paths and contract.
// It is read-only once loaded and safe for concurrent use.
type Catalog struct {
	Name       string
	Title      string
	Currency   string             // of amounts whose answer names none; empty: not known
	Operations []policy.Operation // what the provider offers

	Codes     []*Row // in the order of the files
	Statuses  []*Row
	Fallbacks []*Row // of every code that Codes has not, beside a status

	digest    [sha256.Size]byte
	unit      amountUnit
	units     map[string]amountUnit // of currencies that the provider writes in another unit
	events    []event
	cells     map[string]*cell // by code
	states    map[state]*cell
	wild      []state // of states, those whose sub-status has a *
	others    []other
	decoders  [operations][phases]decoder
	contracts [operations]policy.Contract
	promised  [operations]contract.Said
	keyed     *policy.Contract // what an idempotency key adds; nil: the provider has none
	keyedSaid contract.Said
	envelopes []envelope
	endpoints []*Endpoint
	webhook   *WebhookShape // nil: not said

	deployments map[string]*Catalog
	read        struct {
		deployments []origin        // the files that they were read from
		own         map[string]bool // places in files that are not embedded
	}
}

// Row is one code or status of a provider's tables and what it proves.
type Row struct {
	Provider    string // the catalogue's name
	Scope       string // the table's own section; "-" where a table has none
	Code        string // of a code
	Status      string // of a status
	SubStatus   string
	Symbol      string // the provider's own name for a code
	Final       policy.Finality
	Class       policy.Class
	Envelope    bool // says only that the request was received
	HTTPStatus  int  // with which the provider answers a send so; 0: not said. It proves nothing
	Description string
	Facts       []RowFact
	Source      string // FILE:LINE

	fallback bool
}

// RowFact is what a row proves for one operation and phase.
type RowFact struct {
	Operation policy.Operation
	Phase     policy.Phase
	Capture   []policy.CaptureMode // those of a payment for which it holds; empty: every
	policy.Fact
	Because string // the document or the reasoning behind it

	wide bool // from operation "*", which gives way to a named one
}

// For reports whether a fact is about an operation, a phase, and payments that are captured so.
func (f *RowFact) For(op policy.Operation, ph policy.Phase, mode policy.CaptureMode) bool {
	return f.Operation == op && f.Phase == ph && contains(f.Capture, mode)
}

// Only is the capture of the payments that the fact is about; empty: of all.
func (f *RowFact) Only() string {
	if len(f.Capture) != 1 {
		return ""
	}
	return f.Capture[0].String()
}

type state struct{ status, sub string }

// other is what every code that no row lists proves beside a status. An empty sub-status is any.
type other struct {
	state
	*cell
}

// A cell is everything known about one code or status, over all its sections.
type cell struct {
	facts    [operations][phases][captures]*entry
	fallback policy.Fact
	envelope bool
}

type entry struct {
	policy.Fact
	row  *Row
	wide bool
}

func (c *cell) fact(op policy.Operation, ph policy.Phase, mode policy.CaptureMode) policy.Fact {
	if e := c.facts[op][ph][mode]; e != nil {
		return e.Fact
	}
	return c.fallback
}

// Contract returns what the provider promises for an operation.
func (c *Catalog) Contract(op policy.Operation) policy.Contract { return c.contracts[op] }

// WithIdempotencyKey returns a contract with what the provider promises to a client
// that sends its optional idempotency key. ok is false when there is no such key.
func (c *Catalog) WithIdempotencyKey(base policy.Contract) (with policy.Contract, ok bool) {
	if c.keyed == nil {
		return base, false
	}
	base.Dedupe, base.DedupeWindow = c.keyed.Dedupe, c.keyed.DedupeWindow
	base.Replay, base.ReplayCodes = c.keyed.Replay, c.keyed.ReplayCodes
	if base.ArrivalGrace == 0 {
		base.ArrivalGrace = c.keyed.ArrivalGrace // the window says nothing without it
	}
	return base, true
}

// ContractAt returns the place of a contract's line for an operation; keyed: where the client sends the idempotency key. It is zero where
// the catalogue has no such line.
func (c *Catalog) ContractAt(op policy.Operation, keyed bool, key string) policy.Position {
	if keyed && c.keyed != nil {
		switch key {
		case "dedupe", "dedupe_window", "replay", "replay_codes":
			return c.keyedSaid.At(key)
		case "arrival_grace":
			if c.contracts[op].ArrivalGrace == 0 {
				return c.keyedSaid.At(key)
			}
		}
	}
	return c.promised[op].At(key)
}

// Offers reports whether the provider has the operation at all.
func (c *Catalog) Offers(op policy.Operation) bool {
	for _, o := range c.Operations {
		if o == op {
			return true
		}
	}
	return false
}

// HasCode reports whether a code or sub-code stands in the catalogue.
func (c *Catalog) HasCode(code string) bool { return c.cells[code] != nil }

// IsEnvelope reports whether a code says only that the request was received.
func (c *Catalog) IsEnvelope(code string) bool {
	known := c.cells[code]
	return known != nil && known.envelope
}

// HasStatus reports whether a status stands in the catalogue, under any sub-status.
func (c *Catalog) HasStatus(status string) bool {
	for _, r := range c.Statuses {
		if r.Status == status {
			return true
		}
	}
	return false
}

// HasSubStatus reports whether a sub-status stands in the catalogue, or fits one with a * there. A * alone names none.
func (c *Catalog) HasSubStatus(sub string) bool {
	return sub != "" && slices.ContainsFunc(c.Statuses, func(r *Row) bool {
		return r.SubStatus == sub || r.SubStatus != "*" && fits(r.SubStatus, sub)
	})
}

// Digest tells catalogues apart by the files that they were read from.
func (c *Catalog) Digest() [sha256.Size]byte { return c.digest }

// Catalogs are all providers that are known, by name.
type Catalogs struct{ byName map[string]reader }

// Get returns a provider's catalogue. An unknown name is an [*UnknownProviderError].
func (cs *Catalogs) Get(name string) (*Catalog, error) {
	return cs.Later(name)()
}

// Later returns a function that returns what [Catalogs.Get] would now. An embedded catalogue is read
// when the function is first called.
func (cs *Catalogs) Later(name string) func() (*Catalog, error) {
	if read := cs.byName[name]; read != nil {
		return read
	}
	err := &UnknownProviderError{Name: name, Known: cs.Names()}
	return func() (*Catalog, error) { return nil, err }
}

// Has reports whether a provider is known. It reads no catalogue.
func (cs *Catalogs) Has(name string) bool { return cs.byName[name] != nil }

// Names lists the providers in the order of the alphabet.
func (cs *Catalogs) Names() []string {
	names := make([]string, 0, len(cs.byName))
	for n := range cs.byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// UnknownProviderError names a provider without a catalogue.
type UnknownProviderError struct {
	Name  string
	Known []string
}

// Error names the providers that exist.
func (e *UnknownProviderError) Error() string {
	return fmt.Sprintf("unknown provider %q (there are: %s)", e.Name, strings.Join(e.Known, ", "))
}

// SaysSubCode reports whether the provider's bodies hold a sub-code for an operation
// and phase, which is then where the reason of a failure stands.
func (c *Catalog) SaysSubCode(op policy.Operation, ph policy.Phase) bool {
	return len(c.decoders[op][ph].at[fieldSubCode]) > 0
}
