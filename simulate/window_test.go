package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// traffic is a synthetic recording: a flow a minute, sent, and reconciled a day later.
func traffic(file, flows int) []line {
	var lines []line
	for i := range flows {
		at := startTime.Add(time.Duration(i) * time.Minute)
		l := line{Line: recorded.Line{Flow: fmt.Sprintf("f-%d-%d", file, i), At: at, Phase: recorded.Send, OrderID: "o", RequestID: "r"}}
		l.Payment.Provider, l.Payment.Key = "momo", fmt.Sprintf("k-%d-%d", file, i)
		lines = append(lines, l)
		if i >= 1440 {
			lines = append(lines, line{Line: recorded.Line{Flow: fmt.Sprintf("f-%d-%d", file, i-1440), At: at, Phase: recorded.Truth}})
		}
	}
	return lines
}

// mostOpen streams batches of files through an assembler and returns how many flows, and
// how many payment keys, were open at once; and how many flows were sent to the workers.
func mostOpen(t testkit.Failer, o Options, files ...[]line) (flows, keys, sent int) {
	t.Helper()
	const step = 500
	jobs := make(chan *job, 1)
	counted := make(chan int)
	go func() {
		n := 0
		for j := range jobs {
			n += len(j.logs)
		}
		counted <- n
	}()
	var a *assembler
	o.Progress = func(int64, int64) { flows, keys = max(flows, len(a.open)), max(keys, a.groups.used-a.parked.groups) }
	o.parking = defaultParking
	a = newAssembler(&o, jobs)
	parsed := make(chan struct{})
	close(parsed)
	all := newKinds(true)
	var sources []*stream
	for _, lines := range files {
		s := &stream{batches: make(chan *batch, len(lines)/step+1), open: func() {}, window: o.window()}
		for i := 0; i < len(lines); i += step {
			b := &batch{input: &input{name: "traffic"}, done: parsed}
			for k := i; k < min(i+step, len(lines)); k++ {
				b.take(all, &lines[k])
			}
			s.batches <- b
		}
		close(s.batches)
		sources = append(sources, s)
	}
	if err := a.assemble(context.Background(), newMerge(sources)); err != nil {
		t.Fatalf("%v", err)
	}
	close(jobs)
	if a.flows.used > 0 || a.groups.used > 0 {
		t.Fatalf("%d flows and %d keys are left over", a.flows.used, a.groups.used)
	}
	return flows, keys, <-counted
}

const (
	twelveDays = 12 * 1440
	open       = 2*1440 + 500 // of a window of two days, give or take a batch
)

// Memory grows with the flows open at once, not with the file.
func TestWindowBoundsOpenFlows(t *testing.T) {
	flows, keys, sent := mostOpen(t, Options{Window: defaultWindow}, traffic(0, twelveDays))
	if sent != twelveDays {
		t.Errorf("%d flows of %d came out", sent, twelveDays)
	}
	if flows > open || keys > open {
		t.Errorf("%d flows and %d keys were open at once; a window has %d", flows, keys, open)
	}
	if flows, _, _ := mostOpen(t, Options{Window: time.Hour}, traffic(0, twelveDays)); flows > 2*60+500 {
		t.Errorf("%d flows were open at once, and the window is an hour", flows)
	}
}

// Nor with the files: each of them covers the same days.
func TestWindowBoundsOpenFlowsOfManyFiles(t *testing.T) {
	flows, keys, sent := mostOpen(t, Options{Window: defaultWindow}, traffic(0, twelveDays), traffic(1, twelveDays), traffic(2, twelveDays))
	if sent != 3*twelveDays {
		t.Errorf("%d flows of %d came out", sent, 3*twelveDays)
	}
	if flows > 3*open || keys > 3*open {
		t.Errorf("%d flows and %d keys were open at once; three windows have %d", flows, keys, 3*open)
	}
}

// One line with a wrong clock does not keep the other flows open.
func TestOneWrongClockKeepsNothingOpen(t *testing.T) {
	lines := traffic(0, twelveDays)
	wrong := append(append(append([]line{}, lines[:3000]...), line{Line: recorded.Line{Flow: "wrong", At: startTime.AddDate(50, 0, 0), Phase: recorded.Send}}), lines[3000:]...)
	if flows, _, _ := mostOpen(t, Options{Window: defaultWindow}, wrong); flows > 3*open {
		t.Errorf("%d flows were open at once; a window has %d", flows, open)
	}
}

