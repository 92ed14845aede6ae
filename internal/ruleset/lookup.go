package ruleset

import (
	"hash/maphash"
	mathbits "math/bits"
)

// lookup finds a value by a text. It is read-only, and a find touches less memory than that of a map: at
// thousands of merchants what a decision costs is the memory that is in no cache.
type lookup[T any] struct{ slots []slot[T] }

type slot[T any] struct {
	text  string
	hash  uint32 // 0: the slot is empty
	value T
}

var hashSeed = maphash.MakeSeed()

// hashOf is never 0.
func hashOf(text string) uint32 { return uint32(maphash.String(hashSeed, text)) | 1 }

func newLookup[T any](values map[string]T) lookup[T] {
	if len(values) == 0 {
		return lookup[T]{}
	}
	size := 1 << mathbits.Len(uint(len(values)+len(values)/2)) // at most two thirds are full
	l := lookup[T]{slots: make([]slot[T], size)}
	for text, value := range values {
		hash := hashOf(text)
		i := l.first(hash)
		for l.slots[i].hash != 0 {
			i = (i + 1) % size
		}
		l.slots[i] = slot[T]{text, hash, value}
	}
	return l
}

// first is where the search for a hash begins. Its last bit is always set, so it does not count.
func (l *lookup[T]) first(hash uint32) int { return int(hash>>1) & (len(l.slots) - 1) }

// find returns the value of a text; nil: there is none.
func (l *lookup[T]) find(text string, hash uint32) *T {
	if len(l.slots) == 0 {
		return nil
	}
	for i := l.first(hash); ; i = (i + 1) & (len(l.slots) - 1) {
		s := &l.slots[i]
		switch {
		case s.hash == 0:
			return nil
		case s.hash == hash && s.text == text:
			return &s.value
		}
	}
}
