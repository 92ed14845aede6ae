package verify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

const patient = `
[schedule.slow]
intervals = ["15s"]
[[rule]]
id       = "wait"
when     = 'operation == "cancel" && class == "maintenance" && effect == "not_executed" && !in_doubt && fired < 3'
then     = "retry_new_request"
schedule = "slow"
reason   = "the door opens again"
[[rule]]
id     = "no more"
when   = 'operation == "payout" && class == "maintenance" && effect == "not_executed" && !in_doubt'
then   = "mark_failed"
`

// knowing verifies a merchant's cancels with the proofs of a file. It reports whether a proof was reused.
func knowing(t *testing.T, file, dir string, change func(*verify.Options)) (*verify.Product, bool) {
	t.Helper()
	k, err := verify.OpenKnown(file)
	if err != nil {
		t.Fatal(err)
	}
	o := &verify.Options{
		Providers: []string{"opi"}, Operations: []policy.Operation{policy.Cancel}, Merchants: []string{"acme"}, Known: k,
	}
	if change != nil {
		change(o)
	}
	r := run(t, dir, o)
	if err := k.Save(); err != nil {
		t.Fatal(err)
	}
	if len(r.Products) != 1 || r.Holds != r.Products[0].Holds {
		t.Fatalf("%+v", r)
	}
	return &r.Products[0], r.Products[0].Known
}

// A proof is reused with the same result until something that it depends on changes.
func TestProofIsReusedForSameInput(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "known.json"), folder(t, patient)
	first, known := knowing(t, file, dir, nil)
	if known || !first.Holds {
		t.Fatalf("at first it is known: %t, and holds: %t", known, first.Holds)
	}
	second, known := knowing(t, file, dir, nil)
	if second.Known = false; !known || !reflect.DeepEqual(first, second) {
		t.Errorf("known again: %t; it was %+v\nand is %+v", known, first, second)
	}

	edit := func(old, with string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			write := filepath.Join(dir, "merchants", "acme.toml")
			if !strings.Contains(patient, old) {
				t.Fatalf("there is no %q", old)
			}
			if err := os.WriteFile(write, []byte(strings.Replace(patient, old, with, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			testkit.Write(t, dir, map[string]string{name: text})
		}
	}
	for name, tt := range map[string]struct {
		edit   func(t *testing.T, dir string)
		change func(*verify.Options)
		known  bool
	}{
		"a condition":            {edit: edit(`"maintenance"`, `"rate_limited"`)},
		"a part of one":          {edit: edit(` && fired < 3`, ``)},
		"an action":              {edit: edit(`"retry_new_request"`, `"escalate"`)},
		"a schedule's wait":      {edit: edit(`["15s"]`, `["16s"]`)},
		"a rule's schedule":      {edit: edit(`schedule = "slow"`, ``)},
		"a rule more":            {edit: edit("[[rule]]", "[[rule]]\nid = \"x\"\nwhen = 'fault == \"reset\"'\nthen = \"escalate\"\n[[rule]]")},
		"a default disabled":     {edit: edit("\n", "disable = [\"closed\"]\n")},
		"a time zone":            {edit: edit("\n", "timezone = \"Asia/Tokyo\"\n")},
		"a limit":                {edit: edit("\n", "limits = { max_attempts = 2 }\n")},
		"a line of the contract": {edit: edit("\n", "contract = { dedupe_window = \"1h\" }\n")},
		"a provider's rules":     {edit: add("opi.toml", "[[rule]]\nid = \"y\"\nwhen = 'fault == \"reset\"'\nthen = \"escalate\"\n")},
		"the catalogue":          {edit: add("providers/opi.toml", "name = \"opi\"\n[[code]]\ncode = \"-9\"\nclass = \"issuer_declined\"\nfacts = [{ operation = \"payout\", phase = [\"send\"], effect = \"unknown\", stage = \"result\" }]\n")},
		"distrust":               {change: func(o *verify.Options) { o.DistrustInferred = true }},
		"fewer states":           {change: func(o *verify.Options) { o.MaxStates = 1_000_000 }},

		"a rule of another operation": {edit: edit(`then   = "mark_failed"`, `then   = "escalate"`), known: true},
		"what it says":                {edit: edit(`the door opens again`, `later`), known: true},
		"where it stands":             {edit: edit("\n", "\n\n# moved\n\n"), known: true},
		"nothing":                     {known: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, patient)
			if tt.edit != nil {
				tt.edit(t, dir)
			}
			if _, known := knowing(t, copyOf(t, file), dir, tt.change); known != tt.known {
				t.Errorf("known: %t, want %t", known, tt.known)
			}
		})
	}
}

