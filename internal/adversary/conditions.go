package adversary

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// words are the values of the variables that hold a word.
func words() map[string][]string {
	return map[string][]string{
		"effect": namesOf[policy.Effect](), "class": namesOf[policy.Class](), "stage": namesOf[policy.Stage](), "reach": namesOf[policy.Reach](),
		"final": namesOf[policy.Finality](), "fault": append([]string{""}, namesOf[policy.Fault]()...), "phase": namesOf[policy.Phase](),
		"operation": namesOf[policy.Operation](), "capture": namesOf[policy.CaptureMode](),
		"weekday": {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"},
	}
}

func namesOf[W interface {
	policy.Effect | policy.Class | policy.Stage | policy.Reach | policy.Finality | policy.Fault | policy.Phase | policy.Operation | policy.CaptureMode
	fmt.Stringer
}]() (all []string) {
	for _, w := range policy.All[W]() {
		all = append(all, w.String())
	}
	return all
}

// writer draws conditions in the words of a provider's catalogue. It notes which variables and
// functions it used.
type writer struct {
	*rand.Rand
	words    map[string][]string
	codes    []string
	statuses []string
	subs     []string
	provider string
	op       string
	merchant []string // names that conditions compare with
	used     map[string]int
}

var (
	wordNames   = []string{"effect", "effect", "class", "class", "class", "stage", "reach", "final", "fault", "fault", "phase", "phase", "operation", "capture", "weekday"}
	textNames   = []string{"code", "code", "code", "sub_code", "status", "status", "sub_status", "message", "currency", "merchant", "provider"}
	numberNames = []string{"http_status", "http_status", "attempt", "queries", "fired", "amount", "hour"}
)

func (w *writer) use(names ...string) {
	for _, n := range names {
		w.used[n]++
	}
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// condition draws a condition of at most the given depth.
func (w *writer) condition(depth int) string {
	if depth == 0 || w.IntN(3) == 0 {
		return w.atom()
	}
	a, b := w.condition(depth-1), w.condition(depth-1)
	switch n := w.IntN(12); {
	case n < 6:
		w.use("&&")
		return "(" + a + one(w.Rand, " && ", " and ") + b + ")"
	case n < 9:
		w.use("||")
		return "(" + a + one(w.Rand, " || ", " or ") + b + ")"
	case n < 10:
		w.use("!")
		return one(w.Rand, "!", "not ") + "(" + a + ")"
	case n < 11:
		w.use("?:")
		return "(" + a + " ? " + b + " : " + w.atom() + ")"
	}
	w.use("truth ==")
	return "((" + a + ") == (" + b + "))"
}

func (w *writer) atom() string {
	switch n := w.IntN(16); {
	case n < 5:
		return w.word()
	case n < 10:
		return w.text()
	case n < 12:
		return w.number()
	case n < 13:
		return w.span()
	case n < 14:
		return w.tag()
	}
	w.use("in_doubt")
	return one(w.Rand, "in_doubt", "!in_doubt")
}

func (w *writer) word() string {
	name := one(w.Rand, wordNames...)
	if w.IntN(10) == 0 { // a word is a text as well
		w.use(name)
		return w.textual(name, one(w.Rand, w.words[name]...))
	}
	value := one(w.Rand, w.words[name]...)
	if name == "operation" && w.IntN(3) > 0 {
		value = w.op
	}
	w.use(name)
	switch w.IntN(5) {
	case 0:
		w.use("!=")
		return name + " != " + quote(value)
	case 1:
		w.use("in")
		return name + " in [" + quote(value) + ", " + quote(one(w.Rand, w.words[name]...)) + "]"
	case 2:
		w.use("not in")
		return name + " not in [" + quote(value) + ", " + quote(one(w.Rand, w.words[name]...)) + "]"
	}
	w.use("==")
	return name + " == " + quote(value)
}

// listed draws a value that the loader lets a text variable be compared with.
func (w *writer) listed(name string) string {
	switch name {
	case "code", "sub_code":
		return one(w.Rand, w.codes...)
	case "status":
		return one(w.Rand, w.statuses...)
	case "sub_status":
		return one(w.Rand, w.subs...)
	case "currency":
		return one(w.Rand, "VND", "USD", "TWD", "JPY", "")
	case "merchant":
		return one(w.Rand, w.merchant...)
	case "provider":
		return w.provider
	}
	return one(w.Rand, "please retry", "", "timeout")
}

func (w *writer) text() string {
	name := one(w.Rand, textNames...)
	w.use(name)
	value := w.listed(name)
	switch w.IntN(7) {
	case 0:
		w.use("!=")
		return name + " != " + quote(value)
	case 1:
		w.use("in")
		return name + " in [" + quote(value) + ", " + quote(w.listed(name)) + "]"
	case 2, 3:
		w.use("==")
		return name + " == " + quote(value)
	case 4:
		w.use("not in")
		return name + " not in [" + quote(value) + ", \"\"]"
	}
	return w.textual(name, value)
}

// textual draws a condition that looks into a text.
func (w *writer) textual(name, value string) string {
	some := value
	if len(value) > 1 && w.IntN(2) == 0 {
		some = value[:1+w.IntN(len(value)-1)]
	}
	if w.IntN(4) == 0 {
		some = one(w.Rand, "2", "20", "Q", "x-", "e", "77")
	}
	form := w.IntN(17)
	if _, word := w.words[name]; word && form == 13 {
		form = 6 // words have no order
	}
	use := [...]string{"startsWith", "endsWith", "contains", "matches", "hasPrefix", "hasSuffix", "len", "len", "lower", "upper", "trim", "slice", "slice",
		"text <", "text +", "two texts", "text in text"}[form]
	w.use(use)
	switch form {
	case 0, 1, 2:
		return name + " " + use + " " + quote(some)
	case 3:
		return name + " matches " + quote(one(w.Rand, "^"+regexpQuote(some), "^[0-9]+$", "^[A-Z][a-z0-9]*$", regexpQuote(some)+"$", "^.{3}$"))
	case 4, 5:
		return use + "(" + name + ", " + quote(some) + ")"
	case 6, 7:
		return fmt.Sprintf("len(%s) %s %d", name, one(w.Rand, "==", "<", ">", "!="), w.IntN(9))
	case 8:
		return "lower(" + name + ") == " + quote(strings.ToLower(value))
	case 9:
		return "upper(" + name + ") == " + quote(strings.ToUpper(value))
	case 10:
		return "trim(" + name + ") == " + quote(strings.TrimSpace(value))
	case 11:
		return fmt.Sprintf("%s[0:%d] == %s", name, len(some), quote(some))
	case 12:
		return fmt.Sprintf("%s[%d:] == %s", name, w.IntN(3), quote(some))
	case 13:
		return name + one(w.Rand, " < ", " >= ", " > ") + quote(some)
	case 14:
		return name + " + code == " + quote(value+one(w.Rand, w.codes...))
	case 15:
		return name + one(w.Rand, " == ", " != ") + one(w.Rand, "code", "sub_code", "status", "message")
	}
	return name + " contains " + one(w.Rand, "code", "status", "currency")
}

func regexpQuote(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`\.+*?()|[]{}^$ -`, r) {
			return '.'
		}
		return r
	}, s)
}

