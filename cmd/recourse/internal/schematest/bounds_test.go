package schematest

import (
	"strings"
	"testing"
)

// Every reader of TOML measures a file before it parses it.
func TestEveryReaderRefusesHostileFiles(t *testing.T) {
	hostile := map[string]string{
		"a = " + strings.Repeat("[", 1_000_000):       "brackets stand more than 16 deep",
		strings.Repeat("a.", 1_000_000) + "a = 1":     "a key has more than 16 parts",
		"a = [" + strings.Repeat("1,", 300_000) + "]": "more than 250000 keys and items",
		strings.Repeat("# nothing\n", 1_000_000):      "larger than 8388608 bytes",
	}
	for name, said := range map[string]func(string) string{
		"rules": rulesSaid(t), "catalogues": catalogueSaid(t), "tests": testsSaid(t), "faults": faultsSaid,
	} {
		for text, want := range hostile {
			if got := said(text); !strings.Contains(got, want) {
				t.Errorf("%s: of %.40s the reader says %.200s, want %s", name, text, got, want)
			}
		}
	}
}
