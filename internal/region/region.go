package region

import (
	"errors"
	"slices"
)

// Region is a union of boxes, which may overlap. Nil is nothing.
type Region []Box

// ErrTooComplex says that an operation would have needed more boxes than its budget.
var ErrTooComplex = errors.New("too complex to tell")

// Algebra knows what a free dimension holds, and how many boxes a result may have.
type Algebra struct {
	Full  func(Dim) Set
	Boxes int // per result; 0: 1024
}

func (a *Algebra) budget() int {
	if a.Boxes == 0 {
		return 1024
	}
	return a.Boxes
}

// All is everything.
func All() Region { return Region{Box{}} }

// Or is the union of regions.
func (a *Algebra) Or(r, s Region) (Region, error) {
	out := slices.Clone(r)
	for _, b := range s {
		if !slices.ContainsFunc(r, b.Within) {
			out = append(out, b)
		}
	}
	if len(out) > a.budget() {
		return nil, ErrTooComplex
	}
	return out, nil
}

// And is what two regions have in common.
func (a *Algebra) And(r, s Region) (Region, error) {
	var out Region
	for _, b := range r {
		for _, c := range s {
			if both, ok := b.And(c); ok {
				out = append(out, both)
			}
		}
		if len(out) > a.budget() {
			if out = reduce(out); len(out) > a.budget() {
				return nil, ErrTooComplex
			}
		}
	}
	if len(out) > 1 && len(out) <= 64 {
		out = reduce(out)
	}
	return out, nil
}

// Minus is what is left of a region without another.
func (a *Algebra) Minus(r, s Region) (Region, error) {
	left := r
	for _, c := range s {
		if !left.meets(c) {
			continue
		}
		next := make(Region, 0, len(left)+2)
		for _, b := range left {
			if !b.Meets(c) {
				next = append(next, b)
				continue
			}
			next = b.minus(c, a.Full, next)
		}
		if left = next; len(left) == 0 {
			return nil, nil
		}
		if len(left) > a.budget() {
			return nil, ErrTooComplex
		}
	}
	return left, nil
}

// Not is everything outside of a region.
func (a *Algebra) Not(r Region) (Region, error) { return a.Minus(All(), r) }

// Meets reports whether two regions have a point in common.
func (r Region) Meets(s Region) bool { return slices.ContainsFunc(s, r.meets) }

func (r Region) meets(c Box) bool { return slices.ContainsFunc(r, c.Meets) }

// reduce leaves out boxes that lie inside another.
func reduce(r Region) Region {
	out := make(Region, 0, len(r))
	for i, b := range r {
		covered := false
		for j, c := range r {
			if i != j && b.Within(c) && (j < i || !c.Within(b)) {
				covered = true
				break
			}
		}
		if !covered {
			out = append(out, b)
		}
	}
	return out
}

// Merge joins boxes that differ in one dimension only, as far as that goes. The points stay
// the same.
func (a *Algebra) Merge(r Region) Region {
	r = reduce(r)
	for again := true; again; {
		again = false
		for _, d := range dims(r) {
			if joined := a.joinAlong(r, d); len(joined) < len(r) {
				r, again = joined, true
			}
		}
	}
	return r
}

// MergeAlong joins boxes that differ in one of the given dimensions only, once each.
func (a *Algebra) MergeAlong(r Region, along ...Dim) Region {
	for _, d := range along {
		r = a.joinAlong(r, d)
	}
	return r
}

func dims(r Region) []Dim {
	var all []Dim
	for _, b := range r {
		for _, l := range b {
			all = append(all, l.Dim)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// joinAlong joins boxes that are alike but for one dimension.
func (a *Algebra) joinAlong(r Region, d Dim) Region {
	if len(r) < 2 {
		return r
	}
	var out Region
	known := alikes{d: d}
	for _, b := range r {
		i := known.find(out, b)
		if i < 0 {
			out = append(out, b)
			continue
		}
		x, y := out[i].Of(d), b.Of(d)
		switch {
		case x == nil:
		case y == nil:
			out[i] = b
		default:
			all := Join(x, y)
			if a.Full(d).within(all) {
				out[i] = b.Without(d)
			} else {
				out[i] = b.With(d, all)
			}
		}
	}
	return out
}

// alikes finds a box that is alike but for one dimension. Few boxes are compared one by one.
type alikes struct {
	d    Dim
	last map[uint64]int32 // by hash, the last box that has it
	next []int32          // beside the boxes: one before it of the same hash, or -1
}

// find returns the place of a box among others that is like b; -1 when there is none, and b is the next of them.
func (k *alikes) find(all Region, b Box) int {
	const few = 12
	if len(all) < few {
		return slices.IndexFunc(all, func(o Box) bool { return o.equalBut(b, k.d) })
	}
	if k.last == nil {
		k.last = map[uint64]int32{}
	}
	for len(k.next) < len(all) {
		k.add(all[len(k.next)].hashBut(k.d))
	}
	h := b.hashBut(k.d)
	if i, known := k.last[h]; known {
		for ; i >= 0; i = k.next[i] {
			if all[i].equalBut(b, k.d) {
				return int(i)
			}
		}
	}
	return -1
}

func (k *alikes) add(h uint64) {
	before, known := k.last[h]
	if !known {
		before = -1
	}
	k.last[h] = int32(len(k.next))
	k.next = append(k.next, before)
}
