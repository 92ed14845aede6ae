package providers_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// New codes turn up in the wild, and a user's file adds them to the built-in ones.
func TestAddExtendsABuiltinCatalogue(t *testing.T) {
	cs := with(t, "mine/momo.toml", `
name = "momo"

[[code]]
scope = "newer"
code = "5555"
class = "issuer_declined"
description = "Seen in the wild."
facts = [{ operation = "pay", phase = ["send", "query"], effect = "not_executed", stage = "result", basis = "documented" }]

[[code]]
code = "1001"
class = "merchant_balance"
description = "It was otherwise for us."
facts = [{ operation = "pay", phase = "send", effect = "unknown", stage = "result" }]

[contract.payout]
dedupe_window = "1h"

[[decode]]
operation = "pay"
phase = "send"
message = "localMessage"
`)
	c, _ := cs.Get("momo")
	old := catalog(t, "momo")
	pays := &policy.Payment{Provider: "momo", Operation: pay}

	added := policy.Answer{Phase: query, Code: "5555"}
	if f := c.Judge(pays, &added); f.Effect != notExecuted || f.Class != policy.IssuerDeclined {
		t.Errorf("a code that was added proves %s, %s", f.Effect, f.Class)
	}
	overridden := policy.Answer{Phase: send, Code: "1001"}
	if f := c.Judge(pays, &overridden); f.Effect != unknown || f.Class != policy.MerchantBalance || f.Final != policy.Unspecified {
		t.Errorf("a code that was overridden proves %s, %s, final %s", f.Effect, f.Class, f.Final)
	}
	overridden.Phase = query
	if f := c.Judge(pays, &overridden); f.Effect != unknown {
		t.Errorf("an overridden row keeps its old fact about a query: %s", f.Effect)
	}
	if r := find(c, "-", "1001"); r == nil || r.Source != "mine/momo.toml:11" {
		t.Errorf("the row of code 1001 is %+v, want the one of mine/momo.toml:11", r)
	}
	if len(c.Codes) != len(old.Codes)+1 {
		t.Errorf("%d codes became %d, want one more", len(old.Codes), len(c.Codes))
	}

	var a policy.Answer
	if err := c.Decode(pay, send, []byte(`{"orderId":"o-1","amount":5,"resultCode":0,"message":"theirs","localMessage":"mine"}`), &a); err != nil ||
		a.Message != "mine" || a.Code != "0" {
		t.Errorf("a decode block that was added reads %+v (%v)", a, err)
	}
	want := old.Contract(payout)
	want.DedupeWindow = time.Hour
	if got := c.Contract(payout); !reflect.DeepEqual(got, want) {
		t.Errorf("one contract line was added:\ngot  %+v\nwant %+v", got, want)
	}
	if got := c.Contract(pay); !reflect.DeepEqual(got, old.Contract(pay)) || c.Title != old.Title || c.Currency != old.Currency {
		t.Errorf("what the file does not speak of changed: %+v", got)
	}
}

func TestExtendingLeavesTheOldCatalogueAlone(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := cs.Get("momo")
	codes, contract := len(before.Codes), before.Contract(pay)
	if err := cs.Add("mine.toml", []byte("name = \"momo\"\n[contract]\nreplay_codes = []\n"+
		"[[code]]\ncode = \"1001\"\nfacts = [{operation = \"pay\", phase = \"send\", effect = \"unknown\", stage = \"result\"}]\n")); err != nil {
		t.Fatal(err)
	}
	f := before.Judge(&policy.Payment{Operation: pay}, &policy.Answer{Phase: send, Code: "1001"})
	if f.Effect != notExecuted || len(before.Codes) != codes || !reflect.DeepEqual(before.Contract(pay), contract) {
		t.Errorf("a catalogue that was handed out changed: 1001 proves %s", f.Effect)
	}
}

// mistakenFile extends MoMo and has a mistake in almost every line.
const mistakenFile = `name = "momo"
amount_unit = "cents"
titel = "MoMo"

[contract]
replay = "again"
dedupe_window = "a month"
query_by = ["order_id", "order"]
[contract.pay]
webhok = true

[[code]]
code = "5555"
class = "declined"
facts = [{ operation = "pay", phase = "send", effect = "not_executed", stage = "result" }]

[[code]]
symbol = "X"
final = true
facts = [
  { operation = ["pay", "buy"], phase = "send", effect = "executed", stage = "result" },
  { operation = "refund", effect = "unknown" },
]

[[code]]
code = "5556"
descripton = "x"

[[status]]
status = ""
facts = [{ operation = "*", phase = ["later"], effect = "unknown", stage = "window", reach = "all", basis = "rumour" }]

[[decode]]
operation = ["pay"]
phase = ["sent"]
code = 7
stauts = "s"

[[envelope]]
form = "code and status"
body = true
`

