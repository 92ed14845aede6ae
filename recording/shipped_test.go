package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

// The shipped recordings, redacted, are simulated as they are unredacted, to the last number.
func TestShippedRecordingsSimulateTheSame(t *testing.T) {
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/recordings/*.jsonl.gz")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d recordings: %v", len(files), err)
	}
	for _, name := range files {
		whole := unzipped(t, name)
		rest := redactedLines(t, e, whole)
		if len(rest) >= len(whole) {
			t.Errorf("%s: nothing was cut", name)
		}
		if want, got := report(t, e, whole), report(t, e, rest); want != got {
			t.Errorf("%s redacted is simulated as\n%s\nand not as\n%s", name, got, want)
		}
	}
}

func unzipped(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(zip); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

// redactedLines are the lines as a recorder would have written them.
func redactedLines(t *testing.T, e *engine.Engine, lines []byte) []byte {
	t.Helper()
	r, reader := newRedactor(&Options{Rules: e}), recorded.NewReader()
	var out bytes.Buffer
	s := bufio.NewScanner(bytes.NewReader(lines))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var h entry
		body, err := reader.Read(s.Bytes(), &h.Line)
		if err != nil {
			t.Fatal(err)
		}
		if body == nil || !h.Phase.IsAnswer() {
			out.Write(append(s.Bytes(), '\n'))
			continue
		}
		h.Body = body.MarshalTo(nil)
		h.Answer.Phase, h.Answer.Currency = policy.Phase(h.Phase), h.Payment.Currency
		c, err := e.Catalog(&h.Payment)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Decode(h.Payment.Operation, h.Answer.Phase, h.Body, &h.Answer); err != nil && h.Answer.Fault != policy.Unreadable {
			t.Fatal(err)
		}
		out.Write(h.line(r, 1<<16))
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func report(t *testing.T, e *engine.Engine, lines []byte) string {
	t.Helper()
	r, err := simulate.Run(context.Background(), simulate.Options{
		Decider: e, Catalogs: e.Catalogs, Stdin: bytes.NewReader(lines), Broken: func(b *simulate.LineError) { t.Error(b) },
	}, "-")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
