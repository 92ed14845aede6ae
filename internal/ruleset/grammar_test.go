package ruleset

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// A grammar writes random conditions and random folders of rules.
type grammar struct {
	t       *rapid.T
	texts   map[string][]string // the values of each text variable that a file may name
	written int                 // rules so far, for their ids
}

// Values that the random situations have, and a few that they almost have.
var (
	momoTexts = map[string][]string{
		"code": {"0", "40", "41", "1000", "1001", "4001", "7000", ""}, "sub_code": {"40", "1001", ""},
	}
	anyTexts = map[string][]string{
		"code": {"0", "40", "41", "1000", "1201", "4001", "6002", "7000", ""}, "sub_code": {"40", "2007", ""},
		"status": {"REVIEWING", "SUCCEEDED", "FAILED", ""}, "sub_status": {"AUTHORIZED", "CAPTURED", ""}, "currency": {"VND", "TWD", "PHP", ""},
		"provider": {"momo", "opi", "paykka", "shopline", ""}, "merchant": {"alpha", "beta", "nobody", ""},
		"message": {"please retry", "xin thử lại", ""},
	}
	fragments = []string{"", "4", "40", "1", "SUC", "ED", "nopay", "mo", "om", "op", "a", "retry", "thử"}
	patterns  = []string{"^4", "0$", "^[0-9]{2}$", "^(40|41)$", "(?i)vnd", "^$", "a|é", "."}
	limits    = map[string][]int{
		"attempt": {0, 1, 2, 3}, "queries": {0, 2, 4}, "fired": {0, 1, 2, 3}, "http_status": {0, 200, 429, 500},
		"amount": {0, 1, 100_000, 5_000_000}, "hour": {0, 9, 12, 23},
	}
	spans     = []string{"0s", "1s", "15m", "1h", "2h", "26h"}
	relations = []string{"==", "!=", "<", "<=", ">", ">="}
)

func (g *grammar) one(of ...string) string { return one(g.t, "word", of) }

// condition writes a condition of at most the given depth.
func (g *grammar) condition(depth int) string {
	if depth == 0 {
		return g.atom()
	}
	a := func() string { return g.condition(depth - 1) }
	switch rapid.IntRange(0, 11).Draw(g.t, "form") {
	case 0, 1:
		return g.atom()
	case 2, 3, 4:
		return a() + g.one(" && ", " and ", "\n  && ") + a()
	case 5:
		return a() + g.one(" || ", " or ") + a()
	case 6, 7:
		return "(" + a() + g.one(" || ", " or ", " && ") + a() + ")"
	case 8:
		return g.one("!", "not ") + "(" + a() + ")"
	case 9:
		return "(" + a() + " ? " + a() + " : " + a() + ")"
	case 10:
		return "(" + a() + ") " + g.one("==", "!=") + " (" + a() + ")"
	}
	return "(" + a() + ")"
}

// atom writes a condition without parts.
func (g *grammar) atom() string {
	switch rapid.IntRange(0, 15).Draw(g.t, "atom") {
	case 0, 1, 2, 3:
		return g.wordAtom()
	case 4, 5, 6, 7:
		return g.textAtom()
	case 8, 9:
		return g.numberAtom()
	case 10:
		return g.durationAtom()
	case 11, 12:
		return g.one("in_doubt", "!in_doubt", "not in_doubt", "in_doubt == true", "in_doubt != true", "false == in_doubt")
	case 13, 14:
		return g.tagAtom()
	}
	return g.one("true", "false", "code == sub_code", "status != code", "code == code", "effect == class", "stage != stage",
		`"momo" == provider`, `lower(currency) == "vnd"`, "1 < attempt <= 3", "attempt + queries < 4", "-attempt < -1",
		`lower(currency) in ["vnd", "php"]`,
		"in_doubt == (attempt < 2)", `(fired == 0) != in_doubt`, `"é\"" contains "\x22"`, `code == (in_doubt ? "40" : "41")`)
}

func (g *grammar) wordAtom() string {
	name := g.one("operation", "phase", "effect", "effect", "class", "class", "stage", "reach", "final", "fault", "capture", "weekday")
	return g.compared(name, variables[name].words)
}

func (g *grammar) textAtom() string {
	name := g.one("code", "code", "code", "sub_code", "status", "sub_status", "currency", "provider", "provider", "merchant", "message")
	known := g.texts[name]
	if len(known) == 0 {
		known = []string{""}
	}
	switch rapid.IntRange(0, 7).Draw(g.t, "text") {
	case 0:
		return name + " " + g.one("startsWith", "endsWith", "contains") + " " + g.quoted(g.one(fragments...))
	case 1:
		return g.quoted(g.one("x4", "x40y", "momo")) + " " + g.one("startsWith", "endsWith", "contains") + " " + name
	case 2:
		return name + " matches " + g.quoted(g.one(patterns...))
	case 3:
		return g.one("len("+name+") > 1", "upper("+name+") != lower("+name+")", "hasPrefix("+name+`, "4")`, name+`[0:1] == "4"`)
	}
	return g.compared(name, known)
}

