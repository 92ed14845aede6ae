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

func (t Texts) within(o Set) bool { return t.minus(o).Empty() }

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

func merge(a, b []string) []string {
	all := append(append(make([]string, 0, len(a)+len(b)), a...), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Span is every whole number from Lo to Hi.
type Span struct{ Lo, Hi int64 }

// Ints are spans in their order, apart from one another.
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

func (n Ints) within(o Set) bool { return n.minus(o).Empty() }

func (n Ints) key(b *strings.Builder) {
	for _, s := range n {
		number(b, s.Lo)
		number(b, s.Hi)
	}
}

// Join is the set of the values in either of two sets of the same kind.
func Join(a, b Set) Set {
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

// Both is what two sets of the same kind have in common.
func Both(a, b Set) Set { return a.and(b) }
