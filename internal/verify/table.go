package verify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// A table says what one merchant's rules can decide: for every group of answers and everything
// that the rules can be shown with it, each action that some answer of the group gets. It is
// computed from the regions of package space. What a region leaves free (counts, hours, tags,
// the payment's amount) may be anything, and a part that cannot be seen into may hold or not.
type table struct {
	space      *space.Space
	facts      *facts
	cell       region.Box     // of the payments; nil: all of the merchant's
	payment    policy.Payment // who pays, and of which kind; the rest is the caller's example
	own        []placed       // rules before the shared ones; all of them when base is nil
	shared     []placed
	base       *table // the table that has the shared rules alone; nil: none
	none, lost policy.Decision
	zone       ruleset.Effective

	books  map[string]*book // by what is left of the rules
	byShow map[shown]*book
}

// placed is a rule with the situations in which its condition holds.
type placed struct {
	region   region.Region
	vague    bool // the region is too complex: the condition may hold or not
	decision policy.Decision
	serial   int // of its [space.Place]
}

// book is what is left of the rules when phase, fact and doubt are known.
type book struct {
	own     []placed
	shared  []placed // see table.sharedIn
	base    *book    // the shared rules by themselves
	number  int      // of the table's books
	at      shown    // what they are shown, or what leaves the same
	placed  bool     // shared is known
	settled bool     // no rule holds: "lost" decides, and not "none"
	options [][]option
	decided [][]*policy.Decision // see table.decisions
}

// option is a decision that some answer of a group gets.
type option struct {
	decision *policy.Decision
	witness  region.Box // answers that get it
}

// newTable places the rules of a merchant for one operation. The cell limits the payments; nil:
// every payment of the merchant.
func newTable(s *space.Space, e *ruleset.Engine, f *facts, p policy.Payment, cell region.Box, base *table) *table {
	b := s.Book(e, p.Provider, p.Merchant)
	t := &table{space: s, facts: f, cell: cell, payment: p, none: b.None, lost: b.Lost, zone: b.Effective, books: map[string]*book{}, byShow: map[shown]*book{}}
	var all []placed
	for i, r := range b.Rulings {
		place := placed{vague: b.Rules[i].Err != nil, decision: r.Decision, serial: b.Rules[i].Serial}
		if !place.vague {
			place.region = within(b.Rules[i].Region, cell, f.modes, p)
			if len(place.region) == 0 {
				continue
			}
		}
		all = append(all, place)
		if !place.vague && isAll(place.region) {
			break
		}
	}
	t.own = all
	if base != nil {
		t.share(base)
	}
	return t
}

// share lets a table use the results of another one whose rules follow its own.
func (t *table) share(base *table) {
	if base.base != nil || len(base.own) > len(t.own) {
		return
	}
	n := len(t.own) - len(base.own)
	for i := range base.own {
		mine, theirs := &t.own[n+i], &base.own[i]
		if mine.serial != theirs.serial || mine.decision.Source != theirs.decision.Source || mine.decision.Action != theirs.decision.Action ||
			(mine.decision.Schedule == nil) != (theirs.decision.Schedule == nil) {
			return // a rule that names merchants holds elsewhere for each
		}
	}
	t.own, t.shared, t.base = t.own[:n:n], t.own[n:], base
}

// within is what payments of an operation, of a capture mode and of a cell leave of a region.
func within(r region.Region, cell region.Box, modes region.Words, p policy.Payment) region.Region {
	var out region.Region
	for _, b := range r {
		if left, ok := boxWithin(b, cell, modes, p); ok {
			out = append(out, left)
		}
	}
	return out
}

// boxWithin is what the payments leave of a box; ok is false when that is nothing.
func boxWithin(b, cell region.Box, modes region.Words, p policy.Payment) (left region.Box, ok bool) {
	left = b
	for _, l := range b {
		settled := false
		switch l.Dim {
		case space.Operation:
			if !l.Set.(region.Words).Has(int(p.Operation)) {
				return nil, false
			}
			settled = true
		case space.Capture:
			if l.Set.(region.Words)&modes == 0 {
				return nil, false
			}
			settled = modes.Len() == 1
		case space.Provider:
			settled = true // the book is the provider's
		}
		if limit := cell.Of(l.Dim); limit != nil {
			if region.Both(limit, l.Set).Empty() {
				return nil, false
			}
			settled = true // a cell lies within a limit, or outside
		}
		if settled {
			left = left.Without(l.Dim)
		}
	}
	return left, true
}

