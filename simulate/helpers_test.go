package simulate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// A failed property prints the seed that repeats it; no file is left in the tree.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var openDefaults = sync.OnceValues(func() (*engine.Engine, error) { return engine.OpenFS(testkit.Door) })

// defaults are the embedded rules, compiled once.
func defaults(t testkit.Failer) *engine.Engine {
	t.Helper()
	e, err := openDefaults()
	if err != nil {
		t.Fatalf("the default rules do not load: %v", err)
	}
	return e
}

// withRules compiles files over the defaults; with none it is the defaults.
func withRules(t testing.TB, files map[string]string) *engine.Engine {
	t.Helper()
	if len(files) == 0 {
		return defaults(t)
	}
	dir := testkit.Dir(t, testkit.WithDoor(files))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatalf("the test's rules: %v", err)
	}
	return e
}

// text is a recording of the given lines.
func text(name string, lines ...string) input {
	return raw(name, []byte(strings.Join(lines, "\n")+"\n"))
}

func raw(name string, data []byte) input {
	return input{name: name, size: int64(len(data)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

func zipped(t testkit.Failer, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatalf("%v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return b.Bytes()
}

// simulate runs inputs through the default rules, or through o's.
func simulate(t testkit.Failer, o Options, inputs ...input) *Report {
	t.Helper()
	if o.Decider == nil {
		e := defaults(t)
		o.Decider, o.Catalogs = e, e.Catalogs
	}
	r, err := run(context.Background(), o, inputs)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r
}

// asJSON is a report as the command prints it.
func asJSON(t testkit.Failer, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

// startTime is the time at which the small recordings of these tests begin.
var startTime = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// fields of a line.
type fields map[string]any

// jsonLine is one line of a recording: a send of a payment at MoMo, changed by more.
func jsonLine(t testkit.Failer, flow string, at time.Duration, phase string, more fields) string {
	t.Helper()
	line := fields{"v": 1, "flow": flow, "at": startTime.Add(at).Format("2006-01-02T15:04:05.000Z"), "phase": phase, "merchant": "acme"}
	if phase == "send" || phase == "query" || phase == "webhook" {
		line["provider"], line["operation"] = "momo", "pay"
		line["order_id"], line["request_id"] = "o-1", "r-1"
	}
	if phase == "send" {
		line["payment_key"], line["amount"], line["currency"] = "key-"+flow, 1000, "VND"
	}
	if phase == "query" {
		line["query_by"], line["request_id"] = "order_id", "q"
	}
	for k, v := range more {
		line[k] = v
	}
	if body, ok := line["body"].(fields); ok && body["resultCode"] != nil { // MoMo's answers name their order and amount
		whole := fields{"orderId": line["order_id"], "amount": 1000}
		if amount := line["amount"]; amount != nil {
			whole["amount"] = amount
		}
		if line["currency"] == "USD" { // MoMo writes whole units
			whole["amount"] = fmt.Sprintf("0.%02d", line["amount"])
		}
		maps.Copy(whole, body)
		line["body"] = whole
	}
	b, err := json.Marshal(line)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

// code is MoMo's body with a result code.
func code(n int) fields { return fields{"body": fields{"resultCode": n}} }

// truth is a line of reconciliation: pairs of order and request that executed.
func truth(t testkit.Failer, flow string, at time.Duration, executions ...[2]string) string {
	t.Helper()
	list := []fields{}
	for _, x := range executions {
		e := fields{"order_id": x[0], "amount": 1000, "at": startTime.Format(time.RFC3339)}
		if x[1] != "" {
			e["request_id"] = x[1]
		}
		list = append(list, e)
	}
	return jsonLine(t, flow, at, "truth", fields{"executions": list})
}

func end(t testkit.Failer, flow string, at time.Duration, outcome string) string {
	t.Helper()
	return jsonLine(t, flow, at, "end", fields{"outcome": outcome})
}

// with joins fields; the later win.
func with(all ...fields) fields {
	joined := fields{}
	for _, f := range all {
		for k, v := range f {
			joined[k] = v
		}
	}
	return joined
}

// columnText writes the counts of a column that are not zero.
func columnText(c Column) string {
	var parts []string
	for _, n := range []struct {
		n    int
		what string
	}{
		{c.Succeeded, "succeeded"}, {c.Failed, "failed"}, {c.Escalated, "escalated"}, {c.Open, "open"}, {c.OffRecord, "off the record"},
		{c.ProvedExecuted, "proved executed"}, {c.ProvedNotExecuted, "proved not executed"}, {c.Refused, "refused"},
		{int(c.ExecutedTwice), "executed twice"}, {int(c.FailedThoughExecuted), "failed though executed"},
		{int(c.SucceededThoughNotExecuted), "succeeded though not executed"}, {int(c.SucceededWithAnotherAmount), "with another amount"},
		{int(c.SucceededThoughDisputed), "succeeded though disputed"},
		{c.Sends, "sends"}, {c.Queries, "queries"}, {c.Corrected, "corrected"}, {c.Alerts, "alerts"}, {c.Unasked, "unasked"},
	} {
		if n.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	return strings.Join(parts, ", ")
}

func noWarning(error) {}
