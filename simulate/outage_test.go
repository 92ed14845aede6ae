package simulate

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// busy is a recording of payments, one a minute, and one a second in the fourth hour.
func busy(t *testing.T, more fields) input {
	t.Helper()
	var lines []string
	add := func(at time.Duration) {
		flow := fmt.Sprint("f-", len(lines))
		ids := with(fields{"order_id": "o-" + flow, "request_id": "r-" + flow, "latency_ms": 200}, more)
		lines = append(lines, jsonLine(t, flow, at, "send", with(ids, code(0))), end(t, flow, at+time.Second, "succeeded"))
	}
	for m := range 6 * 60 {
		if m/60 != 3 {
			add(time.Duration(m) * time.Minute)
			continue
		}
		if m%60 >= 20 && m%60 < 22 {
			for s := range 60 {
				add(time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
			}
		}
	}
	return text("busy", lines...)
}

// An outage without a time lies where the sends are most frequent, and is played with the flows around it.
func TestOutage(t *testing.T) {
	r := simulate(t, Options{Outages: []string{"momo:pay:2m", "momo:pay:30s:refused@2026-01-02T06:21:30Z"}}, busy(t, nil))
	if len(r.Outages) != 1 || len(r.Outages[0].Windows) != 2 {
		t.Fatalf("%+v", r.Outages)
	}
	o := &r.Outages[0]
	if from := o.Windows[0].From; !from.Equal(startTime.Add(3*time.Hour + 20*time.Minute)) {
		t.Errorf("it begins at %s", from)
	}
	if o.Met < 120 || o.Flows < 120 || o.Without.During.Mean != 1 || o.Lost.Amplification <= 1 {
		t.Errorf("%+v", o)
	}
	if o.Without.Ends.Succeeded != o.Flows || o.Arrived.Ends.Succeeded != o.Flows {
		t.Errorf("%+v, %+v", o.Without.Ends, o.Arrived.Ends)
	}
	if without := simulate(t, Options{}, busy(t, nil)); asJSON(t, without) != asJSON(t, func() *Report { r.Outages = nil; return r }()) {
		t.Error("the columns depend on the outage")
	}
}

// What an outage cannot be laid over is refused with what there is.
func TestOutagesThatMeetNothing(t *testing.T) {
	piped := busy(t, nil)
	piped.waits = true
	for _, tt := range []struct {
		name, outage string
		in           input
		wrong        string
	}{
		{"another operation", "momo:refund:10m", busy(t, nil), "no send of momo refund; it has momo pay"},
		{"another provider", "shopline:*:10m", busy(t, nil), "no send of shopline; it has momo pay"},
		{"before the recording", "momo:pay:10m@2025-01-01T00:00:00Z", busy(t, nil), "they are from 2026-01-02T03:00:00Z to 2026-01-02T08:59:00Z"},
		{"after the recording", "momo:pay:10m@2027-01-01T00:00:00Z", busy(t, nil), "no send of momo pay lies in it"},
		{"no times", "momo:pay:10m", busy(t, fields{"lacks": []string{"time"}}), "time is not known"},
		{"no times, with a time", "momo:pay:10m@2026-01-02T06:21:30Z", busy(t, fields{"lacks": []string{"faults", "time"}}), "time is not known"},
		{"a pipe", "momo:pay:10m", piped, "busy is read once"},
		{"a pipe, outside of it", "momo:pay:10m@2027-01-01T00:00:00Z", piped, "no flow of momo pay lies around its outage"},
		{"an empty recording", "momo:pay:10m", text("empty"), "the recording has no send of momo pay"},
		{"no length", "momo:pay:0s", busy(t, nil), "its length is 0s"},
		{"not an outage", "", busy(t, nil), "it must be PROVIDER:OPERATION:LENGTH"},
	} {
		e := defaults(t)
		_, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs, Outages: []string{tt.outage}}, []input{tt.in})
		if err == nil || !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	piped = busy(t, fields{"lacks": []string{"time"}})
	piped.waits = true
	e := defaults(t)
	if _, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs, Outages: []string{"momo:pay:10m@2026-01-02T06:21:30Z"}}, []input{piped}); err == nil || !strings.Contains(err.Error(), "time is not known") {
		t.Errorf("%v", err)
	}
}

// A recording that cannot be read is an error of the first reading as of the second.
func TestOutageOverWhatCannotBeRead(t *testing.T) {
	e := defaults(t)
	bad := input{name: "bad", open: func() (io.ReadCloser, error) { return nil, os.ErrPermission }}
	if _, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs, Outages: []string{"momo:pay:10m"}}, []input{bad}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := run(ctx, Options{Decider: e, Catalogs: e.Catalogs, Outages: []string{"momo:pay:10m"}}, []input{busy(t, nil)}); err == nil {
		t.Error("no error though it is cancelled")
	}
}

// On the shipped recordings no outage brings a payment to harm.
func TestOutagesOfTheShippedRecordings(t *testing.T) {
	e := defaults(t)
	dir := filepath.Join("..", "testdata", "recordings")
	o := Options{Decider: e, Catalogs: e.Catalogs, Outages: []string{"momo:*:2h", "opi:*:2h:refused", "paykka:*:2h:503", "shopline:*:2h"}}
	r, err := Run(context.Background(), o, dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Outages {
		if x := &r.Outages[i]; !x.Holds() || x.Met == 0 || x.Without.Amplification != 1 {
			t.Errorf("%s: %d met, %+v, %+v", x.Provider, x.Met, x.Lost.Harms, x.Arrived.Harms)
		}
	}
}

// The recording reaches from its provider's first call to its last: what lies outside is no time without calls.
func TestAnOutageAtTheEdgeOfTheRecording(t *testing.T) {
	var lines []string
	for i := range 120 {
		flow, at := fmt.Sprint("f-", i), time.Duration(i)*time.Second
		lines = append(lines, jsonLine(t, flow, at, "send", with(fields{"order_id": "o-" + flow, "request_id": "r-" + flow, "latency_ms": 200}, code(0))), end(t, flow, at+time.Second, "succeeded"))
	}
	lines = append(lines, jsonLine(t, "elsewhere", -time.Hour, "send", fields{"provider": "shopline"}))
	at := func(after time.Duration) string { return "momo:pay:1m@" + startTime.Add(after).Format(time.RFC3339) }
	for _, outages := range [][]string{{at(30 * time.Second)}, {at(-30 * time.Second)}, {at(90 * time.Second)}, {at(time.Second), at(100 * time.Second)}} {
		r := simulate(t, Options{Outages: outages}, text("two minutes", lines...))
		o := &r.Outages[0]
		for name, rate := range map[string]float64{"before": o.Without.Before.Mean, "during": o.Without.During.Mean, "after": o.Without.After.Mean} {
			if rate != 1 && rate != 0 || name == "during" && rate != 1 {
				t.Errorf("%s: %s it %.3f calls a second, and there is one each second", outages, name, rate)
			}
		}
		if o.From != startTime.Format(time.RFC3339) || o.To != startTime.Add(119*time.Second).Format(time.RFC3339) {
			t.Errorf("%s: calls are counted from %s to %s", outages, o.From, o.To)
		}
	}
}