func copyOf(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "known.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A product that does not hold, or has too many states, is verified again each time.
func TestOnlyProofsAreStored(t *testing.T) {
	dir := folder(t, `
[[rule]]
id   = "eager"
when = 'operation == "cancel" && fault == "timeout"'
then = "retry_new_request"
`)
	file := filepath.Join(t.TempDir(), "known.json")
	for range 2 {
		if p, known := knowing(t, file, dir, nil); known || p.Holds || len(p.Violations) == 0 {
			t.Errorf("known: %t, and holds: %t, with %d violations", known, p.Holds, len(p.Violations))
		}
		few := func(o *verify.Options) { o.MaxStates = 3 }
		if p, known := knowing(t, file, folder(t, patient), few); known || p.Holds || p.Unfinished == "" {
			t.Errorf("given up: known: %t, holds: %t, %q", known, p.Holds, p.Unfinished)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a proof was stored: %v", err)
	}
}

// Another program's proofs are ignored. A file of another kind is an error, and is not changed.
func TestProofsOfAnotherProgramAreIgnored(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "known.json"), folder(t, patient)
	knowing(t, file, dir, nil)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]any
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]any{"program": strings.Repeat("0", 64), "v": 2} {
		was := stored[field]
		stored[field] = value
		other, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		stored[field] = was
		if err := os.WriteFile(file, other, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, known := knowing(t, file, dir, nil); known {
			t.Errorf("it is known with another %s", field)
		}
		if _, known := knowing(t, file, dir, nil); !known {
			t.Errorf("after another %s the proof was not stored", field)
		}
	}
	for _, text := range []string{"", "{", "[]", "[rule]\n", `{"proved":{}}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := verify.OpenKnown(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
		}
		if left, _ := os.ReadFile(file); string(left) != text {
			t.Errorf("%q became %q", text, left)
		}
	}
	if _, err := verify.OpenKnown(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if _, err := verify.OpenKnown(filepath.Join(gone, "known.json")); err == nil {
		t.Error("a missing folder is no error")
	}
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	k, err := verify.OpenKnown(filepath.Join(gone, "known.json"))
	if err == nil {
		err = os.Remove(gone)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, &verify.Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Cancel}, Known: k})
	if err := k.Save(); err == nil {
		t.Error("it was written into a folder that is not there")
	}
}

// Of two rules on one line, the edit of either's wait is seen.
func TestProofOfRulesOnOneLine(t *testing.T) {
	text := func(wait string) string {
		return "rule = [{ id = \"a\", when = 'operation == \"cancel\" && class == \"maintenance\" && effect == \"not_executed\" && !in_doubt', then = \"retry_new_request\", schedule = \"slow\" }, " +
			"{ id = \"b\", when = 'operation == \"cancel\" && fault == \"reset\"', then = \"escalate\" }]\n[schedule.slow]\nintervals = [\"" + wait + "\"]\n"
	}
	file := filepath.Join(t.TempDir(), "known.json")
	knowing(t, file, folder(t, text("15s")), nil)
	if _, known := knowing(t, copyOf(t, file), folder(t, text("15s")), nil); !known {
		t.Error("the same is not known")
	}
	if _, known := knowing(t, file, folder(t, text("16s")), nil); known {
		t.Error("another wait is known")
	}
}

// A file that was changed after it was written proves nothing: whatever byte it is, the file is refused, or taken for another program's.
func TestDamagedProofsAreRefused(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "known.json"), folder(t, patient)
	knowing(t, file, dir, nil)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	places := []int{bytes.Index(data, []byte(`"a":`)) + 4, bytes.Index(data, []byte(`"digest":"`)) + 12, bytes.Index(data, []byte(`"program":"`)) + 12, bytes.Index(data, []byte(`"proved"`)) + 2}
	for at := 0; at < len(data); at += len(data)/testkit.Size(50, 150, 5000) + 1 {
		places = append(places, at)
	}
	refused := 0
	for _, at := range places {
		damaged := bytes.Clone(data)
		if damaged[at]++; damaged[at] > '~' {
			damaged[at] = '0'
		}
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := verify.OpenKnown(file); err != nil {
			refused++
			continue
		}
		if p, known := knowing(t, file, dir, nil); known || p.Within {
			t.Errorf("it is known after byte %d was changed", at)
		}
	}
	if refused < len(places)/2 {
		t.Errorf("%d of %d are refused", refused, len(places))
	}
}
