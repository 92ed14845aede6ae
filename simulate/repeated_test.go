package simulate

import (
	"strings"
	"testing"
	"time"
)

// executed is an execution of a line of reconciliation.
func executed(order, request string, amount int, at time.Duration) fields {
	x := fields{"order_id": order, "request_id": request, "at": startTime.Add(at).Format(time.RFC3339)}
	if amount != 0 {
		x["amount"] = amount
	}
	return x
}

// found is a line of reconciliation.
func found(t *testing.T, flow string, at time.Duration, all ...fields) string {
	t.Helper()
	return jsonLine(t, flow, at, "truth", fields{"executions": append([]fields{}, all...)})
}

// A log that is written at least once, in part or as a whole, and reconciliation that repeats what an
// earlier one held are the same recording.
func TestRepeatedLinesCountOnce(t *testing.T) {
	once := []string{
		jsonLine(t, "f", 0, "send", fields{"fault": "timeout", "latency_ms": 1000}),
		jsonLine(t, "f", 5*time.Second, "send", code(0)),
		jsonLine(t, "f", 60*time.Second, "query", code(0)),
		jsonLine(t, "f", 70*time.Second, "webhook", with(code(0), fields{"verified": true})),
		end(t, "f", 80*time.Second, "failed"),
		found(t, "f", time.Hour, executed("o-1", "r-1", 1000, 6*time.Second)),
	}
	want := simulate(t, Options{}, text("r", once...))
	if got := columnText(want.Recorded); got != "1 failed, 1 failed though executed, 2 sends, 1 queries" {
		t.Fatalf("recorded: %s", got)
	}
	for i := range once {
		got := simulate(t, Options{}, text("r", append(append([]string{}, once...), once[i])...))
		if strings.Contains(once[i], "truth") == (got.Repeated == 1) {
			t.Errorf("line %d twice: %d repeated", i+1, got.Repeated)
		}
		got.Repeated, got.Lines = 0, want.Lines
		for k := range got.Codes {
			got.Codes[k].Seen = want.Codes[k].Seen
		}
		if g, w := asJSON(t, got), asJSON(t, want); g != w {
			t.Errorf("line %d twice: %s", i+1, firstDifference(g, w))
		}
	}
	all := simulate(t, Options{}, text("a", once...), text("b", once...))
	if got, w := columnText(all.Recorded), columnText(want.Recorded); got != w || all.Repeated != 5 {
		t.Errorf("the file twice: %s, want %s; %d repeated", got, w, all.Repeated)
	}
}

// Reconciliation may be a list that grows, may repeat itself, or add to an earlier one; what one
// line does not say is taken from another.
func TestReconciliationInSeveralLines(t *testing.T) {
	x, y := executed("o-1", "r-1", 1000, time.Second), executed("o-1", "r-1", 1000, 9*time.Second)
	undated := fields{"order_id": "o-1", "request_id": "r-1"}
	for _, tt := range []struct {
		name  string
		lines [][]fields
		n     int
	}{
		{"repeated", [][]fields{{x}, {x}}, 1},
		{"growing", [][]fields{{}, {x}, {x, y}}, 2},
		{"apart", [][]fields{{x}, {y}}, 2},
		{"twice in one", [][]fields{{x, x}, {x}}, 2},
		{"without a time", [][]fields{{undated}, {undated}}, 1},
		{"with a time later", [][]fields{{undated}, {x}}, 1},
		{"nothing, after all", [][]fields{{x}, {}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := []string{jsonLine(t, "f", 0, "send", code(0)), end(t, "f", 10*time.Second, "succeeded")}
			for i, all := range tt.lines {
				lines = append(lines, found(t, "f", time.Duration(i+1)*time.Hour, all...))
			}
			for range 2 {
				r := simulate(t, Options{}, text("r", lines...))
				if got := int(r.Recorded.ExecutedTwice) + 1; got != tt.n {
					t.Errorf("%d executions, want %d", got, tt.n)
				}
				for i, k := 2, len(lines)-1; i < k; i, k = i+1, k-1 {
					lines[i], lines[k] = lines[k], lines[i]
				}
			}
		})
	}
}

// Of two conclusions that of the later time holds, in whatever order the lines come.
func TestLaterEndHolds(t *testing.T) {
	send := jsonLine(t, "f", 0, "send", code(0))
	early, late := end(t, "f", time.Second, "failed"), end(t, "f", time.Hour, "succeeded")
	for _, lines := range [][]string{{send, early, late}, {send, late, early}, {late, early, send}} {
		if got := columnText(simulate(t, Options{}, text("r", lines...)).Recorded); got != "1 succeeded, 1 sends" {
			t.Errorf("%s", got)
		}
	}
}

// Reconciliation comes last: it counts however late, while there is memory for the flows that wait.
func TestReconciliationAfterTheWindow(t *testing.T) {
	day := 24 * time.Hour
	lines := []string{
		jsonLine(t, "f", 0, "send", fields{"fault": "timeout", "latency_ms": 1000}), end(t, "f", 2*time.Second, "failed"),
		jsonLine(t, "other", 5*day, "send", with(code(0), fields{"order_id": "o-9", "request_id": "r-9"})),
		jsonLine(t, "other", 6*day, "query", with(code(0), fields{"order_id": "o-9"})),
		found(t, "f", 9*day, executed("o-1", "r-1", 1000, time.Second)),
	}
	r := simulate(t, Options{}, text("r", lines...))
	if r.Recorded.FailedThoughExecuted != 1 || r.Incomplete != 0 || r.Recorded.Flows != 2 {
		t.Errorf("%s, %d incomplete", columnText(r.Recorded), r.Incomplete)
	}
	// Without memory the flow is judged by its answers, and the line that came too late is counted.
	r = simulate(t, Options{parking: 1}, text("r", lines...))
	if r.NoTruth != 2 || r.Incomplete != 1 || r.Unsent != 1 || r.Recorded.FailedThoughExecuted != 0 {
		t.Errorf("%d without reconciliation, %d incomplete, %d not sent", r.NoTruth, r.Incomplete, r.Unsent)
	}
}

