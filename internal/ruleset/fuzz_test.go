package ruleset_test

import (
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/providers"
)

// Whatever stands in a condition, it is refused or comes to true or false everywhere.
func FuzzCondition(f *testing.F) {
	r := draw.From(1)
	for range 100 {
		f.Add(draw.Wild(r, 3))
	}
	for _, seed := range []string{
		"", "'", "\"\\", "((", "a ? b", "in", "not", "!-+", "tags[", "tags.\"x\"", "code[::]", "0x", "1_", "b\"\"", "#", "::", "|", "code|", "if in_doubt {", "let", "\x00", "\xff", "é == code",
		"duration(\"1h\"", "code matches \"(?P<a>x)\"", "in_doubt // x", "/* in_doubt", "tags.in == \"\"", "tags.not == code", "`", "{", "a;b", "...", "1..2", "?.", "??", "in_doubt ? : ",
	} {
		f.Add(seed)
	}
	cats, err := providers.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, when string) {
		e, rule, err := single(cats, when)
		if err != nil {
			return
		}
		leaves, err := ruleset.LeavesOf(rule)
		if err != nil {
			t.Fatalf("%s\nits parts cannot stand by themselves: %v", when, err)
		}
		r, situations := draw.From(7), draw.Of(e)
		for range 6 {
			s := situations.One(r)
			extreme(r, &s)
			want := plainly(when, &s, s.Fired.Of("it"))
			if got := evaluated(e, rule, leaves, &s); got != (verdict{want, want, want, true}) {
				t.Fatalf("%s\nthe plain evaluation says %t, the engine %+v\n%s", when, want, got, failures(e.Explain(&s)))
			}
		}
	})
}
