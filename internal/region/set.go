package region

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Set is a set of values of one dimension. The set of kinds is closed: [Words], [Texts],
// [Ints]. Sets are not written to once they are made.
type Set interface {
	Empty() bool
	and(Set) Set
	minus(Set) Set
	within(Set) bool
	key(*strings.Builder)
}

// Words are values of a closed list, a bit each.
type Words uint64

// Empty reports whether no value is left.
func (w Words) Empty() bool            { return w == 0 }
func (w Words) and(o Set) Set          { return w & o.(Words) }
func (w Words) minus(o Set) Set        { return w &^ o.(Words) }
func (w Words) within(o Set) bool      { return w&^o.(Words) == 0 }
func (w Words) key(b *strings.Builder) { number(b, int64(w)) }

// Len is how many values there are.
func (w Words) Len() int { return bits.OnesCount64(uint64(w)) }

// Has reports whether the value at an index is among them.
func (w Words) Has(i int) bool { return w&(1<<i) != 0 }

// Texts are the texts of a sorted list, or every text but those.
type Texts struct {
	Except bool // every text but List
	List   []string
}

// In is the set of some texts, in any order.
func In(list ...string) Texts {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	return Texts{List: slices.Compact(sorted)}
}

// NotIn is every text but some.
func NotIn(list ...string) Texts { t := In(list...); t.Except = true; return t }

// Empty reports whether no text is left; there are more texts than any list has.
func (t Texts) Empty() bool { return !t.Except && len(t.List) == 0 }

// Has reports whether a text is in the set.
func (t Texts) Has(s string) bool {
	_, found := slices.BinarySearch(t.List, s)
	return found != t.Except
}

func (t Texts) and(o Set) Set {
	u := o.(Texts)
	switch {
	case t.Except && u.Except:
		return Texts{Except: true, List: merge(t.List, u.List)}
	case t.Except:
		return Texts{List: pick(u.List, t.List, false)}
	case u.Except:
		return Texts{List: pick(t.List, u.List, false)}
	}
	return Texts{List: pick(t.List, u.List, true)}
}

// meets is whether two sets have a text in common, without making a set.
func (t Texts) meets(u Texts) bool {
	switch {
	case t.Except && u.Except:
		return true
	case t.Except:
		t, u = u, t
	}
	list, others, in := t.List, u.List, !u.Except
	j := 0
	for _, s := range list {
		for j < len(others) && others[j] < s {
			j++
		}
		if (j < len(others) && others[j] == s) == in {
			return true
		}
	}
	return false
}

func (t Texts) minus(o Set) Set {
	u := o.(Texts)
	return t.and(Texts{Except: !u.Except, List: u.List})
}

func (t Texts) within(o Set) bool {
	u := o.(Texts)
	switch {
	case !t.Except:
		return !t.meets(Texts{Except: !u.Except, List: u.List})
	case !u.Except:
		return false // there are more texts than any list has
	}
	return !Texts{List: u.List}.meets(Texts{Except: true, List: t.List})
}

func (t Texts) key(b *strings.Builder) {
	if t.Except {
		b.WriteByte('!')
	}
	for _, s := range t.List {
		number(b, int64(len(s)))
		b.WriteString(s)
	}
}

// pick keeps the texts of a sorted list that are, or are not, in another.
func pick(list, other []string, in bool) []string {
	var kept []string
	j := 0
	for _, s := range list {
		for j < len(other) && other[j] < s {
			j++
		}
		if (j < len(other) && other[j] == s) == in {
			kept = append(kept, s)
		}
	}
	return kept
}

