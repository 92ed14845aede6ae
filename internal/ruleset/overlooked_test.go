package ruleset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/rules"
)

// ruleWith writes a rule with the given lines from the second on. How mistakes are said
// is in testdata/mistakes; these tests are about being noticed at all, at the right
// place, and once.
func ruleWith(lines string) string {
	return "[[rule]]\n" + lines + "\nid = 'mine'\nthen = 'escalate'\n"
}

func TestNoMistakeIsOverlooked(t *testing.T) {
	tests := []struct {
		name, file, content, at string
	}{
		{"a condition that is empty", "opi.toml", ruleWith(`when = ''`), "opi.toml:2:8"},
		{"a condition of white space", "opi.toml", ruleWith(`when = ' '`), "opi.toml:2"},
		{"a condition that is boolean only at times", "opi.toml", ruleWith(`when = 'in_doubt ? code : true'`), "opi.toml:2"},
		{"a text is never nil", "opi.toml", ruleWith(`when = 'code == nil'`), "opi.toml:2"},
		{"a number among a tag's texts", "opi.toml", ruleWith(`when = 'tags.tier in ["gold", 1]'`), "opi.toml:2"},
		{"a number among texts", "opi.toml", ruleWith(`when = 'lower(code) in ["ok", 41]'`), "opi.toml:2"},
		{"an amount is a whole number", "opi.toml", ruleWith(`when = 'currency == "TWD" && amount == 1.5'`), "opi.toml:2"},
		{"a provider's file for one merchant", "opi.toml", "\nmerchant = 'acme'\n", "opi.toml:2"},
		{"a provider's file that disables", "opi.toml", "merchant = 'acme'\ndisable = ['closed']\n", "opi.toml"},
		{"a merchant's file for one provider", "merchants/acme.toml", "\nprovider = 'momo'\n", "merchants/acme.toml:2"},
		{"a timezone that is another one on every machine", "merchants/acme.toml", "\ntimezone = 'Local'\n", "merchants/acme.toml:2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{tt.file: tt.content})
			_, err := Open(dir)
			if err == nil {
				t.Fatalf("nothing is said about\n%s", tt.content)
			}
			if !strings.HasPrefix(err.Error(), filepath.Join(dir, tt.at)) {
				t.Errorf("the first mistake is\n%v\nwant one at %s", err, tt.at)
			}
		})
	}
}

// The other side: what looks like a mistake and is none.
func TestRightConditionsAreTaken(t *testing.T) {
	conditions := []string{
		`len(code) in [2, 3]`, `attempt + queries in [3, 4]`, `-attempt in [1]`, `lower(code) in ["ok", "41"]`, `attempt in [1, 2]`,
		`tags.tier in ["gold", ""]`, `tags["a tier"] not in ["gold"]`, `"tier" in tags`, `code in tags`, `(tags.tier ?? "") == "gold"`, `upper(tags["a tier"] ?? "") == "GOLD"`,
		`code == ""`, `status in ["", "REVIEWING"]`, `sub_code != ""`, `fault == ""`, `fault in ["", "timeout"]`, `code == sub_code`,
		`elapsed > retry_after`, `elapsed - duration("1h") > retry_after`, `elapsed + retry_after <= duration("1h30m")`,
		`elapsed > (in_doubt ? duration("1h") : duration("2h"))`, `duration("1h") < elapsed`, `retry_after == duration("0s")`,
		`len(tags) == 0`, `2 * duration("1h") > elapsed * 2`, `attempt * 2 < 5`, `1 < attempt < 4`, `amount > 1_000 and currency == "VND"`, `in_doubt == (attempt < 2)`,
		`in_doubt ? attempt < 2 : queries < 3`, `if in_doubt { attempt < 2 } else { queries < 3 }`, `not in_doubt`, `true`,
		`message matches "(?i)retry"`, `message contains "thử"`, `trim(upper(message)) startsWith "X"`, `hasSuffix(code, "1")`,
		`provider == "momo" and merchant != "acme"`, `weekday == "monday" && hour >= 9`, "code == `40`", `code == '40'`,
		"in_doubt // a comment", "/* a comment */ in_doubt", `(code + sub_code)[0:2] == "40"`, `code[1:] == "0"`,
	}
	var file strings.Builder
	for i, when := range conditions {
		file.WriteString(rule(fmt.Sprint(i), when, "escalate"))
	}
	if got := mistakes(t, alone(t, map[string]string{"baseline.toml": file.String()})); got != "nothing\n" {
		t.Errorf("said is\n%s\nwant nothing", got)
	}
}