// compared writes an equality or a membership.
func (g *grammar) compared(name string, values []string) string {
	switch rapid.IntRange(0, 5).Draw(g.t, "compared") {
	case 0, 1:
		return name + " == " + g.quoted(g.one(values...))
	case 2:
		return name + " != " + g.quoted(g.one(values...))
	case 3:
		return g.quoted(g.one(values...)) + g.one(" == ", " != ") + name
	}
	var items []string
	for range rapid.IntRange(0, 4).Draw(g.t, "items") {
		items = append(items, g.quoted(g.one(values...)))
	}
	return name + g.one(" in ", " not in ") + "[" + strings.Join(items, ", ") + "]"
}

func (g *grammar) numberAtom() string {
	name := g.one("attempt", "queries", "fired", "http_status", "amount", "hour")
	n := fmt.Sprint(one(g.t, "limit", limits[name]))
	return g.one(name+" "+g.one(relations...)+" "+n, n+" "+g.one(relations...)+" "+name, name+" in ["+n+", 3]", name+" - 1 > "+n)
}

func (g *grammar) durationAtom() string {
	name, span := g.one("elapsed", "retry_after"), `duration("`+g.one(spans...)+`")`
	return g.one(name+" "+g.one(relations...)+" "+span, span+" "+g.one(relations...)+" "+name,
		"elapsed "+g.one(relations...)+" retry_after", "elapsed - "+span+" > retry_after")
}

func (g *grammar) tagAtom() string {
	value := g.quoted(g.one("", "app", "gold", "x"))
	return g.one("tags.tier == "+value, `tags["channel"] != `+value, `(tags.x ?? "") == `+value, `"tier" in tags`, "code in tags",
		"tags.channel startsWith "+value, "tags[tags.x] == "+value, "tags.tier in ["+value+`, "gold"]`, "len(tags) == 1")
}

// quoted writes a string in one of the ways there are.
func (g *grammar) quoted(s string) string {
	return g.one(`"`+s+`"`, `"`+s+`"`, `"`+s+`"`, "`"+s+"`")
}

// rules writes some rules, each as it stands in a file.
func (g *grammar) rules(n int) (text string, ids []string) {
	var b strings.Builder
	for range n {
		ids = append(ids, g.rule(&b, g.condition(rapid.IntRange(0, 3).Draw(g.t, "depth"))))
	}
	return b.String(), ids
}

func (g *grammar) rule(b *strings.Builder, when string) (id string) {
	g.written++
	id = fmt.Sprintf("r%d", g.written)
	b.WriteString(rule(id, when, one(g.t, "then", policy.All[policy.Action]()).String()))
	return id
}

// crowd writes more rules than fit into a word of bits, most of which hold seldom.
func (g *grammar) crowd() string {
	var b strings.Builder
	for n := range 70 {
		g.rule(&b, fmt.Sprintf("attempt == %d && queries == %d && (%s)", n%6, n/12, g.atom()))
	}
	return b.String()
}

// folder writes a whole folder: every layer, and sometimes a crowd.
func (g *grammar) folder(files map[string]string) map[string]string {
	some := func(from, to int) int { return rapid.IntRange(from, to).Draw(g.t, "rules") }
	var below, ids []string
	g.texts = anyTexts
	files["baseline.toml"], ids = g.rules(some(1, 6))
	below = append(below, ids...)
	if rapid.IntRange(0, 9).Draw(g.t, "crowded") == 0 {
		files["baseline.toml"] = g.crowd() + files["baseline.toml"]
	}
	g.texts = momoTexts
	files["momo.toml"], ids = g.rules(some(0, 4))
	below = append(below, ids...)
	g.texts = anyTexts
	for _, merchant := range []string{"alpha", "beta"} {
		text, _ := g.rules(some(0, 4))
		head := fmt.Sprintf("timezone = %q\n", g.one("UTC", "Asia/Taipei", "America/New_York", "Asia/Kolkata"))
		if rapid.Bool().Draw(g.t, "disables") {
			head += fmt.Sprintf("disable = [%q, %q]\n", g.one(below...), g.one(below...))
		}
		files["merchants/"+merchant+".toml"] = head + text
	}
	return files
}
