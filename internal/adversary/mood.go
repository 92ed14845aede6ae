package adversary

import "math/rand/v2"

// mood is how a provider and its surroundings are inclined for some walks. What needs many unlikely
// things comes about when they are all likely for a while.
type mood struct {
	disturb int    // one event in so many comes unasked
	events  [7]int // weights: resume, withdraw, person, late answer, silent arrival, webhook, nothing
	effects [4]int // weights of the effects of answers
	hot     int    // one answer in so many is any, the others are near the texts of a rule
	rule    int    // that rule
	earlier int    // one answer in so many names an earlier request, where it can; 0: none
	person  bool   // people look at the payment often, and the provider says otherwise afterwards
}

func (w *walker) drawMood() {
	w.mood.disturb, w.mood.hot = one(w.Rand, 2, 3, 6, 12), one(w.Rand, 2, 4, 10)
	for i := range w.mood.events {
		w.mood.events[i] = one(w.Rand, 0, 1, 1, 2, 6)
	}
	w.mood.events[6] = 1
	if n := len(w.pools[0].near); n > 0 { // the rules of the upper layers stand first, and are the merchant's own
		w.mood.rule = min(w.IntN(n), w.IntN(n))
	}
	for i := range w.mood.effects {
		w.mood.effects[i] = one(w.Rand, 1, 1, 2, 5)
	}
	w.mood.earlier = one(w.Rand, 0, 2, 4, 10)
	if w.mood.person = w.IntN(3) == 0; w.mood.person {
		w.mood.events[2] = 6
	}
}

// weighted draws an index by weights.
func weighted(r *rand.Rand, weights []int) int {
	sum := 0
	for _, n := range weights {
		sum += n
	}
	n := r.IntN(sum)
	for i, of := range weights {
		if n -= of; n < 0 {
			return i
		}
	}
	return 0
}
