package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// output runs the command and returns what it wrote; it must end well and say nothing.
func output(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != exitHolds || errs.Len() > 0 {
		t.Fatalf("recourse %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.Bytes()
}

// columnNumbers are the documented numbers of both columns of `simulate --json`.
var columnNumbers = strings.Fields(`flows succeeded failed escalated open off_record executed_twice
	failed_though_executed succeeded_though_not_executed sends queries`)

func TestSimulateJSONOfTheRecordings(t *testing.T) {
	raw := output(t, "simulate", "--json", filepath.Join("..", "..", "testdata", "recordings"))
	var report struct {
		V         *int
		Recorded  map[string]json.RawMessage
		Simulated map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	if report.V == nil {
		t.Error("the report has no version")
	}
	recorded, simulated := numbers(t, report.Recorded), numbers(t, report.Simulated)
	for name, c := range map[string]map[string]int{"recorded": recorded, "simulated": simulated} {
		if sum := c["succeeded"] + c["failed"] + c["escalated"] + c["open"] + c["off_record"]; sum != c["flows"] {
			t.Errorf("%s: %d flows, and they add up to %d", name, c["flows"], sum)
		}
		if c["sends"] < c["flows"]-c["off_record"] || c["queries"] == 0 {
			t.Errorf("%s: %d sends and %d queries of %d flows", name, c["sends"], c["queries"], c["flows"])
		}
	}
	if recorded["flows"] != simulated["flows"] || recorded["flows"] < 2000 {
		t.Errorf("%d flows recorded, %d simulated; want the same, 2000 or more", recorded["flows"], simulated["flows"])
	}
	if recorded["off_record"] != 0 || simulated["off_record"]*3 > simulated["flows"] {
		t.Errorf("off the record: %d recorded, %d of %d simulated", recorded["off_record"], simulated["off_record"], simulated["flows"])
	}
	for _, harm := range []string{"executed_twice", "failed_though_executed", "succeeded_though_not_executed"} {
		if recorded[harm] == 0 || simulated[harm] != 0 {
			t.Errorf("%s: %d recorded, %d simulated; want some, and none", harm, recorded[harm], simulated[harm])
		}
	}
}

// numbers reads the documented numbers of one column.
func numbers(t *testing.T, column map[string]json.RawMessage) map[string]int {
	t.Helper()
	read := map[string]int{}
	for _, name := range columnNumbers {
		var n int
		if err := json.Unmarshal(column[name], &n); err != nil || n < 0 {
			t.Errorf("%s is %q; it must be a number", name, column[name])
		}
		read[name] = n
	}
	return read
}

// listedCode is what `codes --json` documents.
type listedCode struct {
	Provider, Scope, Code, Symbol, Final, Description *string
	Facts                                             []map[string]string
}

// Every row of the published tables is in `codes --json`, with what it proves.
func TestCodesJSONHasEveryRow(t *testing.T) {
	listed := map[string]listedCode{}
	for line := range bytes.Lines(output(t, "codes", "--json")) {
		var c listedCode
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%s: %s", line, err)
		}
		if c.Provider == nil || c.Scope == nil || c.Code == nil || c.Symbol == nil || c.Final == nil || c.Description == nil || *c.Description == "" {
			t.Fatalf("a key is missing: %s", line)
		}
		key := strings.Join([]string{*c.Provider, *c.Scope, *c.Code}, "\t")
		if _, twice := listed[key]; twice {
			t.Errorf("%s is listed twice", key)
		}
		listed[key] = c
	}
	rows, err := os.Open(filepath.Join("..", "..", "providers", "testdata", "rows.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for in := bufio.NewScanner(rows); in.Scan(); {
		row := strings.Split(in.Text(), "\t")
		if row[0] == "provider" {
			continue
		}
		n++
		c, ok := listed[strings.Join(row[:3], "\t")]
		switch {
		case !ok:
			t.Errorf("not listed: %q", row)
		case *c.Final != row[3] || *c.Symbol != row[4]:
			t.Errorf("%q is listed with final %q, symbol %q", row, *c.Final, *c.Symbol)
		case len(c.Facts) == 0:
			t.Errorf("no facts: %q", row)
		}
		for _, f := range c.Facts {
			for _, key := range []string{"operation", "phase", "effect", "class", "stage", "reach", "basis"} {
				if f[key] == "" {
					t.Errorf("%q has a fact without %s", row, key)
				}
			}
		}
	}
	if n != 370 {
		t.Errorf("%d rows; the tables have 370", n)
	}
}

// Each line is answered before the next one is written: a caller may wait for the answer.
func TestDecideAnswersAtOnce(t *testing.T) {
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	done := make(chan int)
	go func() {
		code := run(context.Background(), []string{"decide"}, in, out, io.Discard)
		_ = out.Close()
		done <- code
	}()
	lines := bufio.NewScanner(answer)
	for range 3 {
		if _, err := io.WriteString(ask, `{"provider":"momo","operation":"pay","code":0}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() || !strings.Contains(lines.Text(), `"action":"mark_succeeded"`) {
			t.Fatalf("answered %q", lines.Text())
		}
	}
	_ = ask.Close()
	if code := <-done; code != exitHolds {
		t.Errorf("exit code %d", code)
	}
}
