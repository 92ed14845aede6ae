package simulate

import (
	"testing"

	"pgregory.net/rapid"
)

// A table finds what a map finds, also where hashes lie close together.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var mine table[int]
		plain := map[uint64]*int{}
		hash := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.SampledFrom([]uint64{0, 1 << 60, 2 << 60, 3 << 62, 1<<60 + 63}), rapid.Uint64Range(60, 70), rapid.Uint64())
		for n := range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch h := hash.Draw(t, "hash"); rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				mine.remove(h)
				delete(plain, h)
			default:
				mine.set(h, &n)
				plain[h] = &n
			}
			if mine.used != len(plain) {
				t.Fatalf("%d are in the table, %d in the map", mine.used, len(plain))
			}
			for h, it := range plain {
				if mine.get(h) != it {
					t.Fatalf("%d is not found", h)
				}
			}
			if h := hash.Draw(t, "other"); mine.get(h) != plain[h] {
				t.Fatalf("%d is found", h)
			}
		}
	})
}
