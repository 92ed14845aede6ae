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

const head = "name = \"acme\"\noperations = [\"pay\", \"cancel\", \"refund\", \"unbind\"]\n"

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
		{"a success that was not executed", "success", `operation = "pay", phase = "query", effect = "not_executed", stage = "result"`, "the class says that it was executed, and the effect that it was not"},
		{"a hold that was not executed", "authorized", `operation = "pay", phase = "send", effect = "not_executed", stage = "result"`, "the class says that it was executed, and the effect that it was not"},
		{"a success that proves nothing", "success", `operation = "pay", phase = "send", effect = "unknown", stage = "result"`, ""},
		{"a decline that was executed", "issuer_declined", `operation = "pay", phase = "webhook", effect = "executed", stage = "result"`, "the class says that it was refused, and the effect that it was executed"},
		{"a decline by the fact's own class", "success", `operation = "pay", phase = "send", class = "insufficient_funds", effect = "executed", stage = "result"`, "the class says that it was refused, and the effect that it was executed"},
		{"a refused repeat", "duplicate_request", `operation = "pay", phase = "send", effect = "unknown", stage = "door"`, ""},
		{"a refused repeat that settles", "duplicate_request", `operation = "pay", phase = "send", effect = "not_executed", stage = "door"`, "a refused repeat proves nothing of the first one; its effect is unknown"},
		{"a refused order that settles", "duplicate_order", `operation = "refund", phase = "send", effect = "not_executed", stage = "result"`, "a refused repeat proves nothing of the first one; its effect is unknown"},
		{"cancelled by a cancel", "cancelled", `operation = "cancel", phase = "send", effect = "executed", stage = "result"`, ""},
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
f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about refund, send
f.toml:8:3: code "1" of section "b" disagrees with f.toml:3 about unbind, send`},
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

// A contract may not promise what another of its lines, or the catalogue's own rows and blocks, deny: nothing is proved on both.
func TestContradictionsAreRefused(t *testing.T) {
	const (
		answers = "[[code]]\ncode = \"1\"\nclass = \"success\"\nfacts = [{ operation = \"pay\", phase = [\"send\", \"query\", \"webhook\"], effect = \"executed\", stage = \"result\" }]\n"
		sends   = "[[code]]\ncode = \"1\"\nclass = \"success\"\nfacts = [{ operation = \"pay\", phase = \"send\", effect = \"executed\", stage = \"result\" }]\n"
		refused = "[[code]]\ncode = \"D\"\nclass = \"invalid_request\"\nfacts = [{ operation = \"pay\", phase = \"send\", effect = \"not_executed\", stage = \"door\" }]\n"
		names   = "[[decode]]\norder_id = \"order\"\ncode = \"code\"\n"
		ids     = "[[decode]]\nphase = [\"send\", \"query\"]\ncode = \"code\"\nprovider_id = \"id\"\n"
		byID    = "[[endpoint]]\noperation = \"pay\"\nphase = \"query\"\npath = \"/q/{id}\"\nprovider_id = \"path:id\"\n"
	)
	tests := []struct{ name, doc, want string }{
		{"a repeat that is executed again, and is not", "[contract.pay]\ndedupe = [\"request_id\"]\nreplay = \"executed_again\"\n",
			"f.toml:5:10: pay: replay says that a repeat is executed again, and dedupe that it is not"},
		{"the same, taken back for an operation", "[contract]\ndedupe = [\"request_id\"]\n[contract.pay]\nreplay = \"executed_again\"\n", ""},
		{"a first result of nothing", "[contract.pay]\nreplay = \"first_result\"\n", "f.toml:4:10: pay: replay says that a repeat gets the first result, and no dedupe"},
		{"a first result and an empty list", "[contract.pay]\ndedupe = []\nreplay = \"first_result\"\n", "f.toml:5:10: pay: replay says"},
		{"an empty list takes back a general promise", "[contract]\ndedupe = [\"request_id\"]\ndedupe_window = \"1h\"\nreplay = \"first_result\"\n[contract.pay]\ndedupe = []\n", ""},
		{"a window of nothing", "[contract.pay]\ndedupe_window = \"1h\"\n", "f.toml:4:17: pay: dedupe_window says for how long"},
		{"a window that ends before a repeat arrives", "[contract.pay]\ndedupe = [\"request_id\"]\ndedupe_window = \"10m\"\narrival_grace = \"10m\"\n",
			"f.toml:5:17: pay: dedupe_window is not longer than timeout and arrival_grace together"},
		{"a window as long as the call and the grace", "[contract.pay]\ndedupe = [\"request_id\"]\ndedupe_window = \"630s\"\narrival_grace = \"10m\"\n", "f.toml:5:17: pay: dedupe_window is not"},
		{"a window that is a second longer", "[contract.pay]\ndedupe = [\"request_id\"]\ndedupe_window = \"631s\"\narrival_grace = \"10m\"\n", ""},
		{"a shorter window over a general grace", "[contract]\ndedupe = [\"request_id\"]\narrival_grace = \"24h\"\n[contract.pay]\ndedupe_window = \"1h\"\n", ""},
		{"an absence that nothing is asked for", "[contract.pay]\nnot_found_after = \"1h\"\n", "f.toml:4:19: pay: not_found_after says what"},
		{"the idempotency key's window", "[contract.idempotent_key]\ndedupe = [\"request_id\"]\ndedupe_window = \"1m\"\narrival_grace = \"1h\"\n", "f.toml:5:17: pay, cancel, refund, unbind: dedupe_window is not"},
		{"a query that no row answers", "[contract.pay]\nquery_by = [\"order_id\"]\n" + sends, `f.toml:4:12: pay: query_by says that there is a query, and no row says what its answers prove`},
		{"a query that a row answers", "[contract.pay]\nquery_by = [\"order_id\"]\n" + answers, ""},
		{"a query by what no endpoint bears", "[contract.pay]\nquery_by = [\"order_id\"]\n" + answers + byID, `f.toml:4:12: pay: query_by has ["order_id"], and no [[endpoint]] of a query bears it`},
		{"a query by what an endpoint bears", "[contract.pay]\nquery_by = [\"order_id\", \"provider_id\"]\n" + answers + byID, ""},
		{"a webhook that no row reads", "[contract.pay]\nwebhook = true\n" + sends + names, `f.toml:4:11: pay: webhook says that the provider reports the end, and no row says what a webhook proves`},
		{"a webhook that a row reads", "[contract.pay]\nwebhook = true\n" + answers + names, ""},
		{"a refused repeat whose row denies the payment", "[contract.pay]\nreplay_codes = [\"D\"]\n" + refused,
			`f.toml:4:16: pay: replay_codes says that "D" refuses a repeat, which proves nothing of the first one, and the row at f.toml:5 that nothing`},
		{"an id that is the same in one phase", "[contract.pay]\nsame_provider_id = [\"send\"]\n" + ids, "f.toml:4:20: same_provider_id names one phase"},
		{"an id that is the same in one phase twice", "[contract.pay]\nsame_provider_id = [\"send\", \"query\", \"send\"]\n" + ids, `f.toml:4:38: "send" stands twice in same_provider_id`},
		{"an id that is the same in a phase that is none", "[contract.pay]\nsame_provider_id = [\"send\", \"notice\"]\n" + ids, `f.toml:4:29: unknown phase "notice"`},
		{"an id that is the same, of a refund", "[contract.refund]\nsame_provider_id = [\"send\", \"query\"]\n" + ids, "f.toml:4:20: refund: same_provider_id is about the payment's own id"},
		{"an id that is the same in two phases", "[contract.pay]\nsame_provider_id = [\"send\", \"query\"]\n" + ids, ""},
		{"an id that is the same, taken back", "[contract.pay]\nsame_provider_id = []\n", ""},
		{"a contract of what is not offered", "[contract.payout]\nwebhook = true\n", "f.toml:3:2: payout is not among the provider's operations"},
		{"a row of what is not offered", strings.Replace(sends, `"pay"`, `"payout"`, 1), "f.toml:6:24: payout is not among the provider's operations"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if said := add(t, tt.doc); !strings.HasPrefix(said, tt.want) || tt.want == "" && said != "" || strings.Contains(said, "\n") {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}

// All contradictions are said at once, and a deployment does not repeat those of its catalogue.
func TestContradictionsAreSaidAtOnceAndOnce(t *testing.T) {
	said := add(t, "[contract.pay]\ndedupe_window = \"1h\"\nnot_found_after = \"1h\"\n[contract.refund]\nreplay = \"first_result\"\n[deployment.north]\ntitle = \"North\"\n")
	if lines := strings.Split(said, "\n"); len(lines) != 3 {
		t.Errorf("said\n%s\nwant three mistakes", said)
	}
}
