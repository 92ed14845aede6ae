package providers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// add adds a small catalogue whose head is one line, and returns what was said.
func add(t *testing.T, doc string) string {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	err = cs.Add("f.toml", []byte(head+doc))
	var list policy.Mistakes
	switch {
	case err == nil:
		if _, missing := cs.Get("acme"); missing != nil {
			t.Errorf("the catalogue is taken and not there: %v", missing)
		}
		return ""
	case !errors.As(err, &list):
		t.Errorf("the error is %T, want a source.List", err)
	}
	if _, missing := cs.Get("acme"); missing == nil {
		t.Error("the catalogue is refused and there")
	}
	return err.Error()
}

const head = "name = \"acme\"\noperations = [\"pay\", \"cancel\", \"refund\"]\n"

// Some facts cannot be true, whatever a document says.
func TestImpossibleFactsAreRefused(t *testing.T) {
	const (
		attempt      = "an answer that ends one attempt leaves the payment pending"
		refusedQuery = "a refused query proves nothing; its effect is unknown"
		notFound     = "a request that is not found may still be on its way; its effect is unknown (see not_found_after)"
		alreadyDone  = "already_done proves an execution only where the operation is a state to reach (cancel, unbind)"
		unrecognized = "an unrecognized answer proves nothing"
	)
	tests := []struct{ name, class, fact, broken string }{
		{"an attempt that ended, pending", "issuer_declined", `operation = "pay", phase = "query", reach = "attempt", effect = "pending", stage = "result"`, ""},
		{"an attempt that ended the payment", "issuer_declined", `operation = "pay", phase = "query", reach = "attempt", effect = "not_executed", stage = "result"`, attempt},
		{"an attempt of which nothing is known", "issuer_declined", `operation = "pay", phase = "query", reach = "attempt", effect = "unknown", stage = "result"`, attempt},
		{"a refused query", "credentials", `operation = "pay", phase = "query", effect = "unknown", stage = "door"`, ""},
		{"a refused query that settles", "credentials", `operation = "pay", phase = "query", effect = "not_executed", stage = "door"`, refusedQuery},
		{"a refused query that promises", "credentials", `operation = "pay", phase = "query", effect = "pending", stage = "door"`, refusedQuery},
		{"a refused send settles", "credentials", `operation = "pay", phase = "send", effect = "not_executed", stage = "door"`, ""},
		{"a refusal in a webhook is no query", "credentials", `operation = "pay", phase = "webhook", effect = "not_executed", stage = "door"`, ""},
		{"not found by a query", "not_found", `operation = "pay", phase = "query", effect = "unknown", stage = "result"`, ""},
		{"not found by a query, as proof", "not_found", `operation = "pay", phase = "query", effect = "not_executed", stage = "result"`, notFound},
		{"not found, by the fact's own class", "success", `operation = "pay", phase = "query", class = "not_found", effect = "not_executed", stage = "result"`, notFound},
		{"the original is not found: no refund", "not_found", `operation = "refund", phase = "send", effect = "not_executed", stage = "door"`, ""},
		{"cancelled already", "already_done", `operation = "cancel", phase = "send", effect = "executed", stage = "result"`, ""},
		{"unbound already", "already_done", `operation = "unbind", phase = "send", effect = "executed", stage = "result"`, ""},
		{"refunded already, by us or another", "already_done", `operation = "refund", phase = "send", effect = "executed", stage = "result"`, alreadyDone},
		{"paid already, by us or another", "already_done", `operation = "pay", phase = "send", effect = "executed", stage = "result"`, alreadyDone},
		{"done already and not known by whom", "already_done", `operation = "pay", phase = "send", effect = "unknown", stage = "result"`, ""},
		{"unrecognized and unknown", "unrecognized", `operation = "pay", phase = "send", effect = "unknown", stage = "result"`, ""},
		{"unrecognized and pending", "unrecognized", `operation = "pay", phase = "send", effect = "pending", stage = "result"`, ""},
		{"unrecognized and not executed", "unrecognized", `operation = "pay", phase = "send", effect = "not_executed", stage = "result"`, unrecognized},
		{"unrecognized and executed", "unrecognized", `operation = "pay", phase = "send", effect = "executed", stage = "result"`, unrecognized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := "  { " + tt.fact + " },"
			said := add(t, fmt.Sprintf("[[code]]\ncode = \"1\"\nclass = %q\nfacts = [\n%s\n]\n", tt.class, line))
			if tt.broken == "" {
				if said != "" {
					t.Errorf("refused: %s", said)
				}
				return
			}
			column := strings.Index(line, "effect = ") + len("effect = ") + 1
			where := strings.Fields(tt.fact)
			want := fmt.Sprintf("f.toml:7:%d: %s, %s: %s", column,
				strings.Trim(where[2], `",`), strings.Trim(where[5], `",`), tt.broken)
			if said != want {
				t.Errorf("said %q\nwant %q", said, want)
			}
		})
	}
}

