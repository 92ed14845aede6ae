package region

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The twin: two word dimensions, a text and two numbers, of which it tries every value that
// the drawn sets can tell apart.
var full = map[Dim]Set{0: Words(0b1111), 1: Words(0b11), 2: NotIn(), 3: Range(0, 9), 4: Range(1, Most)}

var algebra = Algebra{Full: func(d Dim) Set { return full[d] }, Boxes: 1 << 20}

type point struct {
	a, b int
	text string
	n, m int64
}

func everywhere(visit func(point)) {
	for a := range 4 {
		for b := range 2 {
			for _, text := range []string{"", "x", "y", "some other"} {
				for _, n := range []int64{0, 1, 2, 3, 4, 5, 9} {
					for _, m := range []int64{1, 2, 3, Most} {
						visit(point{a, b, text, n, m})
					}
				}
			}
		}
	}
}

func (b Box) has(p point) bool {
	for _, l := range b {
		ok := false
		switch l.Dim {
		case 0:
			ok = l.Set.(Words).Has(p.a)
		case 1:
			ok = l.Set.(Words).Has(p.b)
		case 2:
			ok = l.Set.(Texts).Has(p.text)
		case 3:
			ok = l.Set.(Ints).Has(p.n)
		case 4:
			ok = l.Set.(Ints).Has(p.m)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (r Region) has(p point) bool {
	for _, b := range r {
		if b.has(p) {
			return true
		}
	}
	return false
}

func someRegion(t *rapid.T) Region {
	var r Region
	for range rapid.IntRange(0, 4).Draw(t, "boxes") {
		b := Box{}
		if s := Words(rapid.IntRange(0, 15).Draw(t, "a")); s != 0 && s != 15 {
			b = append(b, Limit{0, s})
		}
		if s := Words(rapid.IntRange(0, 2).Draw(t, "b")); s != 0 {
			b = append(b, Limit{1, s})
		}
		if rapid.Bool().Draw(t, "text") {
			s := In(rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "y"}), 1, 3).Draw(t, "texts")...)
			s.Except = rapid.Bool().Draw(t, "except")
			b = append(b, Limit{2, s})
		}
		if rapid.Bool().Draw(t, "n") {
			lo := rapid.Int64Range(0, 3).Draw(t, "lo")
			s := Range(lo, rapid.SampledFrom([]int64{lo, lo + 1, 9}).Draw(t, "hi"))
			if rapid.Bool().Draw(t, "gap") && lo > 1 {
				s = append(Ints{{0, 0}}, s...)
			}
			b = append(b, Limit{3, s})
		}
		if rapid.Bool().Draw(t, "m") {
			b = append(b, Limit{4, Range(rapid.Int64Range(1, 3).Draw(t, "from"), Most)})
		}
		r = append(r, b)
	}
	return r
}

func TestAlgebraIsThatOfPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, s := someRegion(t), someRegion(t)
		both, err1 := algebra.And(r, s)
		either, err2 := algebra.Or(r, s)
		left, err3 := algebra.Minus(r, s)
		not, err4 := algebra.Not(r)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		merged := algebra.Merge(r)
		found := false
		everywhere(func(p point) {
			x, y := r.has(p), s.has(p)
			found = found || x && y
			for name, agree := range map[string]bool{
				"and": both.has(p) == (x && y), "or": either.has(p) == (x || y),
				"minus": left.has(p) == (x && !y), "not": not.has(p) == !x, "merge": merged.has(p) == x,
			} {
				if !agree {
					t.Fatalf("%s is wrong at %+v of\n%s\n%s", name, p, shown(r), shown(s))
				}
			}
		})
		if r.Meets(s) != found {
			t.Fatalf("meets is %t; a point in common: %t\n%s\n%s", !found, found, shown(r), shown(s))
		}
		if (len(left) == 0) != empty(left) || (len(both) == 0) != !found {
			t.Fatal("a box without points is left")
		}
	})
}

func empty(r Region) bool {
	none := true
	everywhere(func(p point) { none = none && !r.has(p) })
	return none
}

func TestMinusLeavesBoxesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left, err := algebra.Minus(All(), someRegion(t))
		if err != nil {
			t.Fatal(err)
		}
		for i := range left {
			for j := range i {
				if left[i].Meets(left[j]) {
					t.Fatalf("%v and %v overlap", left[i], left[j])
				}
			}
		}
	})
}

func TestKeysTellBoxesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, s := someRegion(t), someRegion(t)
		for _, b := range r {
			for _, c := range s {
				if same := b.Within(c) && c.Within(b); same != (b.Key() == c.Key()) && fmt.Sprint(b) != fmt.Sprint(c) {
					// A full set written out is the same set as none at all, with a key of its own.
					if !fullyWritten(b) && !fullyWritten(c) {
						t.Fatalf("keys of %v and %v: same box %t", b, c, same)
					}
				}
			}
		}
	})
}

func fullyWritten(b Box) bool {
	for _, l := range b {
		if full[l.Dim].within(l.Set) {
			return true
		}
	}
	return false
}

func TestTooMuchIsSaidToBeTooMuch(t *testing.T) {
	small := Algebra{Full: algebra.Full, Boxes: 2}
	r := Region{{{0, Words(1)}, {1, Words(1)}, {2, In("x")}, {3, Range(1, 2)}}}
	if _, err := small.Not(r); !errors.Is(err, ErrTooComplex) {
		t.Errorf("four boxes within a budget of two: %v", err)
	}
}

func shown(r Region) string { return fmt.Sprintf("%v", []Box(r)) }

func ExampleAlgebra_Minus() {
	const attempt, effect = Dim(0), Dim(1)
	a := Algebra{Full: func(d Dim) Set {
		if d == attempt {
			return Range(1, Most)
		}
		return Words(0b1111)
	}}
	early := Region{{{attempt, Range(1, 2)}}}
	left, err := a.Minus(Region{{{attempt, Range(1, 3)}, {effect, Words(1)}}}, early)
	fmt.Println(left, err)
	// Output: [[{0 [{3 3}]} {1 1}]] <nil>
}
