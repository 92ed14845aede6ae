package space

import (
	"iter"
	"math/bits"
	"slices"

	"github.com/recourse-pay/recourse/internal/region"
)

// Index finds what can be reached within a region. It is read-only.
type Index struct {
	All     []Reached
	buckets [][]int32 // by an operation, an effect and a class that a box of All has, or is free in
	limited [fixed]bool
}

// NewIndex prepares what can be reached for being looked up.
func NewIndex(all []Reached) *Index {
	x := &Index{All: all, buckets: make([][]int32, wordCount(Operation)*wordCount(Effect)*wordCount(Class))}
	for i, at := range all {
		each(at.Box, func(k int) bool { x.buckets[k] = append(x.buckets[k], int32(i)); return true })
		for _, l := range at.Box {
			x.limited[l.Dim] = true
		}
	}
	return x
}

func wordCount(d region.Dim) int { return len(firstDims[d].words) }

// each visits the buckets that a box touches.
func each(b region.Box, visit func(bucket int) bool) {
	ops, effects, classes := wordsOf(b, Operation), wordsOf(b, Effect), wordsOf(b, Class)
	for o := ops; o != 0; o &= o - 1 {
		for e := effects; e != 0; e &= e - 1 {
			for c := classes; c != 0; c &= c - 1 {
				if !visit((lowest(o)*wordCount(Effect)+lowest(e))*wordCount(Class) + lowest(c)) {
					return
				}
			}
		}
	}
}

func lowest(w region.Words) int { return bits.TrailingZeros64(uint64(w)) }

func wordsOf(b region.Box, d region.Dim) region.Words {
	if set, limited := b.Of(d).(region.Words); limited {
		return set
	}
	return firstDims[d].full.(region.Words)
}

// Seen returns a box without the dimensions that nothing reached is limited in, but for those to
// keep: the rest makes no difference to what of the box can be reached.
func (x *Index) Seen(b region.Box, keep ...region.Dim) region.Box {
	out := make(region.Box, 0, len(b))
	for _, l := range b {
		if l.Dim < fixed && x.limited[l.Dim] || slices.Contains(keep, l.Dim) {
			out = append(out, l)
		}
	}
	return out
}

// First returns the place in All of the plainest that can be reached within a box; len(All)
// when there is none.
func (x *Index) First(b region.Box) int { return x.first(b, len(x.All)) }

// first is First among those before a place; that place when there is none.
func (x *Index) first(b region.Box, before int) int {
	each(b, func(bucket int) bool {
		for _, i := range x.buckets[bucket] {
			if int(i) >= before {
				break
			}
			if b.Meets(x.All[i].Box) {
				before = int(i)
				break
			}
		}
		return before > 0
	})
	return before
}

// Find returns the plainest of what can be reached within a region; nil when there is none.
func (x *Index) Find(r region.Region) *Reached {
	best, box := len(x.All), region.Box(nil)
	for _, b := range r {
		if i := x.first(b, best); i < best {
			best, box = i, b
		}
	}
	if best == len(x.All) {
		return nil
	}
	both, _ := box.And(x.All[best].Box)
	return &Reached{Box: both, How: x.All[best].How}
}

// Occurring yields the boxes of a region that can be reached and how they come about, the
// plainest first when All is in that order.
func (x *Index) Occurring(r region.Region) iter.Seq2[region.Box, How] {
	return func(yield func(region.Box, How) bool) {
		from := len(x.All)
		for _, b := range r {
			from = x.first(b, from)
		}
		for i := from; i < len(x.All); i++ {
			for _, b := range r {
				if both, ok := b.And(x.All[i].Box); ok && !yield(both, x.All[i].How) {
					return
				}
			}
		}
	}
}
