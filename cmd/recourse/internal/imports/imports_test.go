package imports

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
)

func builtin(t testkit.Failer) *providers.Catalogs {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return cs
}

// imported runs an import, and returns the recording and what was left out.
func imported(t testkit.Failer, o *Options, paths ...string) (recording, left string, sum *Summary, err error) {
	t.Helper()
	var out bytes.Buffer
	var skipped strings.Builder
	o.Catalogs = builtin(t)
	o.LeftOut = func(p *traffic.PlaceError) { fmt.Fprintf(&skipped, "%s\n", p) }
	sum, err = Run(context.Background(), o, &out, paths...)
	return out.String(), skipped.String(), sum, err
}

var hashes = regexp.MustCompile(`bytes, [a-p]{16}`)

// golden is all of an import as text.
func golden(t *testing.T, o *Options, path string) string {
	t.Helper()
	recording, left, sum, err := imported(t, o, path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(recording, "s3cret") || strings.Contains(recording, "4111") {
		t.Errorf("%s: a secret is in the recording", path)
	}
	readable(t, recording)
	text := recording + "\n" + left + strings.Join(sum.Files, "\n") + fmt.Sprintf("\nlacks %v\n", sum.Lacks)
	return hashes.ReplaceAllString(strings.ReplaceAll(text, filepath.Dir(path)+string(filepath.Separator), ""), "bytes, HASH")
}

// readable holds every line to the reader of recordings, without an unknown key.
func readable(t *testing.T, recording string) {
	t.Helper()
	r := recorded.NewReader()
	last := ""
	for line := range strings.Lines(recording) {
		var l recorded.Line
		if _, err := r.Read([]byte(line), &l); err != nil || len(r.Others()) > 0 {
			t.Errorf("%v %v: %s", err, r.Others(), line)
		}
		if at := l.At.Format("2006-01-02T15:04:05.000000"); at < last {
			t.Errorf("time goes back: %s", line)
		} else {
			last = at
		}
	}
}

// Files that the tool of their name made, in that version, and files that were written by the description of a format.
func TestFilesOfTools(t *testing.T) {
	for dir, least := range map[string]int{"made": 12, "described": 7, "folders": 1} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".golden") })
		if len(files) < least {
			t.Errorf("%s: %d files only", dir, len(files))
		}
		for _, f := range files {
			t.Run(filepath.Base(f), func(t *testing.T) { testkit.GoldenFile(t, f+".golden", golden(t, &Options{}, f)) })
		}
	}
}

// Each file is the same call: what the formats keep of it agrees.
func TestFormatsAgree(t *testing.T) {
	for _, name := range []string{"chrome.har", "firefox.har", "charles.har", "fiddler.har", "mitmproxy-savehar.har"} {
		recording, _, _, err := imported(t, &Options{Merchant: "acme"}, filepath.Join("testdata", "described", name))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(recording, "\n")
		if !strings.HasPrefix(first, `{"v":1,"flow":"momo/pay/o-1","at":"2026-01-02T03:04:05.123`) || !strings.Contains(first, `"latency_ms":231,"http_status":200,"body":{"orderId":"o-1",`) {
			t.Errorf("%s: %s", name, first)
		}
	}
}

func TestMappingMistakes(t *testing.T) {
	_, err := ReadMapping("m.toml", []byte(`
[input]
format = "xlsx"
separator = ";;"
[time]
layout = "yyyy-mm-dd"
zone = "Mars"
[amount]
decimal = ","
thousands = ","
[fields]
ammount = "Betrag"
at = "Zeit"
[set]
at = "x"
[call]
merchant = "partnerCode"
[cal]
x = 1
`))
	want := []string{"m.toml:3:", "m.toml:4:", "m.toml:6:", "m.toml:7:", "m.toml:10:", `did you mean "amount"?`, "at stands in [fields] and in [set]", "m.toml:17:", "m.toml:18:"}
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in %v", w, err)
		}
	}
}

func TestRows(t *testing.T) {
	files, err := filepath.Glob("testdata/rows/*.toml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ReadMapping(f, data)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := filepath.Glob(strings.TrimSuffix(f, ".toml") + ".rows*")
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: no rows, %v", f, err)
		}
		t.Run(filepath.Base(f), func(t *testing.T) {
			testkit.GoldenFile(t, strings.TrimSuffix(f, ".toml")+".golden", golden(t, &Options{Mapping: m, Merchant: "acme"}, rows[0]))
		})
	}
}