// merge joins two sorted lists, each text once.
func merge(a, b []string) []string {
	all := make([]string, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(a[0], b[0]) {
		case -1:
			all, a = append(all, a[0]), a[1:]
		case 1:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// Span is every whole number from Lo to Hi.
type Span struct{ Lo, Hi int64 }

// Ints are spans in their order, with a gap between any two.
type Ints []Span

// Empty reports whether no number is left.
func (n Ints) Empty() bool { return len(n) == 0 }

// Has reports whether a number is in the set.
func (n Ints) Has(v int64) bool {
	for _, s := range n {
		if s.Lo <= v && v <= s.Hi {
			return true
		}
	}
	return false
}

// Range is every number from lo to hi; empty when hi is below lo.
func Range(lo, hi int64) Ints {
	if hi < lo {
		return nil
	}
	return Ints{{lo, hi}}
}

// Least and Most bound the numbers.
const (
	Least int64 = math.MinInt64
	Most  int64 = math.MaxInt64
)

func (n Ints) and(o Set) Set {
	m := o.(Ints)
	var out Ints
	for i, j := 0, 0; i < len(n) && j < len(m); {
		if lo, hi := max(n[i].Lo, m[j].Lo), min(n[i].Hi, m[j].Hi); lo <= hi {
			out = append(out, Span{lo, hi})
		}
		if n[i].Hi < m[j].Hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (n Ints) minus(o Set) Set { return n.and(o.(Ints).complement()) }

func (n Ints) complement() Ints {
	var out Ints
	next := Least
	for _, s := range n {
		if s.Lo > next {
			out = append(out, Span{next, s.Lo - 1})
		}
		if s.Hi == Most {
			return out
		}
		next = s.Hi + 1
	}
	return append(out, Span{next, Most})
}

func (n Ints) within(o Set) bool {
	m := o.(Ints)
	for _, s := range n {
		for len(m) > 0 && m[0].Hi < s.Lo {
			m = m[1:]
		}
		if len(m) == 0 || s.Lo < m[0].Lo || m[0].Hi < s.Hi {
			return false
		}
	}
	return true
}

// meets is whether two sets have a number in common, without making a set.
func (n Ints) meets(m Ints) bool {
	for len(n) > 0 && len(m) > 0 {
		if max(n[0].Lo, m[0].Lo) <= min(n[0].Hi, m[0].Hi) {
			return true
		}
		if n[0].Hi < m[0].Hi {
			n = n[1:]
		} else {
			m = m[1:]
		}
	}
	return false
}

func (n Ints) key(b *strings.Builder) {
	for _, s := range n {
		number(b, s.Lo)
		number(b, s.Hi)
	}
}

// Join is the set of the values in either of two sets of the same kind.
func Join(a, b Set) Set {
	switch {
	case b.within(a):
		return a
	case a.within(b):
		return b
	}
	switch a := a.(type) {
	case Words:
		return a | b.(Words)
	case Texts:
		u := b.(Texts)
		switch {
		case a.Except && u.Except:
			return Texts{Except: true, List: pick(a.List, u.List, true)}
		case a.Except:
			return Texts{Except: true, List: pick(a.List, u.List, false)}
		case u.Except:
			return Texts{Except: true, List: pick(u.List, a.List, false)}
		}
		return Texts{List: merge(a.List, u.List)}
	case Ints:
		return a.complement().and(b.(Ints).complement()).(Ints).complement()
	}
	return nil
}

func number(b *strings.Builder, n int64) {
	var buf [20]byte
	i := len(buf)
	u := uint64(n)
	for {
		i--
		buf[i] = 'A' + byte(u&15)
		if u >>= 4; u == 0 {
			break
		}
	}
	b.Write(buf[i:])
	b.WriteByte(',')
}

// Without is what is left of a set without another of the same kind.
func Without(a, b Set) Set { return a.minus(b) }

// Both is what two sets of the same kind have in common: one of them, where it lies in the other.
func Both(a, b Set) Set {
	switch {
	case a.within(b):
		return a
	case b.within(a):
		return b
	}
	return a.and(b)
}

// equal reports whether two sets of the same kind have the same values.
func equal(a, b Set) bool {
	switch a := a.(type) {
	case Words:
		return a == b.(Words)
	case Texts:
		u := b.(Texts)
		return a.Except == u.Except && len(a.List) == len(u.List) &&
			(len(a.List) == 0 || &a.List[0] == &u.List[0] || slices.Equal(a.List, u.List))
	case Ints:
		return slices.Equal(a, b.(Ints))
	}
	return false
}

// hash is the same for equal sets, and seldom for others.
func hash(h uint64, s Set) uint64 {
	switch s := s.(type) {
	case Words:
		return mix(h, uint64(s))
	case Texts:
		h = mix(h, uint64(len(s.List)))
		for i, n := 0, len(s.List); i < n; i += max(1, n/4) { // a few of them tell long lists apart
			for k := range len(s.List[i]) {
				h = mix(h, uint64(s.List[i][k]))
			}
		}
		if s.Except {
			h++
		}
		return h
	case Ints:
		for _, span := range s {
			h = mix(mix(h, uint64(span.Lo)), uint64(span.Hi))
		}
	}
	return h
}

func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9E3779B97F4A7C15
	return h ^ h>>32
}
