package schematest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/BurntSushi/toml"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
)

// mutator changes one thing in a document.
type mutator struct {
	*rand.Rand
	what string
}

func pick[T any](m *mutator, of ...T) T { return of[m.IntN(len(of))] }

var strange = []any{
	"", " ", "x", "pay", "refund", "*", "send", "query", "momo", "escalate", "unknown", "executed", "1", "0", "-1", "true", "door", "auto", "minor", "first_result", "order_id",
	"0s", "-5m", "+5m", "1d", "1.5h", ".5h", "1.h", "1h30", "1h30m", "5µs", "5μs", "90s", "1H", "1 h", "9999999h", "99999999h", "0.0s", "1e3s", "00001s", "0h1m", "0.00000000001s",
	int64(0), int64(1), int64(-1), int64(2), int64(599), int64(600), int64(1 << 40), 0.5, 1.5, -0.5, 1000.5, true, false,
	[]any{}, []any{"pay"}, []any{"order_id", "order_id"}, []any{"1s", "2s"}, []any{"2s", "1s"}, []any{int64(1)}, []any{"x", int64(1)}, []any{[]any{}}, map[string]any{}, map[string]any{"x": int64(1)},
	[]any{map[string]any{}}, map[string]any{"pay": map[string]any{}},
}

// change returns a document with one value changed, left out or added somewhere.
func (m *mutator) change(v any, path string) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 || m.IntN(12) == 0 {
			key := pick(m, "zzz", "pay", "refund", "operation", "phase", "timeout", "webhook", "description", "name", "merchant", "provider", "schedule", "intervals", "for", "status",
				"class", "effect", "providers", "reason", "code", "dedupe", "max_elapsed", "initial_interval", "max_interval", "multiplier", "message", "interlock", "limit")
			out[key] = m.value()
			m.what = fmt.Sprintf("%s.%s set to %#v", path, key, out[key])
			return out
		}
		key := keys[m.IntN(len(keys))]
		at := path + "." + key
		switch inner := v[key]; {
		case m.IntN(10) == 0:
			delete(out, key)
			m.what = at + " left out"
		case compound(inner) && m.IntN(4) > 0:
			out[key] = m.change(inner, at)
		default:
			out[key] = m.value()
			m.what = fmt.Sprintf("%s set to %#v", at, out[key])
		}
		return out
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return m.change(list, path)
	case []any:
		out := slices.Clone(v)
		if len(out) == 0 || m.IntN(8) == 0 {
			m.what = path + " emptied"
			return []any{}
		}
		i := m.IntN(len(out))
		at := fmt.Sprintf("%s[%d]", path, i)
		if compound(out[i]) && m.IntN(4) > 0 {
			out[i] = m.change(out[i], at)
			return out
		}
		if m.IntN(5) == 0 {
			m.what = at + " twice"
			return append(out, out[i])
		}
		out[i] = m.value()
		m.what = fmt.Sprintf("%s set to %#v", at, out[i])
		return out
	}
	return v
}

func compound(v any) bool {
	switch v.(type) {
	case map[string]any, []any, []map[string]any:
		return true
	}
	return false
}

func (m *mutator) value() any { return strange[m.IntN(len(strange))] }

// verdict is what a loader says of a text; empty: nothing.
type verdict func(name string, text []byte) string