// sendsNewOrders reports whether a rule sends under a new order.
func (t *table) sendsNewOrders() bool {
	sends := func(r placed) bool { return r.decision.Action == policy.RetryNewOrder }
	return slices.ContainsFunc(t.own, sends) || slices.ContainsFunc(t.shared, sends)
}

func isAll(r region.Region) bool {
	return slices.ContainsFunc(r, func(b region.Box) bool { return len(b) == 0 })
}

// book returns what is left of the rules when they are shown something.
func (t *table) book(at *shown) *book {
	if b := t.byShow[*at]; b != nil {
		return b
	}
	var key strings.Builder
	key.WriteByte(byte(at.phase))
	own, sure := restrict(t.own, at, &key)
	var base *book
	if t.base != nil && !sure {
		base = t.base.book(at)
		if len(own) == 0 {
			t.byShow[*at] = base
			return base
		}
	}
	if base != nil {
		key.WriteByte('|')
		key.WriteString(strconv.Itoa(base.number))
	}
	settled := !at.doubt && at.fact.Effect.Settled()
	if settled {
		key.WriteByte('s')
	}
	b := t.books[key.String()]
	if b == nil {
		groups := len(t.facts.groups[at.phase])
		b = &book{own: own, base: base, number: len(t.books), at: *at, settled: settled, options: make([][]option, groups), decided: make([][]*policy.Decision, groups)}
		t.books[key.String()] = b
	}
	t.byShow[*at] = b
	return b
}

// sharedIn returns what is left of the shared rules in a book. Most books never need it.
func (t *table) sharedIn(b *book) []placed {
	if b.base != nil && !b.placed {
		var ignored strings.Builder
		b.shared, _ = restrict(t.shared, &b.at, &ignored)
		b.placed = true
	}
	return b.shared
}

// restrict leaves of rules what can hold when phase, fact and doubt are known. The result sure
// reports that the last of them holds whatever else is.
func restrict(rules []placed, at *shown, key *strings.Builder) (left []placed, sure bool) {
	for i := range rules {
		r := &rules[i]
		rest := placed{vague: r.vague, decision: r.decision}
		for _, b := range r.region {
			if b, ok := at.restrict(b); ok {
				rest.region = append(rest.region, b)
			}
		}
		if len(rest.region) == 0 && !rest.vague {
			continue
		}
		all := !rest.vague && isAll(rest.region)
		if all {
			rest.region = region.All()
		}
		left = append(left, rest)
		key.WriteString(strconv.Itoa(i))
		for _, b := range rest.region {
			key.WriteByte('/')
			key.WriteString(b.Key())
		}
		if all {
			return left, true
		}
	}
	return left, false
}

// of returns the decisions that a group's answers can get, in the order of the rules. It is at
// least one.
func (t *table) of(ph policy.Phase, b *book, group int) []option {
	if b.options[group] != nil {
		return b.options[group]
	}
	left := t.facts.groups[ph][group].boxes
	all, left, ends := t.decide(nil, left, b.own)
	if !ends && b.base != nil && len(all) == 0 {
		b.options[group] = t.base.of(ph, b.base, group)
		return b.options[group]
	}
	if !ends {
		all, left, ends = t.decide(all, left, t.sharedIn(b))
	}
	if !ends {
		rest := &t.none
		if b.settled {
			rest = &t.lost
		}
		all = append(all, option{decision: rest, witness: plainest(left)})
	}
	b.options[group] = all
	return all
}

// decide goes through rules in order. It returns what no rule has decided, and whether that is
// nothing.
func (t *table) decide(all []option, left region.Region, rules []placed) ([]option, region.Region, bool) {
	for i := range rules {
		r := &rules[i]
		if r.vague {
			all = append(all, option{decision: &r.decision, witness: plainest(left)})
			continue
		}
		hit, err := t.space.Algebra.And(left, r.region)
		if err != nil {
			all = append(all, option{decision: &r.decision, witness: plainest(left)})
			continue
		}
		if len(hit) == 0 {
			continue
		}
		all = append(all, option{decision: &r.decision, witness: plainest(hit)})
		if rest, err := t.space.Algebra.Minus(left, r.region); err == nil {
			left = rest
		} // too complex: what the rule decides may be decided by a later one too
		if len(left) == 0 {
			return all, nil, true
		}
	}
	return all, left, false
}

