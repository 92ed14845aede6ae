package space

import (
	"github.com/recourse-pay/recourse/internal/region"
)

// Index finds what can be reached within a region. It is read-only.
type Index struct {
	All     []Reached
	buckets map[bucket][]int32 // by what every box of All has one of, or is free in
}

// bucket is an operation, an effect and a class.
type bucket struct{ op, effect, class int8 }

// NewIndex prepares what can be reached for being looked up.
func NewIndex(all []Reached) *Index {
	x := &Index{All: all, buckets: map[bucket][]int32{}}
	for i, at := range all {
		each(at.Box, func(k bucket) { x.buckets[k] = append(x.buckets[k], int32(i)) })
	}
	return x
}

// each visits the buckets that a box touches.
func each(b region.Box, visit func(bucket)) {
	ops, effects, classes := wordsOf(b, Operation), wordsOf(b, Effect), wordsOf(b, Class)
	for op := range len(firstDims[Operation].words) {
		if !ops.Has(op) {
			continue
		}
		for e := range len(firstDims[Effect].words) {
			if !effects.Has(e) {
				continue
			}
			for c := range len(firstDims[Class].words) {
				if classes.Has(c) {
					visit(bucket{int8(op), int8(e), int8(c)})
				}
			}
		}
	}
}

func wordsOf(b region.Box, d region.Dim) region.Words {
	if set, limited := b.Of(d).(region.Words); limited {
		return set
	}
	return firstDims[d].full.(region.Words)
}

// Find returns the plainest of what can be reached within a region; nil when there is none.
func (x *Index) Find(r region.Region) *Reached {
	best, box := int32(len(x.All)), region.Box(nil)
	for _, b := range r {
		each(b, func(k bucket) {
			for _, i := range x.buckets[k] {
				if i >= best {
					return
				}
				if b.Meets(x.All[i].Box) {
					best, box = i, b
					return
				}
			}
		})
	}
	if int(best) == len(x.All) {
		return nil
	}
	both, _ := box.And(x.All[best].Box)
	return &Reached{Box: both, How: x.All[best].How}
}
