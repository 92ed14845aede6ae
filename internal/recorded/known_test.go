package recorded

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// bothAgree holds the reader of the common form to the general one: what it reads at all it reads alike.
func bothAgree(t testkit.Failer, raw []byte) (known bool) {
	t.Helper()
	quick, general := NewReader(), NewReader()
	var a, b Line
	if known = quick.readKnown(raw, &a); !known {
		return false
	}
	body, err := general.readAny(raw, &b)
	if err != nil {
		t.Fatalf("%s\nis read, and is wrong: %v", raw, err)
	}
	if d := differences(a, b); d != "" {
		t.Fatalf("%s\nis read with %s", raw, d)
	}
	asked, decided := general.Decision()
	switch {
	case len(general.Others()) > 0, asked != nil, decided != nil:
		t.Fatalf("%s\nholds what is not read", raw)
	case (body == nil) != (quick.body == nil):
		t.Fatalf("%s\nhas a body, or has none", raw)
	case body != nil && !bytes.Equal(body.MarshalTo(nil), quick.body.MarshalTo(nil)):
		t.Fatalf("%s\nhas the body %s", raw, quick.body)
	}
	return true
}

// shippedLines is the lines of the shipped recordings.
func shippedLines(t testing.TB) (all [][]byte) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "recordings", "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no recordings")
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		all = append(all, bytes.Split(bytes.TrimSpace(data), []byte("\n"))...)
	}
	return all
}

// The lines that we write are read in their own form, but for lists, and as the general reader reads them.
func TestShippedLinesHaveTheKnownForm(t *testing.T) {
	known, others := 0, 0
	for _, raw := range shippedLines(t) {
		switch {
		case bothAgree(t, raw):
			known++
		case !bytes.Contains(raw, []byte(`"phase":"truth"`)):
			others++
		}
	}
	if known < 10*others || known < 10_000 {
		t.Errorf("%d lines have the known form, %d do not", known, others)
	}
}

// twisters are pieces that a reader may take wrongly.
var twisters = []string{
	`"`, `\`, `\"`, `{`, `}`, `[`, `]`, `,`, `:`, ` `, `null`, `true`, `-`, `0`, `-0`, `1e3`, `1.0`, `00`, `99999999999999999999`, `"v":1`, `"v":2`, `"phase":"end"`, `"body":{}`,
	`"body":"x"`, `,"amount":-1`, `"":1`, `"verified":"true"`, "\x00", "\xff", "\u2028", `\u0041`, `{"a":"}"}`, `{"a":"\\"}`, `"code":12`, `"code":""`, `"flow":""`, `"tags":{}`, `"executions":[]`,
}

// Whatever is done to a line, both readers agree on it.
func TestTheReadersAgree(t *testing.T) {
	var lines [][]byte
	for _, l := range fullLines() {
		lines = append(lines, bytes.TrimSpace(l.Append(nil)))
	}
	shipped := shippedLines(t)
	for i := 0; i < len(shipped); i += len(shipped) / 40 {
		lines = append(lines, shipped[i])
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := bytes.Clone(rapid.SampledFrom(lines).Draw(t, "line"))
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			from := rapid.IntRange(0, len(raw)).Draw(t, "from")
			to := min(len(raw), from+max(0, rapid.IntRange(-4, 12).Draw(t, "cut")))
			piece := rapid.SampledFrom(twisters).Draw(t, "piece")
			raw = append(append(bytes.Clone(raw[:from]), piece...), raw[to:]...)
		}
		bothAgree(t, raw)
	})
}

// FuzzReaders holds both readers equal on any bytes.
func FuzzReaders(f *testing.F) {
	for _, l := range fullLines() {
		f.Add(bytes.TrimSpace(l.Append(nil)))
	}
	for _, piece := range twisters {
		f.Add([]byte(`{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"end","outcome":"failed",` + piece + `}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { bothAgree(t, raw) })
}