// named is a document and the name of its file.
type named struct {
	name string
	doc  map[string]any
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func rulesVerdict(_ string, text []byte) string {
	_, err := ruleset.OpenFS(fstest.MapFS{"merchants/acme.toml": {Data: text}})
	return errorText(err)
}

func catalogueVerdict(_ string, text []byte) string {
	cs, err := providers.Builtin()
	if err != nil {
		return err.Error()
	}
	return errorText(cs.Add("x.toml", text))
}

func testsVerdict(t *testing.T) verdict {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return func(name string, text []byte) string {
		_, err := ruletest.Read(e, []ruletest.File{{Name: name, Data: text}})
		return errorText(err)
	}
}

func faultsVerdict(_ string, text []byte) string {
	_, err := emulator.ReadPlan("faults.toml", text)
	return errorText(err)
}

// beyond lists what a loader refuses and a schema cannot know.
var beyond = regexp.MustCompile(strings.Join([]string{
	// What other files, tables or lines hold.
	`there is no (rule|schedule) "`, "stands already at", "does not fit the file's name", `unknown (provider|rule|schedule|code|sub_code|status|sub_status|merchant)( of \w+)? "`,
	"is also the endpoint of", "is not among the provider's operations", "says two things of", "another test of this file is called", "does not offer",
	"disagrees with", "provider is missing", "operation is missing", "no code and no status is like that",
	// The zones and the spans of time that Go knows.
	`timezone ".*" is not known`, `".*" is no duration`, "must be longer than nothing",
	// Languages of their own: conditions, lines of scripts, columns and cells.
	`toml:\d+:\d+: (bad|expected|invalid|unknown name|unexpected|unclosed|this )`,
	`unknown (word of a script|event|column)`, "the row has",
	"nothing is expected", "is missing, such as a fault", "unknown answer of", `each\.cases`, "fired counts how often", "does not decode",
	// Laws about what a provider can prove or sign.
	"an unrecognized answer proves nothing", "is no path into a body", "cannot be made of the whole body", "timestamp goes with", "has no secret of its own", "a send is of one operation",
	"a query needs order_id", "webhooks come from the provider", "has no segment", "must be header:NAME", "a request has header:NAME", "names nothing",
	// One value beside another.
	"never ends", "needs for =", "takes no duration", "goes with error_after", "cannot hit a", "is no pattern", "does not belong here",
	"is shorter than initial_interval", "of which the second is longer",
}, "|"))

// cell is a change to a table of cases, or to the columns that say what its cells are.
var cell = regexp.MustCompile(`\.(cases|columns)`)

// A schema accepts whatever a loader accepts, and refuses what a loader refuses by its form.
func TestSchemasAgreeWithTheLoaders(t *testing.T) {
	all := compiled(t)
	loaders := map[string]verdict{"rules.json": rulesVerdict, "catalogue.json": catalogueVerdict, "test.json": testsVerdict(t), "faults.json": faultsVerdict}
	docs := map[string][]named{}
	for _, pattern := range []string{"../../../../rules/merchants/*.toml", "../../../../rules/*.toml", "../../../../providers/*.toml",
		"../../../../testdata/faults/*.toml", "../../../../examples/*/faults.toml", "testdata/*.toml"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			if err := toml.Unmarshal(text, &doc); err != nil {
				t.Fatal(err)
			}
			if kindOf(f) == "rules.json" {
				delete(doc, "provider") // the text is read as a merchant's file
			}
			docs[kindOf(f)] = append(docs[kindOf(f)], named{strings.TrimPrefix(filepath.ToSlash(f), "../../../../rules/"), doc})
		}
	}
	m := &mutator{Rand: rand.New(rand.NewPCG(3, 3))}
	seen := map[string]int{}
	for range testkit.Size(200, 1000, 30000) {
		kind := pick(m, "rules.json", "catalogue.json", "test.json", "faults.json")
		doc := docs[kind][m.IntN(len(docs[kind]))]
		changed := m.change(doc.doc, "").(map[string]any)
		var text bytes.Buffer
		if toml.NewEncoder(&text).Encode(changed) != nil {
			continue // a list of mixed tables and values
		}
		said, schema := loaders[kind](doc.name, text.Bytes()), check(all[kind], text.Bytes())
		var key string
		switch {
		case said == "" && schema != nil:
			key = fmt.Sprintf("%s: the loader takes, and the schema refuses (%s): %v", kind, m.what, schema)
		case said != "" && schema == nil && !onlyBeyond(said) && !cell.MatchString(m.what):
			key = fmt.Sprintf("%s: the schema accepts (%s), and the loader says %.300s", kind, m.what, said)
		default:
			continue
		}
		short := regexp.MustCompile(`\[\d+\]|\d+`).ReplaceAllString(key, "#")
		if seen[short]++; seen[short] == 1 {
			t.Error(key)
		}
	}
}

func onlyBeyond(said string) bool {
	for _, line := range strings.Split(said, "\n") {
		if !beyond.MatchString(line) {
			return false
		}
	}
	return true
}