// A log that two hosts write is one recording, however long it is.
func TestTwoHostsWriteOneLog(t *testing.T) {
	var all []string
	for i := range 400 {
		flow, at := "f-"+time.Duration(i).String(), time.Duration(i)*time.Hour
		more := fields{"order_id": flow, "request_id": flow}
		all = append(all,
			jsonLine(t, flow, at, "send", with(more, fields{"fault": "timeout", "latency_ms": 1000})),
			jsonLine(t, flow, at+2*time.Minute, "query", with(code(0), fields{"order_id": flow})),
			end(t, flow, at+3*time.Minute, "succeeded"),
			found(t, flow, at+4*time.Minute, executed(flow, flow, 1000, at)))
	}
	want := simulate(t, Options{}, text("all", all...))
	var a, b []string
	for i, l := range all {
		if i%3 == 0 {
			a = append(a, l)
		} else {
			b = append(b, l)
		}
	}
	for _, inputs := range [][]input{{text("a", a...), text("b", b...)}, {text("b", b...), text("a", a...)}} {
		sameReport(t, want, Options{}, inputs...)
	}
	// One host's clock is wrong in one line: the other host's lines do not wait for it.
	wrong := strings.Replace(a[10], `"at":"2026`, `"at":"2062`, 1)
	got := simulate(t, Options{}, text("a", append(append(append([]string{}, a[:10]...), wrong), a[11:]...)...), text("b", b...))
	if got.Recorded.Flows < 399 || got.Recorded.Flows > 401 {
		t.Errorf("%d flows with one wrong clock", got.Recorded.Flows)
	}
}

// Money that moved in another amount, that was disputed, or of what was not sent.
func TestHarmsOfAmountDisputeAndUnsent(t *testing.T) {
	const s = time.Second
	paykka := func(code string) fields {
		return fields{"provider": "paykka", "code": code, "http_status": 200}
	}
	for _, tt := range []harmTest{
		{"5 of 100", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), found(t, "f", time.Hour, executed("o-1", "r-1", 50, s)),
		}, "1 succeeded, 1 with another amount, 1 sends", "1 succeeded, 1 with another amount, 1 sends",
			[2]Harms{{SucceededWithAnotherAmount: 1000}, {SucceededWithAnotherAmount: 1000}}},
		{"in two parts", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"),
			found(t, "f", time.Hour, executed("o-1", "r-1", 400, s), executed("o-1", "r-1", 600, s)),
		}, "1 succeeded, 1 executed twice, 1 sends", "1 succeeded, 1 sends", [2]Harms{{ExecutedTwice: 1000}, {}}},
		{"the amount is not said", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), found(t, "f", time.Hour, executed("o-1", "r-1", 0, s)),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"disputed before the end", []string{
			jsonLine(t, "f", 0, "send", with(paykka("4023"), fields{"latency_ms": 500})), end(t, "f", s, "succeeded"),
			found(t, "f", time.Hour, executed("o-1", "r-1", 1000, s)),
		}, "1 succeeded, 1 succeeded though disputed, 1 sends", "1 escalated, 1 sends", [2]Harms{{SucceededThoughDisputed: 1000}, {}}},
		{"disputed after the end", []string{
			jsonLine(t, "f", 0, "send", with(paykka("4023"), fields{"latency_ms": 5000})), end(t, "f", s, "succeeded"),
			found(t, "f", time.Hour, executed("o-1", "r-1", 1000, s)),
		}, "1 succeeded, 1 sends", "1 escalated, 1 sends", [2]Harms{}},
		{"of an identity that was not sent", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"),
			found(t, "f", time.Hour, executed("o-1", "r-1", 1000, s), executed("o-7", "r-7", 1000, s)),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := simulate(t, Options{}, text("r", tt.lines...))
			if got := columnText(r.Recorded); got != tt.recorded {
				t.Errorf("recorded:  %s\nwant       %s", got, tt.recorded)
			}
			if got := columnText(r.Simulated); got != tt.simulated {
				t.Errorf("simulated: %s\nwant       %s", got, tt.simulated)
			}
			if m := r.Money[0]; m.Recorded != tt.at[0] || m.Simulated != tt.at[1] {
				t.Errorf("money at risk: %+v and %+v, want %+v", m.Recorded, m.Simulated, tt.at)
			}
			if unsent := strings.Contains(tt.name, "not sent"); unsent != (r.Unsent == 1) {
				t.Errorf("%d flows with executions of what was not sent", r.Unsent)
			}
		})
	}
}

// Lines that differ in nothing but how money is captured are two.
func TestLinesThatDifferInTheirCapture(t *testing.T) {
	r := simulate(t, Options{}, text("captures", jsonLine(t, "f", 0, "send", fields{"fault": "timeout", "capture": "auto"}), jsonLine(t, "f", 0, "send", fields{"fault": "timeout", "capture": "manual"})))
	if r.Repeated != 0 {
		t.Errorf("%d lines are taken for repeated", r.Repeated)
	}
}