func (w *writer) number() string {
	name := one(w.Rand, numberNames...)
	w.use(name)
	values := map[string][]int{
		"http_status": {0, 200, 400, 409, 429, 500, 502, 599}, "attempt": {1, 2, 3}, "queries": {0, 1, 2, 5}, "fired": {0, 1, 2}, "hour": {0, 9, 17, 23},
		"amount": {0, 1, 1000, 120_000},
	}[name]
	value := one(w.Rand, values...)
	left := name
	switch w.IntN(9) {
	case 0:
		w.use("sum")
		left = name + one(w.Rand, " + ", " - ") + one(w.Rand, "attempt", "queries", "http_status", "1")
	case 1:
		w.use("product")
		left, value = name+" * 2", 2*value
	case 2:
		w.use("number in")
		left = fmt.Sprintf("%s in [%d, %d]", name, value, one(w.Rand, values...))
		if name == "amount" {
			return `currency == "VND" && ` + left
		}
		return left
	}
	c := fmt.Sprintf("%s %s %d", left, one(w.Rand, "<", "<=", ">", ">=", "==", "!="), value)
	if name == "amount" && w.IntN(3) > 0 {
		w.use("currency")
		return `currency == "VND" && ` + c
	}
	return c
}

func (w *writer) span() string {
	name := one(w.Rand, "elapsed", "elapsed", "retry_after")
	w.use(name, "duration")
	left := name
	if w.IntN(5) == 0 {
		w.use("sum of durations")
		left = "elapsed + retry_after"
	}
	return fmt.Sprintf(`%s %s duration("%s")`, left, one(w.Rand, "<", "<=", ">", ">="), one(w.Rand, "0s", "1s", "1m", "10m", "2h", "26h"))
}

func (w *writer) tag() string {
	w.use("tags")
	switch w.IntN(6) {
	case 0:
		w.use("??")
		return one(w.Rand, `(tags.tier ?? "") == "gold"`, `lower(tags.tier ?? "") == "gold"`)
	case 1:
		w.use("in tags")
		return `"tier" in tags`
	case 2:
		return w.textual("tags.tier", "gold")
	case 3:
		w.use("len")
		return "len(tags) > 1"
	}
	return one(w.Rand, `tags.tier == "gold"`, `tags["tier"] != ""`, `tags.channel in ["web", ""]`)
}
