package simulate

// table finds things by hashes: a map with one memory access to most of them, which for millions of lines is what a map costs. A hash has one
// thing. The zero value is ready.
type table[T any] struct {
	slots []slot[T] // a power of two of them; each thing stands in the first that was free from its hash on
	used  int
}

type slot[T any] struct {
	hash uint64
	it   *T // nil: the slot is free
}

// at is the place of a hash in the table: its own, or the free one where it would be.
func (t *table[T]) at(hash uint64) int {
	last := len(t.slots) - 1
	i := int(hash) & last
	for t.slots[i].it != nil && t.slots[i].hash != hash {
		i = (i + 1) & last
	}
	return i
}

// get returns what has a hash; nil: nothing has.
func (t *table[T]) get(hash uint64) *T {
	if t.used == 0 {
		return nil
	}
	return t.slots[t.at(hash)].it
}

// set puts a thing under a hash, in place of what was there.
func (t *table[T]) set(hash uint64, it *T) {
	if t.used >= len(t.slots)/4*3 {
		was := t.slots
		t.slots = make([]slot[T], max(64, 2*len(was)))
		for _, s := range was {
			if s.it != nil {
				t.slots[t.at(s.hash)] = s
			}
		}
	}
	s := &t.slots[t.at(hash)]
	if s.it == nil {
		t.used++
	}
	*s = slot[T]{hash, it}
}

// remove takes away what has a hash, and closes the gap: those behind it are looked for from their hashes on.
func (t *table[T]) remove(hash uint64) {
	if t.get(hash) == nil {
		return
	}
	t.used--
	last := len(t.slots) - 1
	gap := t.at(hash)
	for i := (gap + 1) & last; t.slots[i].it != nil; i = (i + 1) & last {
		if from := int(t.slots[i].hash) & last; (i-from)&last >= (i-gap)&last {
			t.slots[gap], gap = t.slots[i], i
		}
	}
	t.slots[gap] = slot[T]{}
}
