package space

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// The dimensions that every situation has. Those of the rules follow: how often a rule
// fired, a tag, an opaque part.
//
// What is cheap to compare, and tells most situations apart, comes first.
const (
	Operation region.Dim = iota
	Phase
	Effect
	Class
	InDoubt
	Fault
	Stage
	Reach
	Final
	Capture
	Weekday
	Status
	SubStatus
	Code
	SubCode
	HTTPStatus
	Attempt
	Queries
	Elapsed
	Amount
	Currency
	Hour
	RetryAfter
	Message
	Provider
	Merchant
	fixed
)

// Kind is what values a dimension has.
type Kind int

// The kinds.
const (
	Word     Kind = iota // of a closed set
	Text                 // any text
	Number               // whole numbers
	Duration             // nanoseconds
	Opaque               // whether an opaque part holds
)

// dimension is what is known of one.
type dimension struct {
	name  string
	kind  Kind
	words []string
	full  region.Set
	rule  string // whose count it is, for fired
}

// MaxHTTPStatus is the greatest status that an answer can have.
const MaxHTTPStatus = 999

var firstDims = func() []dimension {
	all := make([]dimension, fixed)
	text := func(d region.Dim, name string) { all[d] = dimension{name: name, kind: Text, full: region.NotIn()} }
	word := func(d region.Dim, name string, words []string) {
		all[d] = dimension{name: name, kind: Word, words: words, full: region.Words(1)<<len(words) - 1}
	}
	number := func(d region.Dim, name string, k Kind, lo, hi int64) {
		all[d] = dimension{name: name, kind: k, full: region.Range(lo, hi)}
	}
	for d, name := range map[region.Dim]string{
		Code: "code", Status: "status", SubCode: "sub_code", SubStatus: "sub_status", Provider: "provider",
		Merchant: "merchant", Currency: "currency", Message: "message",
	} {
		text(d, name)
	}
	for d, name := range map[region.Dim]string{
		Operation: "operation", Phase: "phase", Fault: "fault", Effect: "effect", Class: "class", Stage: "stage",
		Reach: "reach", Final: "final", Capture: "capture", Weekday: "weekday",
	} {
		word(d, name, ruleset.Words(name))
	}
	word(InDoubt, "in_doubt", []string{"false", "true"})
	number(Attempt, "attempt", Number, 1, math.MaxInt64)
	number(Queries, "queries", Number, 0, math.MaxInt64)
	number(Elapsed, "elapsed", Duration, 0, math.MaxInt64)
	number(Amount, "amount", Number, 0, math.MaxInt64)
	number(Hour, "hour", Number, 0, 23)
	number(HTTPStatus, "http_status", Number, 0, MaxHTTPStatus)
	number(RetryAfter, "retry_after", Duration, 0, math.MaxInt64)
	return all
}()

// Space is the dimensions of some rules and the texts that tell situations apart. Conditions
// are compiled one at a time; what was compiled may then be read from several goroutines.
type Space struct {
	Algebra region.Algebra

	dims   []dimension
	byName map[string]region.Dim
	known  map[region.Dim][]string // the texts that a catalogue or a rule names, sorted
	cache  map[cacheKey]*Condition

	settled settled
	times   sync.Map // *time.Location → []localTime
}

type cacheKey struct{ when, rule string }

// New returns the space of the engines' catalogues and rules.
func New(engines ...*ruleset.Engine) *Space {
	s := &Space{dims: slices.Clone(firstDims), byName: map[string]region.Dim{}, known: map[region.Dim][]string{}, cache: map[cacheKey]*Condition{},
		settled: settled{places: map[settledKey]Place{}}}
	for d := range s.dims {
		s.byName[s.dims[d].name] = region.Dim(d)
	}
	s.Algebra.Full = s.Full
	for _, e := range engines {
		for _, name := range e.Catalogs.Names() {
			if cat, err := e.Catalogs.Get(name); err == nil {
				s.learn(cat.Codes, cat.Statuses)
				for _, at := range cat.Deployments() {
					d, _ := cat.Deployment(at)
					s.learn(d.Codes, d.Statuses)
				}
			}
		}
		s.mentioned(e)
	}
	for d, texts := range s.known {
		slices.Sort(texts)
		s.known[d] = slices.Compact(texts)
	}
	return s
}

// Full is everything that a dimension can hold.
func (s *Space) Full(d region.Dim) region.Set { return s.dims[d].full }

// Name is how a rule writes a dimension.
func (s *Space) Name(d region.Dim) string { return s.dims[d].name }

// KindOf says what values a dimension has.
func (s *Space) KindOf(d region.Dim) Kind { return s.dims[d].kind }

// Words lists the values of a dimension of kind Word.
func (s *Space) Words(d region.Dim) []string { return s.dims[d].words }

// dim finds or makes a dimension of the rules.
func (s *Space) dim(key string, made dimension) region.Dim {
	if d, ok := s.byName[key]; ok {
		return d
	}
	d := region.Dim(len(s.dims))
	s.dims = append(s.dims, made)
	s.byName[key] = d
	return d
}

func (s *Space) fired(rule string) region.Dim {
	return s.dim("fired\x00"+rule, dimension{name: "fired", kind: Number, full: region.Range(0, math.MaxInt64), rule: rule})
}

func (s *Space) tag(key string) region.Dim {
	return s.dim("tags\x00"+key, dimension{name: "tags." + key, kind: Text, full: region.NotIn()})
}

// opaque is whether a part holds of which nothing more is known. A part that looks at fired
// is another part in every rule. Parts are compared as nodes: expr writes a + b[0:1] for (a + b)[0:1], too.
func (s *Space) opaque(n ast.Node, rule string) region.Dim {
	key, text := "opaque\x00"+ast.Dump(n), n.String()
	if strings.Contains(text, "fired") {
		key += "\x00" + rule
	}
	return s.dim(key, dimension{name: text, kind: Opaque, words: []string{"false", "true"}, full: region.Words(3)})
}

// IsOpaque reports whether a dimension cannot be seen into.
func (s *Space) IsOpaque(d region.Dim) bool { return s.dims[d].kind == Opaque }

// Exact reports whether no opaque part limits a region, and names those that do.
func (s *Space) Exact(r region.Region) (exact bool, opaque []string) {
	for _, b := range r {
		for _, l := range b {
			if s.IsOpaque(l.Dim) && !slices.Contains(opaque, s.Name(l.Dim)) {
				opaque = append(opaque, s.Name(l.Dim))
			}
		}
	}
	return len(opaque) == 0, opaque
}

// FiredOf returns the rule whose count a dimension is; ok is false for every other dimension.
func (s *Space) FiredOf(d region.Dim) (rule string, ok bool) {
	return s.dims[d].rule, s.dims[d].kind == Number && s.dims[d].name == "fired"
}

// IsReceived reports whether a box holds answers that came, and not only calls that failed.
func (s *Space) IsReceived(b region.Box) bool {
	faults, limited := b.Of(Fault).(region.Words)
	return !limited || faults.Has(int(policy.NoFault))
}

// Bit is the set of one word.
func Bit[W ~uint8](values ...W) region.Words {
	var w region.Words
	for _, v := range values {
		w |= 1 << v
	}
	return w
}

// doubt is the set of one value of in_doubt.
func doubt(yes bool) region.Words {
	if yes {
		return 2
	}
	return 1
}
