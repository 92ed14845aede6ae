package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// The chart library is the one that is named, unchanged.
func TestChartLibraryIsTheNamedOne(t *testing.T) {
	const version, sum = "6.1.0", "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
	if got := sha256.Sum256([]byte(chartScript)); hex.EncodeToString(got[:]) != sum || !strings.Contains(chartScript, `.version="`+version+`"`) {
		t.Errorf("echarts.min.js is %x, which is not version %s", got, version)
	}
	for _, name := range []string{"LICENSE", "NOTICE", "LICENSE-d3", "README.md"} {
		if text, err := os.ReadFile(filepath.Join("page", "echarts", name)); err != nil || len(text) < 100 {
			t.Errorf("%s: %v, %d bytes", name, err, len(text))
		}
	}
	for _, script := range []string{chartScript, pageScript} {
		if lower := strings.ToLower(script); strings.Contains(lower, "</script") || strings.Contains(lower, "<!--") {
			t.Error("a script cannot stand in a page as it is")
		}
	}
}

// pageOf writes a page and returns it with the JSON form of the same report.
func pageOf(t *testing.T, args ...string) (page string, report map[string]any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	var out, errs bytes.Buffer
	if code := run(t.Context(), append([]string{"simulate", "--json", "--html", file}, args...), strings.NewReader(""), &out, &errs); code == exitCouldNot {
		t.Fatalf("exit code %d\n%s", code, errs.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&out)
	d.UseNumber()
	if err := d.Decode(&report); err != nil {
		t.Fatal(err)
	}
	return string(text), report
}

// numberAt adds up the numbers of a report under paths, separated by spaces.
func numberAt(t *testing.T, report any, paths string) int64 {
	t.Helper()
	sum := int64(0)
	for _, path := range strings.Fields(paths) {
		v := report
		for _, key := range strings.Split(path, ".") {
			switch in := v.(type) {
			case map[string]any:
				v = in[key]
			case []any:
				i, err := strconv.Atoi(key)
				if err != nil || i < 0 || i >= len(in) {
					t.Errorf("%s: no place %s", path, key)
					return 0
				}
				v = in[i]
			}
		}
		if n, is := v.(json.Number); is {
			i, err := n.Int64()
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			sum += i
		} else if v != nil || !strings.HasSuffix(path, ".against") { // a zero that is left out
			t.Errorf("the report has no number %s", path)
		}
	}
	return sum
}

var shownNumber = regexp.MustCompile(`data-path="([^"]*)" data-raw="([^"]*)" data-unit="([^"]*)"[^>]*>([^<]*)<`)

// Every number of the page is that of the report's JSON form, and is written as its unit wants it.
func TestPageHasTheNumbersOfTheReport(t *testing.T) {
	against := t.TempDir()
	writeRules(t, against)
	for _, args := range [][]string{
		{filepath.Join("..", "..", "testdata", "recordings")},
		{"--outage", "momo:pay:2h", "--outage", "momo:*:1h:refused", "--outage", "shopline:pay:3h:503", filepath.Join("..", "..", "testdata", "recordings")},
		{"--against", against, "--regions", filepath.Join("..", "..", "testdata", "recordings", "shopline.jsonl.gz")},
	} {
		page, report := pageOf(t, args...)
		all := shownNumber.FindAllStringSubmatch(page, -1)
		if len(all) < 1000 {
			t.Fatalf("only %d numbers were found", len(all))
		}
		for _, m := range all {
			path, unit, text := html.UnescapeString(m[1]), html.UnescapeString(m[3]), html.UnescapeString(m[4])
			want := numberAt(t, report, path)
			if m[2] != strconv.FormatInt(want, 10) {
				t.Errorf("%s is %d, and the page says %s", path, want, m[2])
			}
			if currency, is := strings.CutPrefix(unit, "minor "); is && text != formatMinor(want, currency) || unit == "count" && strings.ReplaceAll(text, ",", "") != m[2] || unit == "ms" && text != millis(want) {
				t.Errorf("%s is %d, and is written %q (%s)", path, want, text, unit)
			}
		}
		t.Logf("%d numbers, %d bytes", len(all), len(page))
	}
}

func writeRules(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "merchants"), 0o755); err != nil {
		t.Fatal(err)
	}
	const rules = `
[[rule]]
id = "person"
when = 'in_doubt && attempt == 1'
then = "escalate"
reason = "a person knows"
`
	if err := os.WriteFile(filepath.Join(dir, "merchants", "teahouse.toml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hostile is a text that would do harm where it is not escaped.
const hostile = `</script><script>hostile()</script><img src=x onerror=hostile()>"'` + "`" + `<!--\u2028{{.}}${hostile()}`

// hostileRecording has that text in every field that it may stand in.
func hostileRecording(t *testing.T) string {
	t.Helper()
	var lines bytes.Buffer
	line := func(fields map[string]any) {
		base := map[string]any{"v": 1, "flow": hostile + "f", "merchant": hostile + "m"}
		for k, v := range fields {
			base[k] = v
		}
		raw, err := json.Marshal(base)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(raw, '\n'))
	}
	line(map[string]any{
		"at": "2026-01-02T03:04:05Z", "phase": "send", "provider": "momo", "operation": "pay", "payment_key": hostile, "order_id": hostile + "o", "request_id": hostile + "r",
		"amount": 120000, "currency": "VND", "latency_ms": 1000, "code": hostile + "c", "status": hostile + "s", "message": hostile, "tags": map[string]string{hostile: hostile},
	})
	line(map[string]any{"at": "2026-01-02T03:05:05Z", "phase": "end", "outcome": "failed"})
	line(map[string]any{"at": "2026-01-03T03:05:05Z", "phase": "truth", "executions": []any{map[string]any{"order_id": hostile + "o", "request_id": hostile + "r", "amount": 120000, "at": "2026-01-02T03:04:06Z"}}})
	file := filepath.Join(t.TempDir(), "hostile.jsonl")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A text of a recording ends no element and begins none.
func TestPageEscapesHostileTexts(t *testing.T) {
	page, _ := pageOf(t, hostileRecording(t))
	plain, _ := pageOf(t, filepath.Join("..", "..", "testdata", "recordings", "opi.jsonl.gz"))
	for _, tag := range []string{"<script", "</script", "<img", "<!--"} {
		if got, want := strings.Count(page, tag), strings.Count(plain, tag); got != want {
			t.Errorf("%s is in the page %d times, and %d times without hostile texts", tag, got, want)
		}
	}
	if !strings.Contains(page, "hostile()") {
		t.Error("the hostile text is not in the page at all")
	}
	from := strings.Index(page, `id="data">`) + len(`id="data">`)
	var data struct {
		Flows []struct{ Flow struct{ Merchant string } }
	}
	if err := json.Unmarshal([]byte(page[from:from+strings.Index(page[from:], "</script>")]), &data); err != nil {
		t.Fatal(err)
	}
	if len(data.Flows) != 1 || data.Flows[0].Flow.Merchant != hostile+"m" {
		t.Errorf("the data does not hold the merchant's name: %+v", data.Flows)
	}
}

// The page loads nothing: it has no address but in its texts, and its policy allows its own two scripts alone.
func TestPageLoadsNothing(t *testing.T) {
	page, _ := pageOf(t, filepath.Join("..", "..", "testdata", "recordings", "opi.jsonl.gz"))
	if !strings.Contains(page, `content="default-src &#39;none&#39;; script-src &#39;sha256-`) {
		t.Error("the page has no policy")
	}
	if found := regexp.MustCompile(`<(?:link|img|iframe|object|embed|base|form|audio|video|source)\b|\s(?:src|srcset|action)=|@import|url\(`).FindString(strings.ReplaceAll(page, chartScript, "")); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

// A recording with an id in place of each code, a page in place of each message and a merchant for each flow makes no endless page.
func TestPageStaysSmall(t *testing.T) {
	var lines bytes.Buffer
	const largest = 1_000_000_000_000_000 // that a recording may have
	n := testkit.Size(1000, 4000, 4000)
	for i := range n {
		amount := int64(i)
		if i == 0 {
			amount = largest
		}
		fmt.Fprintf(&lines, `{"v":1,"flow":"f-%d","merchant":"m-%d","at":"2026-01-02T03:04:05Z","phase":"send","provider":"momo","operation":"pay","order_id":"o-%d","request_id":"r-%d","amount":%d,"currency":"VND","latency_ms":100,"code":"id-%d","message":"%s"}`+"\n",
			i, i, i, i, amount, i, strings.Repeat(fmt.Sprint(i), 500))
	}
	file := filepath.Join(t.TempDir(), "ids.jsonl")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	page, _ := pageOf(t, file)
	if most := len(chartScript) + 5<<20; len(page) > most {
		t.Errorf("a page of %d bytes for %d flows; at most %d", len(page), n, most)
	}
	if rows := strings.Count(page, "<tr>"); rows > 8*mostRows {
		t.Errorf("%d rows", rows)
	}
	if written := formatMinor(largest, "VND") + " VND"; !strings.Contains(page, written) {
		t.Errorf("an amount of %s is not written", written)
	}
}

func TestListedCellsAreHarmless(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "a=b": "a=b", "=1+1": "'=1+1", "+1": "'+1", "-cmd|x": "'-cmd|x", "@sum": "'@sum", "\t=1": "'\t=1", "\r=1": "'\r=1", "-5": "-5", "＝1": "'＝1", "-1+1": "'-1+1",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}

// Where no flow is read there is no page: one of nothing would say that the rules hold.
func TestPageOfNothingIsNotWritten(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "blank": "\n\n", "no send": `{"v":1,"flow":"f","merchant":"m","at":"2026-01-03T03:05:05Z","phase":"end","outcome":"failed"}` + "\n", "broken": "{",
	} {
		dir := t.TempDir()
		recording, page := filepath.Join(dir, "r.jsonl"), filepath.Join(dir, "page.html")
		if err := os.WriteFile(recording, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"simulate", "--html", page, recording}, strings.NewReader(""), &out, &errs)
		if _, err := os.Stat(page); code != exitCouldNot || !os.IsNotExist(err) || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, %v, %q", name, code, err, errs.String())
		}
	}
}
