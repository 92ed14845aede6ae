package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

const shared = "../../testdata/foreign"

// converted converts the shared table. It returns the rules folder and the output.
func converted(t *testing.T, more ...string) (dir, said string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "rules")
	var out, errs bytes.Buffer
	args := append([]string{"-table", shared + "/table.csv", "-facts", shared + "/facts.csv", "-out", dir}, more...)
	if code := command(args, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	return dir, out.String()
}

func TestSmallTable(t *testing.T) {
	const file = "testdata/small.txtar"
	a, err := testkit.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := options{table: filepath.Join(dir, "table.csv"), facts: filepath.Join(dir, "facts.csv"), out: dir}
	var given, want []testkit.File
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".csv") {
			given = append(given, f)
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			want = append(want, f)
		}
	}
	var out bytes.Buffer
	if err := convert(o, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := ruleset.Open(dir); err != nil {
		t.Errorf("what was written cannot be read: %v", err)
	}
	got := []testkit.File{{Name: "said", Data: out.Bytes()}}
	for _, name := range []string{"brook.toml", "providers/brook.toml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, testkit.File{Name: name, Data: data})
	}
	if testkit.Update() {
		a.Files = append(given, got...)
		if err := os.WriteFile(file, testkit.Format(a), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if g, w := testkit.Format(&testkit.Archive{Files: got}), testkit.Format(&testkit.Archive{Files: want}); !bytes.Equal(g, w) {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}

func TestConversionIsDeterministic(t *testing.T) {
	one, _ := converted(t)
	two, _ := converted(t)
	for _, c := range []string{"halyard", "quillpay", "tamarack"} {
		for _, name := range []string{c + ".toml", "providers/" + c + ".toml"} {
			a, err := os.ReadFile(filepath.Join(one, name))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(two, name))
			if err != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs from run to run (%v)", name, err)
			}
		}
	}
}

// The rule of a row decides on its code, whatever characters the code has.
func TestAwkwardCodes(t *testing.T) {
	codes := []string{`'`, `"`, `'"`, `\`, `\n`, "a\nb", "a\tb", " ", "\x01", "\u2028", "é", "日本", "😀", "**", "]", "#", "${x}", "`", "\u202e"}
	dir := t.TempDir()
	var rows []*row
	for i, code := range codes {
		rows = append(rows, &row{file: "t.csv", line: i + 2, connector: "brook", flow: "refund", code: code, message: code})
	}
	b := split(rows, facts{})[0]
	if err := write(options{out: dir}, map[string][]byte{
		filepath.Join("providers", "brook.toml"): b.catalogue(options{}), "brook.toml": b.rules(options{}),
	}); err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := &policy.Payment{Provider: "brook", Operation: policy.Refund, Amount: 1, Currency: "USD"}
	for i, code := range codes {
		a := &policy.Answer{Code: code}
		d := e.Decide(&policy.Situation{Payment: p, Answer: a, Fact: e.Judge(p, a), Attempt: 1})
		if want := fmt.Sprint("row-", i+2); d.Rule != want {
			t.Errorf("code %q: decided by %q, want %s", code, d.Rule, want)
		}
	}
}

func TestMistakesHaveTheirPlace(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const head, factsHead = "connector,flow,code,message,decision,step_up\n", "connector,code,flow,effect,class,stage,because\n"
	good := put("good.csv", head+"brook,refund,1,m,retry,no\n")
	tests := []struct {
		name, table, facts string
		want               []string
	}{
		{"all at once", head + "Brook,refund,1,m,retry,no\nbrook,buy,,é,maybe,so\n", "", []string{
			`table.csv:2:1: connector "Brook"`, `table.csv:3:7: unknown flow "buy"`, "table.csv:3:11: a row needs a code", "table.csv:3:14: decision is \"maybe\"", "table.csv:3:20: step_up",
		}},
		{"columns", "# c\nconnector,code\n", "", []string{`table.csv:2:1: there is no column "flow"`, `no column "decision"`}},
		{"empty", "", "", []string{`table.csv:1:1: there is no column "connector"`}},
		{"short line", head + "brook\n", "", []string{"table.csv:2:1: 1 fields, but the header has 6"}},
		{"quotes", head + "brook,refund,\"1,m,retry,no\n", "", []string{"table.csv:2:28: extraneous or missing"}},
		{"not UTF-8", head + "brook,refund,\xff,m,retry,no\n", "", []string{"table.csv:2:14: code or message is not UTF-8"}},
		{"strangers", head + "brook,refund,1,m,retry,no\n", factsHead + "broook,1,*,unknown,success,door,x\n", []string{`facts.csv:2:1: the table has no connector "broook"`}},
		{"any code", head + "brook,refund,1,m,retry,no\n", factsHead + "brook,*,*,unknown,success,door,x\n", []string{"facts.csv:2:7: a fact needs a code"}},
		{"facts", head + "brook,refund,1,m,retry,no\n", factsHead + "brook,1,buy,gone,odd,roof,\nbrook,1,*,unknown,success,door,x\nbrook,1,*,unknown,success,door,x\n", []string{
			`facts.csv:2:9: unknown flow "buy"`, `facts.csv:2:13: unknown effect "gone"`, `facts.csv:2:18: unknown class "odd"`, `unknown stage "roof"`, "say why", "facts.csv:4:7: code \"1\" stands already at",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"-table", put("table.csv", tt.table), "-out", filepath.Join(dir, "out")}
			if tt.facts != "" {
				args = append(args, "-facts", put("facts.csv", tt.facts))
			}
			var out, errs bytes.Buffer
			if code := command(args, &out, &errs); code != 2 {
				t.Errorf("exit code %d", code)
			}
			for _, want := range tt.want {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("no %q in\n%s", want, errs.String())
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
				t.Error("something was written")
			}
		})
	}
	t.Run("nothing is written over", func(t *testing.T) {
		args := []string{"-table", good, "-out", filepath.Join(dir, "twice")}
		var out, errs bytes.Buffer
		for i, want := range []int{0, 2} {
			if code := command(args, &out, &errs); code != want {
				t.Errorf("run %d: exit code %d: %s", i+1, code, errs.String())
			}
		}
		if code := command(append(args, "-force"), &out, &errs); code != 0 {
			t.Errorf("-force: exit code %d: %s", code, errs.String())
		}
	})
	t.Run("usage", func(t *testing.T) {
		for _, args := range [][]string{{}, {"-table", good}, {"-no-such"}, {"-table", good, "-out", "x", "more"}, {"-table", "absent.csv", "-out", "x"}} {
			var out, errs bytes.Buffer
			if code := command(args, &out, &errs); code != 2 || errs.Len() == 0 {
				t.Errorf("%q: exit code %d, said %q", args, code, errs.String())
			}
		}
	})
}