// mistakes are what is wrong in mistakenFile, by the beginning of each message.
var mistakes = []string{
	`mine.toml:2:15: amount_unit is "cents"; it must be minor, major or hundredths`,
	`mine.toml:3:1: unknown key "titel"; did you mean "title"?`,
	`mine.toml:6:10: replay is "again"; it must be first_result, rejected or executed_again`,
	`mine.toml:7:17: dedupe_window: "a month" is no duration (write "90s", "15m", "24h")`,
	`mine.toml:8:`,
	`mine.toml:10:1: unknown key "webhok"`,
	`mine.toml:14:9: unknown class "declined" (there are: unrecognized, `,
	`mine.toml:17:3: a [[code]] needs code = "…"`,
	`mine.toml:19:9: final is a boolean; it must be a string`,
	`mine.toml:21:25: unknown operation "buy" (there are: checkout, `,
	`mine.toml:22:3: a fact needs phase`,
	`mine.toml:22:3: a fact needs stage`,
	`mine.toml:25:3: a row needs at least one fact`,
	`mine.toml:27:1: unknown key "descripton"; did you mean "description"?`,
	`mine.toml:30:1: a [[status]] needs status = "…"`,
	`mine.toml:31:38: unknown phase "later" (there are: send, query, webhook)`,
	`mine.toml:31:76: unknown stage "window" (there are: door, result)`,
	`mine.toml:31:94: unknown reach "all" (there are: payment, attempt)`,
	`mine.toml:31:109: unknown basis "rumour" (there are: inferred, documented)`,
	`mine.toml:35:10: unknown phase "sent" (there are: send, query, webhook)`,
	`mine.toml:36:8: code is an integer; it must be an array of strings`,
	`mine.toml:37:1: unknown key "stauts"`,
	`mine.toml:40:8: form is "code and status"; it must be code or status`,
	`mine.toml:41:8: body is a boolean; it must be a string`,
}

// The first mistake does not hide the others, and none of the file is taken.
func TestAddWithMistakesChangesNothing(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := cs.Get("momo")
	err = cs.Add("mine.toml", []byte(mistakenFile))
	if err == nil {
		t.Fatal("the file is taken")
	}
	said := strings.Split(err.Error(), "\n")
	for _, w := range mistakes {
		if !anyHasPrefix(said, w) {
			t.Errorf("not said: %s", w)
		}
	}
	for i, s := range said {
		if !strings.HasPrefix(s, "mine.toml:") {
			t.Errorf("mistake %d has no place: %s", i, s)
		}
	}
	if t.Failed() {
		t.Logf("said was\n%s", err)
	}
	if after, _ := cs.Get("momo"); after != before || after.HasCode("5555") {
		t.Error("a file with mistakes changed the catalogue")
	}
}

func anyHasPrefix(lines []string, prefix string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			return true
		}
	}
	return false
}

// What a file says of the optional key stands over the lines that stood there, as
// with every other contract line.
func TestExtendingTheIdempotencyKey(t *testing.T) {
	cs := with(t, "mine.toml", "name = \"shopline\"\n[contract.idempotent_key]\ndedupe_window = \"24h\"\n")
	c, _ := cs.Get("shopline")
	got, _ := c.WithIdempotencyKey(c.Contract(pay))
	want, _ := catalog(t, "shopline").WithIdempotencyKey(c.Contract(pay))
	want.DedupeWindow = 24 * time.Hour
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A code that stands in two sections is overridden by the file's one row: its facts
// win over those that stood there, in whichever section.
func TestOverridingACodeOfTwoSections(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	err = cs.Add("mine.toml", []byte(`name = "shopline"
[[code]]
scope = "general"
code = "1904"
class = "rate_limited"
facts = [{ operation = "*", phase = "send", effect = "unknown", stage = "door" }]
`))
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "mine.toml:") {
				t.Fatalf("the file is refused, and without a place:\n%s", line)
			}
		}
		t.Fatalf("the file is refused:\n%v", err)
	}
	c, _ := cs.Get("shopline")
	if f := c.Judge(&policy.Payment{Operation: pay}, &policy.Answer{Phase: send, Code: "1904"}); f.Effect != unknown {
		t.Errorf("code 1904 proves %s, want what the file says", f.Effect)
	}
}

func TestAddFSReadsEveryCatalogueAndReportsAllMistakes(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	err = cs.AddFS(fstest.MapFS{
		"providers/acme.toml":      {Data: []byte("name = \"acme\"\noperations = [\"pay\"]\n")},
		"providers/bad.toml":       {Data: []byte("name = 7\noperations = [\"pay\"]\n")},
		"providers/worse.toml":     {Data: []byte("name = \"worse\"\noperations = [\"fly\"]\n")},
		"providers/acme.test.toml": {Data: []byte("no catalogue")},
		"providers/.hidden.toml":   {Data: []byte("no catalogue")},
		"other/acme.toml":          {Data: []byte("no catalogue")},
	}, "mine")
	var mistakes policy.Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatalf("the error is %T (%v), want policy.Mistakes", err, err)
	}
	files := map[string]bool{}
	for _, m := range mistakes {
		files[filepath.ToSlash(m.File)] = true
	}
	if len(files) != 2 || !files["mine/providers/bad.toml"] || !files["mine/providers/worse.toml"] {
		t.Errorf("the mistakes are in %v, want mine/providers/bad.toml and mine/providers/worse.toml", files)
	}
	if _, err := cs.Get("acme"); err != nil {
		t.Errorf("a sound catalogue beside others is not read: %v", err)
	}
}
