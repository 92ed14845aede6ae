package draw

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Rand is a random source with a seed.
type Rand struct{ *rand.Rand }

// From returns a source. The same seed always draws the same values.
func From(seed uint64) Rand { return Rand{rand.New(rand.NewPCG(seed, 7))} }

// One draws one of some values.
func One[T any](r Rand, of ...T) T { return of[r.IntN(len(of))] }

// texts are values that conditions compare with. Situations often have them.
var texts = map[string][]string{
	"code": {"0", "10", "40", "41", "1000", "1001", "1201", "4001", "7000"}, "sub_code": {"40", "1001"},
	"status": {"REVIEWING", "SUCCEEDED", "FAILED"}, "sub_status": {"CAPTURED"}, "currency": {"VND", "TWD"},
	"provider": {"momo", "opi", "paykka", "shopline"}, "merchant": {"alpha", "beta"}, "message": {"please retry"},
}

var textNames = []string{"code", "code", "code", "sub_code", "status", "sub_status", "currency", "provider", "merchant", "message"}

var numbers = map[string][]int{
	"attempt": {0, 1, 2, 3}, "queries": {0, 1, 4}, "fired": {0, 1, 2}, "http_status": {0, 200, 429, 500}, "amount": {0, 1000}, "hour": {0, 9, 17, 24},
}

var words = map[string][]string{
	"operation": {"pay", "refund", "checkout", "payout", "bind"}, "phase": {"send", "query", "webhook"},
	"effect": {"unknown", "pending", "not_executed", "executed"}, "fault": {"", "timeout", "not_sent"},
	"class": {"maintenance", "insufficient_funds", "not_found", "mismatch", "conflict", "rate_limited", "success", "processing"},
	"stage": {"door", "result"}, "capture": {"auto", "manual"}, "weekday": {"friday", "saturday"}, "final": {"yes", "no"}, "reach": {"attempt", "payment"},
}

// wordKey draws a key of words. The list repeats the common ones. It is a fixed list because
// the order of a map would make a seed draw different rules each time.
func wordKey(r Rand) string {
	return One(r, []string{"effect", "effect", "class", "class", "operation", "phase", "fault", "stage", "capture", "weekday", "final", "reach"}...)
}

// Condition draws a condition of at most the given depth.
func Condition(r Rand, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return atom(r)
	}
	a, b := Condition(r, depth-1), Condition(r, depth-1)
	switch r.IntN(9) {
	case 0, 1, 2, 3:
		return a + " && " + b
	case 4, 5:
		return "(" + a + " || " + b + ")"
	case 6:
		return "!(" + a + ")"
	case 7:
		return "(" + a + " ? " + b + " : " + Condition(r, depth-1) + ")"
	}
	return "((" + a + ") == (" + b + "))"
}

func list(r Rand, of []string) string {
	n := 1 + r.IntN(3)
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf("%q", One(r, of...))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func atom(r Rand) string {
	switch r.IntN(14) {
	case 0, 1, 2, 3:
		name := wordKey(r)
		return One(r, fmt.Sprintf("%s == %q", name, One(r, words[name]...)), name+" in "+list(r, words[name]), fmt.Sprintf("%s != %q", name, One(r, words[name]...)))
	case 4, 5, 6:
		name := One(r, textNames...)
		return One(r, fmt.Sprintf("%s == %q", name, One(r, texts[name]...)), name+" in "+list(r, texts[name]), name+" not in "+list(r, texts[name]),
			fmt.Sprintf("%s != %q", name, One(r, texts[name]...)), name+` startsWith "4"`, "len("+name+") > 2")
	case 7, 8:
		name := One(r, "attempt", "queries", "fired", "http_status", "amount", "hour")
		if name == "amount" {
			return fmt.Sprintf(`currency == "VND" && amount %s %d`, One(r, "<", ">="), One(r, numbers[name]...))
		}
		return fmt.Sprintf("%s %s %d", name, One(r, "<", "<=", ">", ">=", "==", "!="), One(r, numbers[name]...))
	case 9:
		return fmt.Sprintf(`elapsed %s duration("%s")`, One(r, "<", ">="), One(r, "1m", "2h"))
	case 10, 11:
		return One(r, "in_doubt", "!in_doubt")
	case 12:
		return One(r, `tags.tier == "gold"`, `tags.tier in ["gold", ""]`, `"tier" in tags`, "queries > attempt", `code[0:1] == "4"`, `(attempt > 1 ? "4" : "") == code`)
	}
	return One(r, `code matches "^4"`, "code == sub_code", "true")
}

// Set draws a baseline, a layer of momo and a merchant, alpha, with random rules.
func Set(r Rand) *rules.Set {
	set := &rules.Set{
		Baseline: file(r, "baseline.toml", 2+r.IntN(6)), Providers: map[string]*rules.File{}, Merchants: map[string]*rules.File{},
	}
	set.Providers["momo"] = file(r, "momo.toml", r.IntN(4))
	set.Providers["momo"].Provider = "momo"
	set.Merchants["alpha"] = file(r, "merchants/alpha.toml", r.IntN(5))
	set.Merchants["alpha"].Merchant = "alpha"
	if r.IntN(3) == 0 && len(set.Baseline.Rules) > 0 {
		set.Merchants["alpha"].Disable = []rules.Disabled{{ID: One(r, set.Baseline.Rules...).ID}}
	}
	return set
}

func file(r Rand, name string, n int) *rules.File {
	f := &rules.File{Name: name, Schedules: map[string]*policy.Schedule{
		"poll": {Name: "poll", Intervals: []time.Duration{time.Second}}, "retry": {Name: "retry", Intervals: []time.Duration{time.Minute}},
	}}
	stem := name[:len(name)-len(".toml")]
	for i := range n {
		f.Rules = append(f.Rules, Rule(r, fmt.Sprintf("%s-%d", stem, i), source.Pos{File: name, Line: 10 * (i + 1)}))
	}
	return f
}

// Rule draws one rule.
func Rule(r Rand, id string, at source.Pos) *rules.Rule {
	return &rules.Rule{ID: id, When: Condition(r, r.IntN(4)), Then: One(r, policy.All[policy.Action]()...), Pos: at}
}
