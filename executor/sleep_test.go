package executor

import (
	"testing"
	"testing/synctest"
	"time"
)

// suspension is a machine whose wall clock and uptime a test sets.
type suspension struct{ wall, slept time.Duration }

func (s *suspension) clock() *clock {
	start := time.Now()
	c := newClock(func() time.Time { return time.Now().Add(s.wall) })
	c.uptime = func() (time.Duration, bool) { return time.Since(start) + s.slept, true }
	return c
}

// The time of a suspension has passed where both the kernel and the wall clock say so; what only one of them says
// is no more than possible.
func TestASuspensionIsCounted(t *testing.T) {
	for name, tt := range map[string]struct {
		wall, slept   time.Duration // at once
		passed, ahead time.Duration // by the clock, and at most besides
	}{
		"suspended":                           {time.Hour, time.Hour, time.Hour, 0},
		"suspended, and the clock set ahead":  {3 * time.Hour, time.Hour, time.Hour, 2 * time.Hour},
		"suspended, and the clock set back":   {time.Minute, time.Hour, time.Minute, 0},
		"suspended, and the clock far back":   {-2 * time.Hour, time.Hour, 0, 0},
		"the clock was stepped":               {2 * time.Hour, 0, 0, 2 * time.Hour},
		"the uptime is odd":                   {0, time.Hour, 0, 0},
		"the uptime goes back":                {time.Hour, -time.Hour, 0, time.Hour},
		"suspended shorter than is noticed":   {500 * time.Millisecond, 500 * time.Millisecond, 0, 500 * time.Millisecond},
		"suspended for a while, with a drift": {time.Hour + 300*time.Millisecond, time.Hour, time.Hour, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s suspension
				c := s.clock()
				before := c.now()
				time.Sleep(time.Minute)
				s.wall, s.slept = tt.wall, tt.slept
				for range 3 { // it is counted once
					m := c.moment()
					if passed := m.At.Sub(before) - time.Minute; passed != tt.passed {
						t.Errorf("%s have passed, want %s", passed, tt.passed)
					}
					ahead := time.Duration(0)
					if !m.Latest.IsZero() {
						ahead = m.Latest.Sub(m.At)
					}
					if ahead != tt.ahead {
						t.Errorf("it may be %s later, want %s", ahead, tt.ahead)
					}
				}
				s.wall, s.slept = 2*tt.wall, 2*tt.slept
				if again := c.now().Sub(before) - time.Minute; again != 2*tt.passed && tt.passed >= time.Hour {
					t.Errorf("after a second time %s have passed, want %s", again, 2*tt.passed)
				}
			})
		})
	}
}

func TestLinuxUptimeGoesOn(t *testing.T) {
	first, known := linuxUptime()
	if !known {
		return // another system
	}
	second, _ := linuxUptime()
	if first <= 0 || second < first || second > first+time.Minute {
		t.Errorf("the machine is up for %s, then %s", first, second)
	}
}
