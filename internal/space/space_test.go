package space_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

var catalogs = sync.OnceValues(providers.Builtin)

// one makes an engine of one rule.
func one(t interface{ Fatalf(string, ...any) }, when string) (*ruleset.Engine, *rules.Rule) {
	cats, err := catalogs()
	if err != nil {
		t.Fatalf("%v", err)
	}
	r := &rules.Rule{ID: "it", When: when, Then: policy.Escalate, Pos: source.Pos{File: "baseline.toml", Line: 1}}
	e, err := ruleset.New(cats, &rules.Set{Baseline: &rules.File{Name: "baseline.toml", Rules: []*rules.Rule{r}, Schedules: map[string]*policy.Schedule{}}})
	if err != nil {
		t.Fatalf("%s:\n%v", when, err)
	}
	return e, r
}

// accepted draws a condition in all of expr's syntax until the loader takes one.
func accepted(r draw.Rand) string {
	for {
		when := draw.Wild(r, 1+r.IntN(4))
		var f failure
		if one(&f, when); !f {
			return when
		}
	}
}

// failure is whether something was wrong.
type failure bool

// Fatalf takes the mistake for what it is and goes on.
func (f *failure) Fatalf(string, ...any) { *f = true }

// The region of a condition is where the engine says that it holds: nowhere else, and, where
// nothing is opaque, everywhere there.
func TestARegionIsWhereTheConditionHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw.From(rapid.Uint64().Draw(t, "seed"))
		when := draw.Condition(r, 3)
		if r.IntN(2) == 0 {
			when = accepted(r)
		}
		e, rule := one(t, when)
		s := space.New(e)
		c := s.Of(e, rule)
		if c.Err != nil {
			return
		}
		situations := draw.Of(e)
		for range 60 {
			sit := situations.One(r)
			held := e.Decide(&sit).Rule == "it"
			in := false
			for _, b := range c.Region {
				in = in || s.Has(b, &sit, time.UTC)
			}
			if held && !in || in && !held && !c.Opaque {
				t.Fatalf("%s\nheld %t, in its region %t (opaque %t)\n%+v %+v %+v", when, held, in, c.Opaque, *sit.Payment, *sit.Answer, sit)
			}
		}
	})
}

// Every point of a box lies in it.
func TestAPointLiesInItsBox(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := draw.From(rapid.Uint64().Draw(t, "seed"))
		e, rule := one(t, draw.Condition(r, 3))
		s := space.New(e)
		for _, b := range s.Of(e, rule).Region {
			sit, ok := s.Point(b, zone, r.IntN(3))
			if !ok || !s.Has(b, &sit, zone) {
				t.Fatalf("%v: %+v is not in it", s.Describe(b), sit)
			}
		}
	})
}

// What the flow shows to rules, whatever its past, is among what can be reached.
func TestEverySituationOfAFlowIsReached(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	s := space.New(e)
	reach := map[string][]space.Reached{}
	for _, p := range e.Catalogs.Names() {
		cat, _ := e.Catalogs.Get(p)
		reach[p] = space.Reachable(cat, space.AbsentAt(e, p, append(e.Rules.MerchantNames(), "")))
	}
	r, situations := draw.From(1), draw.Of(e)
	how := map[space.How]int{}
	for range testkit.Size(3_000, 30_000, 100_000) {
		sit := situations.One(r)
		found := false
		for _, at := range reach[sit.Payment.Provider] {
			if found = s.Has(at.Box, &sit, time.UTC); found {
				how[at.How]++
				break
			}
		}
		if !found {
			t.Fatalf("not reached: %+v\n%+v\n%+v in doubt %t", *sit.Payment, *sit.Answer, sit.Fact, sit.InDoubt)
		}
	}
	if how[space.Judged] < 500 || how[space.Weakened] < 100 || how[space.Ledger] < 30 {
		t.Errorf("situations are drawn too narrowly to tell: %v", how)
	}
}

func TestDecidedMeansInDoubt(t *testing.T) {
	e, _ := one(t, "true")
	cat, _ := e.Catalogs.Get("momo")
	pending := region.Box{{Dim: space.Effect, Set: space.Bit(policy.Pending)}, {Dim: space.InDoubt, Set: region.Words(1)}}
	for _, at := range space.Reachable(cat, nil) {
		if at.Box.Meets(pending) {
			t.Fatalf("pending, and nothing in doubt: %v", space.New(e).Describe(at.Box))
		}
	}
}

func ExampleSpace_Of() {
	cats, _ := providers.Builtin()
	rule := &rules.Rule{ID: "closed", When: `class == "maintenance" && effect != "executed" && !(attempt >= 3)`}
	e, _ := ruleset.New(cats, &rules.Set{Baseline: &rules.File{Name: "baseline.toml", Rules: []*rules.Rule{rule}}})
	s := space.New(e)
	for _, box := range s.Of(e, rule).Region {
		fmt.Println(s.Describe(box))
	}
	// Output: [effect unknown, pending or not_executed class maintenance attempt at most 2]
}

// A condition in a condition in a condition: each level once took twice as long as the one
// within it.
func TestDeepConditionsTakeNoLonger(t *testing.T) {
	equal, choice, mixed := "in_doubt", "in_doubt", "in_doubt"
	for i := range 28 {
		equal = fmt.Sprintf("(attempt > 1) == (%s)", equal)
		choice = fmt.Sprintf("((%s) ? attempt > %d : queries > %d)", choice, i, i)
		mixed = fmt.Sprintf("!((%s) == (attempt > %d)) && queries < 9", mixed, i)
	}
	begin := time.Now()
	for _, when := range []string{equal, choice, mixed} {
		e, rule := one(t, when)
		s := space.New(e)
		s.Of(e, rule)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
