package region

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// joinPlainly is the plain twin of joinAlong: it groups boxes by the text of what is left of them.
func joinPlainly(a *Algebra, r Region, d Dim) Region {
	at := map[string]int{}
	var out Region
	for _, b := range r {
		rest := b.Without(d)
		i, known := at[rest.Key()]
		if !known {
			at[rest.Key()] = len(out)
			out = append(out, b)
			continue
		}
		x, y := out[i].Of(d), b.Of(d)
		switch {
		case x == nil:
		case y == nil || a.Full(d).minus(plainJoin(x, y)).Empty():
			out[i] = rest
		default:
			out[i] = rest.With(d, plainJoin(x, y))
		}
	}
	return out
}

// plainJoin joins two sets by what is in neither.
func plainJoin(a, b Set) Set {
	var all Set = NotIn()
	switch a.(type) {
	case Words:
		return a.(Words) | b.(Words)
	case Ints:
		all = Range(Least, Most)
	}
	return all.minus(all.minus(a).and(all.minus(b)))
}

// Boxes are grouped by a hash once they are many; the groups are those of their keys.
func TestJoinIsThatOfThePlainTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Region
		for range rapid.IntRange(1, 16).Draw(t, "regions") {
			r = append(r, someRegion(t)...)
		}
		d := Dim(rapid.IntRange(0, 4).Draw(t, "along"))
		if got, want := algebra.joinAlong(r, d), joinPlainly(&algebra, r, d); !slices.EqualFunc(got, want, sameKey) {
			t.Fatalf("along %d\n%s\n%s", d, shown(got), shown(want))
		}
	})
}

func sameKey(a, b Box) bool { return a.Key() == b.Key() }

// What is done with sets without making one, against the sets.
func TestSetsAgreeWithTheirPlainTwins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, b := range someRegion(t) {
			for _, c := range someRegion(t) {
				for _, x := range b {
					y := c.Of(x.Dim)
					if y == nil {
						continue
					}
					both := x.Set.and(y)
					for what, agree := range map[string]bool{
						"within": x.Set.within(y) == x.Set.minus(y).Empty(),
						"meet":   meet(x.Set, y) == !both.Empty(),
						"both":   keyOf(Both(x.Set, y)) == keyOf(both),
						"join":   keyOf(Join(x.Set, y)) == keyOf(plainJoin(x.Set, y)),
						"equal":  equal(x.Set, y) == (keyOf(x.Set) == keyOf(y)),
						"hash":   !equal(x.Set, y) || hash(1, x.Set) == hash(1, y),
					} {
						if !agree {
							t.Fatalf("%s is wrong of %v and %v", what, x.Set, y)
						}
					}
				}
				if b.Equal(c) != (b.Key() == c.Key()) {
					t.Fatalf("%v equals %v: %t", b, c, b.Equal(c))
				}
			}
		}
	})
}

func keyOf(s Set) string { return Box{{0, s}}.Key() }

// Many boxes that differ along one dimension, as the answers of a catalogue do.
func BenchmarkJoinManyBoxes(b *testing.B) {
	var r Region
	for i := range 600 {
		r = append(r, Box{{0, Words(1 + i%15)}, {2, In(fmt.Sprint(i / 4))}, {3, Range(0, int64(i%3))}})
	}
	b.Run("by hash", func(b *testing.B) {
		for b.Loop() {
			algebra.joinAlong(r, 2)
		}
	})
	b.Run("by key, the plain twin", func(b *testing.B) {
		for b.Loop() {
			joinPlainly(&algebra, r, 2)
		}
	})
}