func TestBrokenLawIsReportedOncePerPlace(t *testing.T) {
	said := add(t, `[[status]]
status = "GONE"
class = "not_found"
facts = [{ operation = "*", phase = ["send", "query"], effect = "not_executed", stage = "result" }]
`)
	for _, op := range []string{"pay", "cancel", "refund"} {
		if !strings.Contains(said, "f.toml:6:65: "+op+", query: a request that is not found") {
			t.Errorf("nothing is said of %s in\n%s", op, said)
		}
	}
	if strings.Contains(said, "send") {
		t.Errorf("a send is refused:\n%s", said)
	}
}

func TestRowsThatDisagree(t *testing.T) {
	row := func(scope, op, effect string) string {
		return fmt.Sprintf("[[code]]\nscope = %q\ncode = \"1\"\nclass = \"conflict\"\n"+
			"facts = [{ operation = %s, phase = \"send\", effect = %q, stage = \"result\" }]\n", scope, op, effect)
	}
	tests := []struct{ name, doc, want string }{
		{"two sections agree", row("a", `"pay"`, "unknown") + row("b", `"pay"`, "unknown"), ""},
		{"two sections speak of different operations", row("a", `"pay"`, "unknown") + row("b", `"refund"`, "not_executed"), ""},
		{"a named operation wins over *", row("a", `"*"`, "unknown") + row("b", `"pay"`, "not_executed"), ""},
		{"whichever comes first", row("a", `"pay"`, "not_executed") + row("b", `"*"`, "unknown"), ""},
		{"two sections disagree", row("a", `"pay"`, "unknown") + row("b", `"pay"`, "not_executed"),
			`f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about pay, send`},
		{"two sections disagree about all", row("a", `"*"`, "unknown") + row("b", `"*"`, "not_executed"),
			`f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about pay, send
f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about cancel, send
f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about refund, send`},
		{"one row says two things", strings.Replace(row("a", `"pay"`, "unknown"), "[{", "[{ operation = [\"pay\"], phase = \"send\", effect = \"executed\", stage = \"result\" }, {", 1),
			`f.toml:3:3: code "1" of section "a" says two things of pay, send`},
		{"a row stands twice", row("a", `"pay"`, "unknown") + row("a", `"pay"`, "unknown"),
			`f.toml:8:3: code "1" of section "a" stands already at f.toml:3:3`},
		{"a status stands twice", strings.Repeat("[[status]]\nstatus = \"S\"\nsub_status = \"T\"\nfacts = [{ operation = \"pay\", phase = \"send\", effect = \"unknown\", stage = \"result\" }]\n", 2),
			`f.toml:7:3: status "S" with sub-status "T" stands already at f.toml:3:3`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if said := add(t, tt.doc); said != tt.want {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}

func TestInvalidCataloguesAreRefused(t *testing.T) {
	tests := []struct{ name, doc, want string }{
		{"no TOML", "name = = 1", "f.toml:1:8: "},
		{"nothing in it", "", `f.toml:1: a catalogue needs name = "…"`},
		{"no operations", "name = \"acme\"", "f.toml:1: a catalogue needs operations = "},
		{"a name that is none", "name = 7\noperations = [\"pay\"]", "f.toml:1:8: name is an integer; it must be a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cs, err := providers.Builtin()
			if err != nil {
				t.Fatal(err)
			}
			err = cs.Add("f.toml", []byte(tt.doc))
			var list policy.Mistakes
			if !errors.As(err, &list) || !anyHasPrefix(strings.Split(err.Error(), "\n"), tt.want) {
				t.Errorf("said is %v, want %s", err, tt.want)
			}
			if len(cs.Names()) != 6 {
				t.Errorf("the providers became %v", cs.Names())
			}
		})
	}
}

// [contract] holds for every operation, and a mistake in it is still one mistake.
func TestContractMistakeIsReportedOnce(t *testing.T) {
	said := add(t, "[contract]\nreplay = \"sometimes\"\n")
	if want := `f.toml:4:10: replay is "sometimes"; it must be first_result, rejected or executed_again`; said != want {
		t.Errorf("said\n%s\nwant\n%s", said, want)
	}
}

// A key that is misspelt everywhere in a table has no right one beside it to learn from.
func TestMisspeltKeysAreGuessed(t *testing.T) {
	tests := []struct{ name, doc, want string }{
		{"a code", "[[code]]\ncode = \"1\"\nclas = \"success\"\nfacts = [{ operation = \"pay\", phase = \"send\", effect = \"unknown\", stage = \"door\" }]\n",
			`f.toml:5:1: unknown key "clas"; did you mean "class"?`},
		{"a fact", "[[code]]\ncode = \"1\"\nfacts = [{ operation = \"pay\", phase = \"send\", effect = \"unknown\", stage = \"door\", bassis = \"inferred\" }]\n",
			`f.toml:5:83: unknown key "bassis"; did you mean "basis"?`},
		{"a contract", "[contract.pay]\nwebhok = true\n", `f.toml:4:1: unknown key "webhok"; did you mean "webhook"?`},
		{"a decode block", "[[decode]]\nstauts = \"s\"\n", `f.toml:4:1: unknown key "stauts"; did you mean "status"?`},
		{"an operation of the contract", "[contract.pya]\nwebhook = true\n", `f.toml:3:2: unknown key "pya"; did you mean "pay"?`},
		{"the head", "curency = \"TWD\"\n", `f.toml:3:1: unknown key "curency"; did you mean "currency"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if said := add(t, tt.doc); said != tt.want {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}