// A flow's lines within the window are one flow; one that comes after it is over and reconciled is
// another, and is seen to lack its send.
func TestWindowEdge(t *testing.T) {
	tick := func(after time.Duration) string {
		return jsonLine(t, "other", after, "send", with(code(0), fields{"order_id": "o-9", "request_id": "r-9"}))
	}
	o := Options{Window: time.Hour}
	send, reconciled := jsonLine(t, "f", 0, "send", code(0)), found(t, "f", time.Minute, executed("o-1", "r-1", 1000, 0))
	r := simulate(t, o, text("r", send, reconciled, tick(time.Hour), end(t, "f", time.Hour, "succeeded")))
	if r.Recorded.Flows != 2 || r.Incomplete != 0 || r.Recorded.Succeeded != 1 {
		t.Errorf("at the edge: %+v, %d incomplete", r.Recorded, r.Incomplete)
	}
	late := time.Hour + time.Millisecond
	r = simulate(t, o, text("r", send, reconciled, tick(late), end(t, "f", late, "succeeded")))
	if r.Recorded.Flows != 2 || r.Incomplete != 1 || r.Recorded.Succeeded != 0 {
		t.Errorf("past the edge: %+v, %d incomplete", r.Recorded, r.Incomplete)
	}
}

// A recording in which time goes back by days keeps every flow until the end, and says so once: by how much, where, how many flows it
// keeps, and what helps. What helps does help, and the report is the same.
func TestTimeGoesBack(t *testing.T) {
	const days = 4
	var early, late []string
	for i := range 24 * days {
		at, name := time.Duration(i)*time.Hour, fmt.Sprint("f-", i)
		early = append(early, jsonLine(t, name, at, "send", code(0)), found(t, name, at+time.Minute, executed("o-1", "r-1", 1000, at)))
		at, name = at+2*days*24*time.Hour, fmt.Sprint("g-", i)
		late = append(late, jsonLine(t, name, at, "send", code(0)), found(t, name, at+time.Minute, executed("o-1", "r-1", 1000, at)))
	}
	said := func(inputs ...input) (all []string, r *Report) {
		r = simulate(t, Options{Warn: func(err error) { all = append(all, err.Error()) }}, inputs...)
		r.Files = 1
		return all, r
	}
	quiet, want := said(text("sorted", append(slices.Clone(early), late...)...))
	all, got := said(text("joined", append(slices.Clone(late), early...)...))
	if len(quiet) > 0 || len(all) != 1 {
		t.Fatalf("sorted: %q; joined: %q", quiet, all)
	}
	// Its last day is the twelfth, its first the first; the late half's last two days are open, and all of the early one.
	for _, part := range []string{fmt.Sprintf("joined:%d:", len(late)+1), "by 12.0 days", fmt.Sprintf("(%d lines", len(early)-1), fmt.Sprintf("%d at once", 24*days+49), "Cut the file here", "sort its lines"} {
		if !strings.Contains(all[0], part) {
			t.Errorf("%q does not say %q", all[0], part)
		}
	}
	cut, again := said(text("a", late...), text("b", early...))
	if len(cut) > 0 {
		t.Errorf("two files: %q", cut)
	}
	for _, r := range []*Report{got, again} {
		if g, w := asJSON(t, r), asJSON(t, want); g != w {
			t.Errorf("another report: %s", firstDifference(g, w))
		}
	}
}

// One line with a wrong clock is no setback, and neither is lateness within the window.
func TestTimeGoesBackOnlyWhereTwoLinesAgree(t *testing.T) {
	at := func(name string, hours int) string {
		return jsonLine(t, name, time.Duration(hours)*time.Hour, "send", code(0))
	}
	lines := []string{at("a", 100), at("b", 101), at("old", 0), at("c", 101), at("d", 54), at("e", 53), at("f", 102)}
	simulate(t, Options{Warn: func(err error) { t.Error(err) }}, text("r", lines...))
}
