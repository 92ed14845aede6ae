package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// A trap is a short story of which only one thing matters.
type trap struct {
	name   string
	rules  string // of the merchant acme
	lines  string
	never  string // must not be printed, by any of the lines
	always string // must be printed by the last line
}

func TestTraps(t *testing.T) {
	for _, tt := range slices.Concat(traps, limitTraps, targetTraps, disputeTraps) {
		t.Run(tt.name, func(t *testing.T) {
			s := &story{}
			if tt.rules != "" {
				s.files = map[string]string{"merchants/acme.toml": tt.rules}
			}
			r := &teller{t: t, rules: s.open(t)}
			var told, last string
			for line := range strings.SplitSeq(strings.TrimSpace(tt.lines), "\n") {
				var err error
				if last, err = r.run(strings.TrimSpace(line)); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				told += strings.TrimSpace(line) + "\n" + last
			}
			if tt.never != "" && strings.Contains(told, tt.never) {
				t.Errorf("there is %q in\n%s", tt.never, told)
			}
			if !strings.Contains(last, tt.always) {
				t.Errorf("there is no %q at the end of\n%s", tt.always, told)
			}
		})
	}
}

// A replay may arrive as late as its deadline and the grace after it; by then the
// provider must still remember the first one.
func TestReplayMayArriveLate(t *testing.T) {
	c := policy.Contract{
		Dedupe: []policy.Identifier{policy.RequestID}, DedupeWindow: time.Hour, Replay: policy.FirstResult,
		Timeout: 30 * time.Second, ArrivalGrace: 30 * time.Minute,
	}
	if c.ReplaySafe(dawn, dawn.Add(45*time.Minute)) {
		t.Error("sent after 45 minutes, arriving after 75 at the latest, and remembered for 60: safe?")
	}
}