func TestMistakesStandWhereTheyAreMade(t *testing.T) {
	tests := []struct {
		name, file, content, at string
	}{
		{"another provider's name", "opi.toml", "# ours\nprovider = 'momo'\n", "opi.toml:2:12"},
		{"another merchant's name", "merchants/acme.toml", "# ours\nmerchant = 'acne'\n", "merchants/acme.toml:2:12"},
		{"a contract that is no merchant's", "opi.toml", "# ours\n[contract]\ntimeout = '1s'\n", "opi.toml:2:2"},
		{"a rule disabled that is no merchant's", "opi.toml", "# ours\ndisable = 'closed'\n", "opi.toml:2:11"},
		{"an unknown schedule", "opi.toml", ruleWith("when = 'true'\nschedule = 'pol'"), "opi.toml:3:12"},
		{"the second rule to disable", "merchants/acme.toml", "disable = ['closed', 'faild']\n", "merchants/acme.toml:1:22"},
		{"an unknown identifier", "merchants/acme.toml", "[contract]\ndedupe = ['order_id', 'requestid']\n", "merchants/acme.toml:2:23"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, map[string]string{tt.file: tt.content})
			_, err := Open(dir)
			if err == nil {
				t.Fatalf("nothing is said about\n%s", tt.content)
			}
			if want := filepath.Join(dir, tt.at) + ": "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("the mistake is\n%v\nwant it at %s", err, want)
			}
		})
	}
}

// A mistake in one file is no mistake of the files that rely on it: they may well be
// the defaults, which the reader never wrote.
func TestOneMistakeIsSaidOnce(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		at    string
	}{
		{"a baseline that is no TOML", map[string]string{"baseline.toml": "\n[[rule\n"}, "baseline.toml:2"},
		{"a provider's file that is no TOML", map[string]string{"momo.toml": "[[rule\n"}, "momo.toml:1"},
		{"a catalogue that is no TOML", map[string]string{
			"providers/fifth.toml": "[[code\n", "fifth.toml": ruleWith(`when = 'code == "5"'`),
		}, "providers/fifth.toml:1"},
		{"an id that is no text", map[string]string{"opi.toml": "[[rule]]\nid = 7\nwhen = 'true'\nthen = 'escalate'\n"}, "opi.toml:2"},
		{"a function that is off", map[string]string{"opi.toml": ruleWith(`when = 'elapsed > now()'`)}, "opi.toml:2"},
		{"a range", map[string]string{"opi.toml": ruleWith(`when = 'hour in 9..17'`)}, "opi.toml:2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			_, err := Open(dir)
			if err == nil {
				t.Fatal("nothing is said")
			}
			if said := strings.Split(err.Error(), "\n"); len(said) != 1 || !strings.HasPrefix(said[0], filepath.Join(dir, tt.at)) {
				t.Errorf("said is\n%s\nwant one mistake, at %s", strings.Join(said, "\n"), tt.at)
			}
		})
	}
}

// A folder with a file of one's own and nothing else is the first thing anybody tries.
func TestOneFileOfOnesOwnOpens(t *testing.T) {
	for _, name := range []string{"baseline.toml", "momo.toml", "opi.toml", "paykka.toml", "shopline.toml", "merchants/acme.toml"} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(folder(t, map[string]string{name: rule("mine", "true", "query_status")})); err != nil {
				t.Errorf("the defaults do not get along with it:\n%v", err)
			}
		})
	}
}

// The embedded rules are not checked when they are loaded, so they are here: as a folder of its own each is.
func TestEmbeddedRulesHaveNoMistakes(t *testing.T) {
	e, err := OpenFS(rules.Builtin())
	if err != nil || len(e.Warnings) > 0 {
		t.Fatalf("the embedded rules: %v, %v", err, e)
	}
	for _, f := range e.Rules.Files() {
		if f.Builtin() {
			t.Errorf("%s was not read from the folder", f.Name)
		}
	}
}

// A user's folder may be called as the one in which the embedded rules stand. It was taken for that: what is checked of a user's file was not.
func TestAFolderCalledRulesIsTheUsers(t *testing.T) {
	files := map[string]string{
		"momo.toml":                    "[[rule]]\nid = \"mine\"\nwhen = 'code == \"no-such-code\" && attempt == \"one\"'\nthen = \"escalate\"\nreason = \"r\"\n",
		"merchants/isla-wages.toml":    "[contract]\ndeployment = { opi = \"nowhere\" }\n",
		"merchants/evergreen-box.toml": "[contract]\nnot_found_after = \"1h\"\n[[rule]]\nid = \"mine\"\nwhen = 'code == \"no-such-code\"'\nthen = \"escalate\"\nreason = \"r\"\n",
	}
	said := map[string]string{}
	for _, name := range []string{"rules", "other"} {
		t.Chdir(t.TempDir())
		for file, text := range files {
			file = filepath.Join(name, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Open(name)
		if err == nil {
			t.Fatalf("%s: no mistake was found", name)
		}
		said[name] = strings.ReplaceAll(err.Error(), name+string(filepath.Separator), "")
	}
	if said["rules"] != said["other"] {
		t.Errorf("in a folder called rules:\n%s\nin another:\n%s", said["rules"], said["other"])
	}
	if !strings.Contains(said["other"], "nowhere") || !strings.Contains(said["other"], "momo.toml") {
		t.Error(said["other"])
	}
}
