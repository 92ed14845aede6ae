package space

import (
	"maps"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// How says how a situation comes about.
type How int

// The ways, from the plainest to what only a flow's past can make.
const (
	Judged   How = iota // the fact is what the answer proves by itself
	Weakened            // what it proves is not believed, or not of this payment
	Ledger              // the fact is one that the flow knew before
)

// Reached is some situations in which a rule can be asked.
type Reached struct {
	Box region.Box
	How How
}

// MayBeAbsent says for which operations some contract lets "not found" prove not_executed.
type MayBeAbsent map[policy.Operation]bool

// other stands for every text that a catalogue does not have.
const other = "\x00"

// reachable finds what [Reachable] keeps.
func reachable(cat *providers.Catalog, absent MayBeAbsent) []Reached {
	r := reacher{cat: cat, absent: absent}
	for _, op := range cat.Operations {
		r.operation(op)
	}
	slices.SortStableFunc(r.all, func(a, b Reached) int { return strangeness(a) - strangeness(b) })
	return r.all
}

func strangeness(r Reached) int {
	n := 2 * int(r.How)
	if f, limited := r.Box.Of(Fault).(region.Words); limited && !f.Has(int(policy.NoFault)) {
		n++
	}
	return n
}

type reacher struct {
	cat     *providers.Catalog
	absent  MayBeAbsent
	all     []Reached
	settled map[policy.Fact]bool // what the ledger can hold of an operation

	disputes bool // some answer says that the operation is disputed
}

func (r *reacher) add(how How, at region.Box, f policy.Fact, doubts ...bool) {
	var in region.Words
	for _, d := range doubts {
		in |= doubt(d)
	}
	b := WithFact(at, f)
	if in != 3 {
		b = b.With(InDoubt, in)
	}
	r.all = append(r.all, Reached{b, how})
}

// WithFact limits a box to one fact.
func WithFact(b region.Box, f policy.Fact) region.Box {
	return b.With(Effect, Bit(f.Effect)).With(Class, Bit(f.Class)).With(Stage, Bit(f.Stage)).
		With(Reach, Bit(f.Reach)).With(Final, Bit(f.Final))
}

// seen is a fact as rules see it.
func seen(f policy.Fact) policy.Fact { f.Basis = 0; return f }

func (r *reacher) operation(op policy.Operation) {
	r.settled = map[policy.Fact]bool{}
	for _, e := range []policy.Effect{policy.Executed, policy.NotExecuted} {
		r.settled[policy.Fact{Effect: e, Class: policy.AlreadyDone, Stage: policy.Result}] = true // a person vouched for it
	}
	var answers [3][]Group
	r.disputes = false
	for _, ph := range policy.Phases() {
		answers[ph] = Answers(r.cat, op, ph)
		r.disputes = r.disputes || slices.ContainsFunc(answers[ph], func(g Group) bool { return g.Fact.Class == policy.Disputed })
	}
	for _, ph := range policy.Phases() {
		var facts []policy.Fact
		for _, g := range answers[ph] {
			facts = append(facts, g.Fact)
			for _, b := range g.Boxes {
				r.judged(op, ph, b, g.Fact)
			}
		}
		r.elsewhere(op, ph, facts)
	}
	at := region.Box{{Dim: Operation, Set: Bit(op)}}
	// An answer speaks of an identity that is over, and the latest is in doubt.
	r.add(Ledger, at, policy.Fact{Class: policy.Processing}, true)
	for _, f := range slices.SortedFunc(maps.Keys(r.settled), compareFacts) {
		if f.Effect == policy.NotExecuted && f.Class == policy.NotFound {
			// It is the latest that was not found, so one in doubt is an earlier one, and then
			// this is a conflict: see flow's situation.
			r.add(Ledger, at, f, false)
			f.Effect, f.Class = policy.Unknown, policy.Conflict
			r.add(Ledger, at, f, true)
			continue
		}
		r.add(Ledger, at, f, true, false)
		if f.Effect == policy.Executed && f.Class != policy.Mismatch && r.disputes {
			odd := f
			odd.Class = policy.Disputed // said before, of any identity
			r.add(Ledger, at, odd, true, false)
		}
		if f.Effect == policy.Executed {
			f.Effect, f.Class = policy.Unknown, policy.Conflict
			r.add(Ledger, at, f, true, false)
		}
	}
}

func (r *reacher) judged(op policy.Operation, ph policy.Phase, at region.Box, f policy.Fact) {
	switch f.Effect {
	case policy.Unknown, policy.Pending:
		r.add(Judged, at, f, true)
	case policy.NotExecuted, policy.Executed:
		r.add(Judged, at, f, true, false)
		r.settled[f] = true
	}
	if f.Effect != policy.Unknown {
		unknown := f
		unknown.Effect = policy.Unknown
		r.add(Weakened, at, unknown, true)
	}
	if f.Effect != policy.Executed && f.Class == policy.NotFound {
		more := f
		more.Effect, more.Class = policy.Unknown, policy.Conflict // an earlier identity is in doubt
		r.add(Weakened, at, more, true)
	}
	if f.Effect == policy.Unknown && f.Class == policy.NotFound && ph == policy.Query && r.absent[op] {
		gone := f
		gone.Effect = policy.NotExecuted
		r.add(Judged, at, gone, true, false)
		r.settled[gone] = true
	}
}

// elsewhere adds what an answer of a phase can come to beside what it says: which answer it
// was makes no difference here, so every answer counts.
func (r *reacher) elsewhere(op policy.Operation, ph policy.Phase, facts []policy.Fact) {
	at := region.Box{{Dim: Operation, Set: Bit(op)}, {Dim: Phase, Set: Bit(ph)}}
	once := map[policy.Fact]bool{}
	first := func(f policy.Fact) bool { known := once[f]; once[f] = true; return !known }
	for _, f := range facts {
		if foreign := (policy.Fact{Final: f.Final}); first(foreign) {
			r.add(Weakened, at, foreign, true, false) // it speaks of another payment
		}
		if f.Effect == policy.Executed {
			odd := f
			odd.Class = policy.Mismatch
			if first(odd) {
				r.add(Weakened, at, odd, true, false)
				r.settled[odd] = true
			}
		}
		if contested := (policy.Fact{Class: policy.Conflict, Stage: f.Stage, Reach: f.Reach, Final: f.Final}); f.Effect != policy.Unknown || f.Class == policy.NotFound {
			// An execution that the ledger cannot assign to one identity, or another amount than the payment's.
			if first(contested) {
				r.add(Weakened, at, contested, true, false)
			}
		}
	}
}

// Group is the answers of an operation and phase that prove the same.
type Group struct {
	Fact  policy.Fact
	Boxes region.Region
}

// httpRanges are the statuses that a catalogue tells apart, with one of each.
var httpRanges = []struct {
	set region.Ints
	one int
}{
	{region.Range(0, 399), 0},
	{region.Ints{{Lo: 400, Hi: 428}, {Lo: 430, Hi: 499}}, 400},
	{region.Range(429, 429), 429},
	{region.Range(500, MaxHTTPStatus), 500},
}

// Answers groups every possible answer by what it proves.
func Answers(cat *providers.Catalog, op policy.Operation, ph policy.Phase) []Group {
	return AnswersAs(cat, op, ph, cat.Judge)
}

// Judge says what an answer proves by itself.
type Judge func(*policy.Payment, *policy.Answer) policy.Fact

// AnswersAs groups every possible answer by what a judge says of it. The judge may say less than
// the catalogue, and must not tell apart what the catalogue does not.
func AnswersAs(cat *providers.Catalog, op policy.Operation, ph policy.Phase, as Judge) []Group {
	j := judge{cat: cat, as: as, p: policy.Payment{Provider: cat.Name, Operation: op}, ph: ph, groups: map[policy.Fact]region.Region{}, codes: codesOf(cat)}
	modes := policy.All[policy.CaptureMode]()
	if op != policy.Pay && op != policy.Checkout {
		modes = modes[:1] // a hold is for these two
	}
	for _, mode := range modes {
		j.p.Capture = mode
		j.base = region.Box{{Dim: Operation, Set: Bit(op)}, {Dim: Phase, Set: Bit(ph)}}
		if len(modes) > 1 {
			j.base = j.base.With(Capture, Bit(mode))
		}
		for _, h := range httpRanges {
			j.http, j.one = h.set, h.one
			j.faults()
			j.byCode()
			j.byStatus()
		}
	}
	a := region.Algebra{Full: func(d region.Dim) region.Set { return firstDims[d].full }}
	var all []Group
	for _, f := range slices.SortedFunc(maps.Keys(j.groups), compareFacts) {
		all = append(all, Group{f, a.MergeAlong(j.groups[f], HTTPStatus, Capture, Status)})
	}
	return all
}

func compareFacts(a, b policy.Fact) int {
	for _, d := range []int{int(b.Effect) - int(a.Effect), int(a.Class) - int(b.Class), int(a.Stage) - int(b.Stage), int(a.Reach) - int(b.Reach)} {
		if d != 0 {
			return d
		}
	}
	return int(a.Final) - int(b.Final)
}

func codesOf(cat *providers.Catalog) []string {
	var codes []string
	for _, r := range cat.Codes {
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// judge asks a catalogue about one answer of each sort.
type judge struct {
	cat    *providers.Catalog
	as     Judge
	p      policy.Payment
	ph     policy.Phase
	base   region.Box
	http   region.Ints
	one    int
	codes  []string
	groups map[policy.Fact]region.Region
	answer policy.Answer // the one that is asked about
}

func (j *judge) ask(a policy.Answer) policy.Fact {
	a.Phase, a.HTTPStatus = j.ph, j.one
	j.answer = a
	return seen(j.as(&j.p, &j.answer))
}

func (j *judge) note(f policy.Fact, b region.Box) {
	j.groups[f] = append(j.groups[f], b)
}

func (j *judge) faults() {
	for _, fault := range policy.All[policy.Fault]() {
		j.note(j.ask(policy.Answer{Fault: fault}), j.base.With(HTTPStatus, j.http).With(Fault, Bit(fault)))
	}
}

// answered is the box of answers that are no faults.
func (j *judge) answered() region.Box {
	return j.base.With(HTTPStatus, j.http).With(Fault, Bit(policy.NoFault))
}

// byCode asks about answers without a status.
func (j *judge) byCode() {
	at := j.answered().With(Status, region.In(""))
	var explained []string // codes beside which a sub-code counts
	texts := map[policy.Fact][]string{}
	for _, c := range append([]string{other}, j.codes...) {
		f := j.ask(policy.Answer{Code: c})
		if c == other || j.cat.IsEnvelope(c) {
			explained = append(explained, c)
			j.note(f, at.With(Code, j.texts([]string{c})).With(SubCode, region.In("")))
			continue
		}
		texts[f] = append(texts[f], c)
	}
	for f, codes := range texts {
		j.note(f, at.With(Code, j.texts(codes)))
	}
	clear(texts)
	for _, sub := range append([]string{other}, j.codes...) {
		if sub != "" {
			f := j.ask(policy.Answer{Code: other, SubCode: sub})
			texts[f] = append(texts[f], sub)
		}
	}
	for f, subs := range texts {
		j.note(f, at.With(Code, j.texts(explained)).With(SubCode, j.named(subs)))
	}
}

// byStatus asks about answers with one.
func (j *judge) byStatus() {
	at := j.answered()
	subs := map[string][]string{}
	for _, row := range j.cat.Statuses {
		subs[row.Status] = append(subs[row.Status], row.SubStatus)
	}
	unlisted := j.ask(policy.Answer{Status: other})
	j.note(unlisted, at.With(Status, region.NotIn(append(slices.Collect(maps.Keys(subs)), "")...)))
	for _, status := range slices.Sorted(maps.Keys(subs)) { // in order, so that each run finds the same witness
		var listed []string
		patterns := []string{other}
		for _, sub := range subs[status] {
			listed = append(listed, sub)
			if strings.Contains(sub, "*") {
				patterns = append(patterns, strings.ReplaceAll(sub, "*", other))
			}
		}
		for _, sub := range patterns { // a text that is not listed may be of any pattern
			j.reasons(at.With(Status, region.In(status)).With(SubStatus, region.NotIn(listed...)), status, sub)
		}
		for _, sub := range region.In(listed...).List {
			j.reasons(at.With(Status, region.In(status)).With(SubStatus, region.In(sub)), status, sub)
		}
	}
}

// reasons asks about one status beside every code.
func (j *judge) reasons(at region.Box, status, sub string) {
	texts := map[policy.Fact][]string{}
	for _, c := range append([]string{"", other}, j.codes...) {
		f := j.ask(policy.Answer{Status: status, SubStatus: sub, Code: c})
		texts[f] = append(texts[f], c)
	}
	for f, codes := range texts {
		j.note(f, at.With(SubCode, region.In("")).With(Code, j.withEmpty(codes)))
		if named := j.named(codes); !named.Empty() {
			j.note(f, at.With(SubCode, named))
		}
	}
}

// texts is a set of codes in which other stands for all that the catalogue has not.
func (j *judge) texts(codes []string) region.Texts {
	if !slices.Contains(codes, other) {
		return region.In(codes...)
	}
	unasked := region.Without(region.Texts{List: j.codes}, region.In(codes...)).(region.Texts)
	return region.Texts{Except: true, List: unasked.List}
}

// withEmpty is the same where no code at all was asked about by itself.
func (j *judge) withEmpty(codes []string) region.Texts {
	t := j.texts(codes)
	if t.Except && !slices.Contains(codes, "") && t.Has("") {
		return region.NotIn(append(slices.Clone(t.List), "")...)
	}
	return t
}

// named is the same without the empty text.
func (j *judge) named(codes []string) region.Texts {
	t := j.texts(codes)
	return region.Without(t, region.In("")).(region.Texts)
}
