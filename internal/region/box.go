package region

import (
	"slices"
	"strings"
)

// Dim names a dimension. The caller gives each a number, and always the same kind of set.
type Dim int32

// Limit is one dimension and the values that are left of it.
type Limit struct {
	Dim Dim
	Set Set
}

// Box is every point whose dimensions are within its limits, which stand in the order of
// their dimensions. A dimension without a limit is free, so the empty box is everything.
// A limit that leaves nothing never stands in a box.
type Box []Limit

// Of returns what a box leaves of a dimension; nil where it is free.
func (b Box) Of(d Dim) Set {
	for i := range b {
		if b[i].Dim == d {
			return b[i].Set
		}
	}
	return nil
}

// With returns the box with one dimension's values replaced.
func (b Box) With(d Dim, s Set) Box {
	i, found := b.at(d)
	if found {
		out := slices.Clone(b)
		out[i].Set = s
		return out
	}
	out := make(Box, 0, len(b)+1)
	out = append(append(out, b[:i]...), Limit{d, s})
	return append(out, b[i:]...)
}

// at is where the limit of a dimension is, or belongs.
func (b Box) at(d Dim) (i int, found bool) {
	for i < len(b) && b[i].Dim < d {
		i++
	}
	return i, i < len(b) && b[i].Dim == d
}

// Without returns the box with a dimension set free.
func (b Box) Without(d Dim) Box {
	return slices.DeleteFunc(slices.Clone(b), func(l Limit) bool { return l.Dim == d })
}

// And is what two boxes have in common; ok is false when that is nothing.
func (b Box) And(o Box) (both Box, ok bool) {
	if !b.Meets(o) {
		return nil, false
	}
	both = make(Box, 0, len(b)+len(o))
	i, j := 0, 0
	for i < len(b) && j < len(o) {
		switch {
		case b[i].Dim < o[j].Dim:
			both = append(both, b[i])
			i++
		case b[i].Dim > o[j].Dim:
			both = append(both, o[j])
			j++
		default:
			both = append(both, Limit{b[i].Dim, Both(b[i].Set, o[j].Set)})
			i, j = i+1, j+1
		}
	}
	both = append(both, b[i:]...)
	return append(both, o[j:]...), true
}

// Meets reports whether two boxes have a point in common.
func (b Box) Meets(o Box) bool {
	for i, j := 0, 0; i < len(b) && j < len(o); {
		switch {
		case b[i].Dim < o[j].Dim:
			i++
		case b[i].Dim > o[j].Dim:
			j++
		default:
			if !meet(b[i].Set, o[j].Set) {
				return false
			}
			i, j = i+1, j+1
		}
	}
	return true
}

func meet(a, b Set) bool {
	switch a := a.(type) {
	case Words:
		return a&b.(Words) != 0
	case Texts:
		return a.meets(b.(Texts))
	case Ints:
		return a.meets(b.(Ints))
	}
	return false
}

// Within reports whether a box lies inside another.
func (b Box) Within(o Box) bool {
	i := 0
	for j := range o {
		for i < len(b) && b[i].Dim < o[j].Dim {
			i++
		}
		if i == len(b) || b[i].Dim != o[j].Dim || !b[i].Set.within(o[j].Set) {
			return false
		}
	}
	return true
}

// minus appends what is left of b without o, in boxes apart from one another. Full says
// what a free dimension holds.
func (b Box) minus(o Box, full func(Dim) Set, out []Box) []Box {
	var buffer [24]Limit
	rest := append(buffer[:0], b...) // of this call alone, so it may be written to
	for _, l := range o {
		i, limited := Box(rest).at(l.Dim)
		have := full(l.Dim)
		if limited {
			have = rest[i].Set
		}
		if have.within(l.Set) {
			continue
		}
		out = append(out, Box(rest).With(l.Dim, have.minus(l.Set)))
		if !limited {
			rest = slices.Insert(rest, i, Limit{Dim: l.Dim})
		}
		rest[i].Set = Both(have, l.Set)
	}
	return out
}

// Equal reports whether two boxes have the same points.
func (b Box) Equal(o Box) bool {
	return len(b) == len(o) && b.equalBut(o, -1)
}

// equalBut is Equal for everything but one dimension.
func (b Box) equalBut(o Box, d Dim) bool {
	i, j := 0, 0
	for {
		if i < len(b) && b[i].Dim == d {
			i++
		}
		if j < len(o) && o[j].Dim == d {
			j++
		}
		if i == len(b) || j == len(o) {
			return i == len(b) && j == len(o)
		}
		if b[i].Dim != o[j].Dim || !equal(b[i].Set, o[j].Set) {
			return false
		}
		i, j = i+1, j+1
	}
}

// hashBut is the same for boxes that are equal but for one dimension, and seldom for others.
func (b Box) hashBut(d Dim) uint64 {
	h := uint64(len(b))
	if _, limited := b.at(d); limited {
		h--
	}
	for _, l := range b {
		if l.Dim != d {
			h = hash(mix(h, uint64(l.Dim)), l.Set)
		}
	}
	return h
}

// Key is the same for equal boxes and no others.
func (b Box) Key() string {
	var s strings.Builder
	for _, l := range b {
		number(&s, int64(l.Dim))
		l.Set.key(&s)
		s.WriteByte(';')
	}
	return s.String()
}