// plainest returns the box of a region that holds the plainest answers.
func plainest(r region.Region) region.Box {
	best := r[0]
	for _, b := range r[1:] {
		if oddity(b) < oddity(best) {
			best = b
		}
	}
	return best
}

// odd is the oddity of answers that the executor never makes: a failed call that has a code. Nothing
// in the rules' language excludes them.
const odd = 8

// oddity says how strange the plainest answer of a box is. Stories show plain ones.
func oddity(b region.Box) int {
	n, named := 0, false
	for _, d := range []region.Dim{space.Status, space.SubStatus, space.Code, space.SubCode} {
		texts, limited := b.Of(d).(region.Texts)
		if !limited || texts.Has("") {
			continue
		}
		named = true
		if texts.Except {
			n += 2 // no catalogue lists it
		}
		if d == space.SubCode {
			n++
		}
	}
	if faults, limited := b.Of(space.Fault).(region.Words); named && limited && !faults.Has(int(policy.NoFault)) {
		n += odd
	}
	return n
}

// counted limits options to those that can hold with the counts of a situation.
func (t *table) counted(ph policy.Phase, b *book, group int, c *counts) []option {
	own, shared := c.restrict(t.space, b.own), c.restrict(t.space, t.sharedIn(b))
	if b.base != nil && len(own) == 0 {
		return t.base.counted(ph, b.base, group, c)
	}
	counted := book{own: append(own, shared...), placed: true, settled: b.settled, options: make([][]option, len(b.options))}
	return t.of(ph, &counted, group)
}

// counts are what the exact model counts.
type counts struct {
	attempt, queries, elapsed int64
	fired                     policy.Counts
}

func (c *counts) restrict(s *space.Space, rules []placed) (left []placed) {
	for i := range rules {
		rest := placed{vague: rules[i].vague, decision: rules[i].decision}
		for _, b := range rules[i].region {
			if b, ok := c.restrictBox(s, b); ok {
				rest.region = append(rest.region, b)
			}
		}
		if len(rest.region) > 0 || rest.vague {
			left = append(left, rest)
		}
	}
	return left
}

func (c *counts) restrictBox(s *space.Space, b region.Box) (region.Box, bool) {
	left := b
	for _, l := range b {
		var v int64
		switch l.Dim {
		case space.Attempt:
			v = c.attempt
		case space.Queries:
			v = c.queries
		case space.Elapsed:
			v = c.elapsed
		default:
			rule, isCount := s.FiredOf(l.Dim)
			if !isCount {
				continue
			}
			v = int64(c.fired.Of(rule))
		}
		if !l.Set.(region.Ints).Has(v) {
			return nil, false
		}
		left = left.Without(l.Dim)
	}
	return left, true
}

// cells divides the payments of a table by what its rules tell apart in them: the capture mode,
// the merchant where the rules name one that has no file, the currency, and the amount. Amounts
// are divided for each currency by themselves.
func (t *table) cells() []region.Box {
	var boxes region.Region
	for _, rules := range [][]placed{t.own, t.shared} {
		for i := range rules {
			boxes = append(boxes, rules[i].region...)
		}
	}
	cells := []region.Box{nil}
	for _, d := range []region.Dim{space.Capture, space.Merchant, space.Currency, space.Amount} {
		var next []region.Box
		for _, cell := range cells {
			next = append(next, divide(t.space, cell, d, boxes)...)
		}
		cells = next
	}
	return cells
}

// divide divides a cell along one dimension, at the limits of the boxes that meet the cell.
func divide(s *space.Space, cell region.Box, d region.Dim, boxes region.Region) []region.Box {
	parts := []region.Set{s.Full(d)}
	for _, b := range boxes {
		limit := b.Of(d)
		if limit == nil || !cell.Meets(b) {
			continue
		}
		var next []region.Set
		for _, part := range parts {
			for _, piece := range []region.Set{region.Both(part, limit), region.Without(part, limit)} {
				if !piece.Empty() {
					next = append(next, piece)
				}
			}
		}
		parts = next
	}
	if len(parts) == 1 {
		return []region.Box{cell}
	}
	slices.SortStableFunc(parts, func(a, b region.Set) int { return cmp.Compare(partKey(a), partKey(b)) })
	cells := make([]region.Box, len(parts))
	for i, part := range parts {
		cells[i] = cell.With(d, part)
	}
	return cells
}

// partKey orders the parts of a dimension, whatever the order of the rules.
func partKey(s region.Set) string {
	return region.Box{{Dim: 0, Set: s}}.Key()
}
