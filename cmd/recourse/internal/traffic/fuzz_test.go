package traffic

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fuzzReader holds a reader to what every reader owes: it ends, names the file and the line of what is wrong, and calls have a URL.
func fuzzReader(f *testing.F, format Format, patterns ...string) {
	f.Helper()
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join("..", "imports", "testdata", p))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", p, len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
			f.Add(data[:len(data)/2])
		}
	}
	f.Add([]byte{})
	f.Add([]byte("[" + strings.Repeat(`{"log":`, 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := From("file", bytes.NewReader(data), "")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file: ") {
				t.Fatalf("%v does not name the file", err)
			}
			return
		}
		s.Format = format
		err = s.Read(&Visitor{
			Call: func(c *Call) error {
				if c.URL == "" || c.Line < 1 || c.Fault == 0 && c.Status == 0 {
					t.Fatalf("%+v", c)
				}
				return nil
			},
			Row: func(r *Row) error { _, _ = r.Get("a.b"); return nil },
			Skip: func(line int, why string) {
				if line < 1 || why == "" {
					t.Fatalf("%d: %q", line, why)
				}
			},
		})
		if err != nil && !strings.HasPrefix(err.Error(), "file:") {
			t.Fatalf("%v does not name the file", err)
		}
	})
}

func FuzzHAR(f *testing.F)      { fuzzReader(f, harFormat, "made/*.har", "described/*.har") }
func FuzzCassette(f *testing.F) { fuzzReader(f, cassetteFormat, "made/*.y*ml", "made/vcrpy*.json") }
func FuzzWireMock(f *testing.F) { fuzzReader(f, wiremockFormat, "made/wiremock-3.13.2.json") }
func FuzzJournal(f *testing.F)  { fuzzReader(f, journalFormat, "made/wiremock*requests.json") }
func FuzzPostman(f *testing.F)  { fuzzReader(f, postmanFormat, "made/postman*.json") }
func FuzzHoverfly(f *testing.F) { fuzzReader(f, hoverflyFormat, "described/hoverfly*.json") }
func FuzzNock(f *testing.F)     { fuzzReader(f, nockFormat, "made/nock*.json") }
func FuzzLines(f *testing.F)    { fuzzReader(f, linesFormat, "rows/*.jsonl") }
func FuzzTable(f *testing.F)    { fuzzReader(f, tableFormat, "rows/*.csv", "rows/*.tsv") }

// Whatever a file is, finding out ends.
func FuzzDetect(f *testing.F) {
	for _, s := range []string{"", "{", "[", `{"log":{}}`, "a;b\n1;2", "\xff\xfe{\x00", "\x1f\x8b", "---\ninteractions:\n", `[{"scope":1,"method":2}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := From("file", bytes.NewReader(data), ""); err == nil && s.Format.Title == "" {
			t.Fatal("no format")
		}
	})
}
