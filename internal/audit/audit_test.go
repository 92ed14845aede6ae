package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

func engine(t testkit.Failer) *ruleset.Engine {
	t.Helper()
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return e
}

func audited(t testkit.Failer, e *ruleset.Engine, found func(*Finding), texts ...string) *Report {
	t.Helper()
	var inputs []Input
	for i, text := range texts {
		inputs = append(inputs, Input{Name: fmt.Sprint(i), Reader: strings.NewReader(text)})
	}
	r, err := Run(context.Background(), Options{Decider: e, Catalog: e.Catalog, Stories: 10, Found: found}, inputs)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r
}

// line makes a line: its time in minutes, its phase, and the rest of its keys.
func line(minute int, phase, rest string) string {
	head := fmt.Sprintf(`{"v":1,"at":"2026-01-02T%02d:%02d:00Z","phase":%q,"merchant":"acme"`, 3+minute/60, minute%60, phase)
	if phase != "end" && phase != "truth" {
		head += `,"provider":"momo","operation":"pay"`
	}
	return head + "," + rest + "}\n"
}

const (
	asked   = `"flow":"f","payment_key":"k","order_id":"o-1","request_id":"r-1","amount":1000,"currency":"VND"`
	again   = `"flow":"g","payment_key":"k","order_id":"o-2","request_id":"r-2","amount":1000,"currency":"VND"`
	paid    = `"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0}`
	paid2   = `"body":{"orderId":"o-2","requestId":"r-2","amount":1000,"resultCode":0}`
	refused = `"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":1001}`
	lost    = `"latency_ms":30000,"fault":"timeout"`
	late    = 600 // minutes: the end of the traffic
)

func TestKinds(t *testing.T) {
	e := engine(t)
	tail := line(late, "send", `"flow":"z","order_id":"z","request_id":"z","amount":1,"currency":"VND","body":{"orderId":"z","requestId":"z","amount":1,"resultCode":0}`) +
		line(late+1, "end", `"flow":"z","outcome":"succeeded"`)
	for _, tt := range []struct {
		name, lines string
		want        Kind
	}{
		{"paid", line(0, "send", asked+","+paid) + line(1, "end", `"flow":"f","outcome":"succeeded"`), ""},
		{"refused, failed", line(0, "send", asked+","+refused) + line(1, "end", `"flow":"f","outcome":"failed"`), ""},
		{"paid twice", line(0, "send", asked+","+paid) + line(2, "send", again+","+paid2), ChargedTwice},
		{"lost, then paid under another order", line(0, "send", asked+","+lost) + line(2, "send", again+","+paid2), MayBeChargedTwice},
		{"refused, then paid under another order", line(0, "send", asked+","+refused) + line(2, "send", again+","+paid2), ""},
		{"lost, then known", line(0, "send", asked+","+lost) + line(5, "query", `"flow":"f","query_by":"order_id","order_id":"o-1",`+paid) + line(6, "end", `"flow":"f","outcome":"succeeded"`), ""},
		{"lost, found paid, marked failed", line(0, "send", asked+","+lost) + line(5, "query", `"flow":"f","query_by":"order_id","order_id":"o-1",`+paid) + line(6, "end", `"flow":"f","outcome":"failed"`), FailedThoughExecuted},
		{"lost, marked failed", line(0, "send", asked+","+lost) + line(6, "end", `"flow":"f","outcome":"failed"`), FailedInDoubt},
		{"lost, marked failed, truth: nothing", line(0, "send", asked+","+lost) + line(6, "end", `"flow":"f","outcome":"failed"`) + line(late, "truth", `"flow":"f","executions":[]`), ""},
		{"lost, marked succeeded", line(0, "send", asked+","+lost) + line(6, "end", `"flow":"f","outcome":"succeeded"`), SucceededWithoutProof},
		{"refused, marked succeeded", line(0, "send", asked+","+refused) + line(6, "end", `"flow":"f","outcome":"succeeded"`), SucceededThoughNot},
		{"lost, left", line(0, "send", asked+","+lost), LeftOpen},
		{"lost, escalated", line(0, "send", asked+","+lost) + line(6, "end", `"flow":"f","outcome":"escalated"`), ""},
		{"not sent, left", line(0, "send", asked+`,"fault":"not_sent"`), ""},
		{"an answer about another order", line(0, "send", asked+`,"body":{"orderId":"o-9","requestId":"r-1","amount":1000,"resultCode":0}`), LeftOpen},
		{"paid less", line(0, "send", asked+","+paid) + line(1, "end", `"flow":"f","outcome":"succeeded"`) + line(late, "truth", `"flow":"f","executions":[{"order_id":"o-1","request_id":"r-1","amount":5}]`), PaidAnotherAmount},
		{"truth twice, in two lines", line(0, "send", asked+","+paid) + line(9, "truth", `"flow":"f","executions":[{"order_id":"o-1","request_id":"r-1","amount":1000}]`) +
			line(10, "truth", `"flow":"f","executions":[{"order_id":"o-1","request_id":"r-1","amount":1000}]`), ""},
		{"truth of two", line(0, "send", asked+","+paid) + line(9, "truth", `"flow":"f","executions":[{"order_id":"o-1","request_id":"r-1","amount":1000},{"order_id":"o-2","request_id":"r-2","amount":1000}]`), ChargedTwice},
		{"an unverified notice", line(0, "send", asked+","+lost) + line(3, "webhook", `"flow":"f","order_id":"o-1","request_id":"r-1","verified":false,`+paid), LeftOpen},
		{"the later end counts", line(0, "send", asked+","+paid) + line(9, "end", `"flow":"f","outcome":"succeeded"`) + line(3, "end", `"flow":"f","outcome":"failed"`), ""},
		{"the same request again, in the window", line(0, "send", asked+","+lost) + line(1, "send", asked+","+paid), ""},
	} {
		for form, texts := range map[string][]string{
			"as it is":    {tt.lines + tail},
			"twice":       {tt.lines + tt.lines + tail},
			"backwards":   {backwards(tt.lines) + tail},
			"two files":   split(tt.lines, tail),
			"with broken": {"{\n" + tt.lines + "[]\n\xff\n" + tail},
		} {
			r := audited(t, e, nil, texts...)
			var got Kind
			if len(r.Findings) > 0 {
				got = r.Findings[0].Kind
			}
			if got != tt.want || len(r.Findings) > 1 {
				t.Errorf("%s, %s: %q, not %q", tt.name, form, got, tt.want)
			}
		}
	}
}

func backwards(text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	out := ""
	for i := len(lines) - 1; i >= 0; i-- {
		out += strings.TrimSuffix(lines[i], "\n") + "\n"
	}
	return out
}

func split(text, tail string) []string {
	out := []string{"", tail}
	for i, l := range strings.SplitAfter(text, "\n") {
		if i%2 == 0 {
			out[0] += l
		} else {
			out[1] = l + out[1]
		}
	}
	out[1] = ""
	var second string
	for i, l := range strings.SplitAfter(text, "\n") {
		if i%2 == 1 {
			second += l
		}
	}
	out[1] = second + tail
	return out
}

// What is found without the truth is held to the ledgers of the emulated providers, which the truth lines are: no second charge and no paid
// payment that was marked failed is missed, and what is called certain is true.
func TestAgainstTheLedger(t *testing.T) {
	e := engine(t)
	for _, provider := range []string{"momo", "opi", "paykka", "shopline"} {
		whole := recordingOf(t, provider)
		var blind strings.Builder
		for l := range strings.Lines(whole) {
			if !strings.Contains(l, `"phase":"truth"`) {
				blind.WriteString(l)
			}
		}
		truth, seen := map[string]Kind{}, map[string]*Finding{}
		name := func(f *Finding) string { return f.Payment.Merchant + "/" + f.Payment.Key }
		all := audited(t, e, func(f *Finding) { truth[name(f)] = f.Kind }, whole)
		audited(t, e, func(f *Finding) { seen[name(f)] = f }, blind.String())
		for _, total := range all.Totals {
			for _, m := range total.Money {
				if m.Amount <= 0 || m.Currency == "" {
					t.Errorf("%s: %s has %+v", provider, total.Kind, m)
				}
			}
		}
		missed, false_, harms := 0, 0, 0
		for key, kind := range truth {
			f := seen[key]
			switch kind {
			case ChargedTwice, FailedThoughExecuted, SucceededThoughNot:
				if harms++; f == nil {
					missed++
					t.Logf("%s: %s %s is missed", provider, key, kind)
				}
			default:
			}
		}
		for key, f := range seen {
			if f.Certain && truth[key] == "" {
				false_++
				t.Logf("%s: %s is called %s", provider, key, f.Kind)
			}
		}
		t.Logf("%s: %d payments, %d harms by the ledger, %d missed, %d false; found blind %d", provider, all.Payments, harms, missed, false_, len(seen))
		if missed > 0 || false_ > 0 || harms == 0 {
			t.Errorf("%s: of %d harms %d are missed; %d certain ones are false", provider, harms, missed, false_)
		}
	}
}

func recordingOf(t *testing.T, provider string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "recordings", provider+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A line that is too long is passed over, and one without an end is an error.
func TestLongLines(t *testing.T) {
	e := engine(t)
	r := audited(t, e, nil, line(0, "send", asked+","+paid)+strings.Repeat("x", maxLine+10)+"\n"+line(late, "send", again+","+refused))
	if r.Lines != 2 || r.BrokenLines != 1 {
		t.Errorf("%d lines, %d broken", r.Lines, r.BrokenLines)
	}
	_, err := Run(context.Background(), Options{Decider: e, Catalog: e.Catalog}, []Input{{Name: "a", Reader: zeros{}}})
	if err == nil || !strings.Contains(err.Error(), "a:1: no line break in 256 MiB") {
		t.Errorf("%v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzAudit(f *testing.F) {
	e := engine(f)
	f.Add([]byte(line(0, "send", asked+","+lost)), []byte(line(2, "send", again+","+paid2)))
	f.Add([]byte(line(0, "send", asked+","+paid)+line(1, "end", `"flow":"f","outcome":"failed"`)), []byte(line(5, "truth", `"flow":"f","executions":[{"order_id":"o-1"},{}]`)))
	f.Add([]byte("\x1f\x8b"), []byte(strings.Repeat("[", 10000)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		r, err := Run(t.Context(), Options{Decider: e, Catalog: e.Catalog, Stories: 5}, []Input{{Name: "a", Reader: bytes.NewReader(a)}, {Name: "b", Reader: bytes.NewReader(b)}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Payments+r.Incomplete > r.Lines || r.Duplicates > r.Lines {
			t.Fatalf("%+v", r)
		}
	})
}
