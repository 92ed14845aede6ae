package executor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/flow"
)

// clock is the time of a process. The wall clock can be stepped, and the monotonic clock stands still
// while a machine is suspended. So the clock begins with the wall clock and goes on with the monotonic
// one, and notes how far the wall clock has been ahead of that. Waits and limits follow the first;
// what a provider remembers for a time is not relied upon when it may be over by either.
//
// Linux says how long the machine was suspended. Where the wall clock agrees, that time has passed: it is
// added to the clock, and drivers that slept through it are woken.
//
// Across a restart there is only the wall clock. If it runs before the time of a row, it was set back
// while no process looked, and for how long the machine stood is not known: the clock then starts with
// the row's time, and no window is relied upon.
type clock struct {
	wall  func() time.Time // nil: time.Now
	start time.Time        // with the monotonic reading

	ahead  atomic.Int64 // the most that it may be later than it says
	offset atomic.Int64 // of the wall clock, at the last look
	base   atomic.Int64 // the time at start, in nanoseconds since 1970
	back   atomic.Bool  // the clock was set back before it started

	uptime func() (time.Duration, bool) // with the time that the machine was suspended
	up     time.Duration                // at start

	mu    sync.Mutex
	said  time.Duration // the offset of the last report
	slept time.Duration // that was added
}

// Tolerances of the clock.
const (
	clockNoise  = 100 * time.Millisecond // what network time corrects all the time
	clockTrust  = 2 * time.Second        // how far rows of another process may be ahead of this one
	clockReport = 30 * time.Second       // a difference that is reported
	clockSleep  = time.Second            // a suspension that is noticed
)

func newClock(wall func() time.Time) *clock {
	c := &clock{wall: wall, start: time.Now(), uptime: noUptime}
	if wall == nil {
		c.uptime = linuxUptime
	}
	c.up, _ = c.uptime()
	c.base.Store(c.readWall(c.start).UnixNano())
	return c
}

func noUptime() (time.Duration, bool) { return 0, false }

// linuxUptime is the time since the machine was started, suspended or not.
func linuxUptime() (time.Duration, bool) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, false // another system
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	return time.Duration(seconds * float64(time.Second)), err == nil
}

// addSleep adds the time for which the machine was suspended, if the wall clock has gone ahead by as much.
func (c *clock) addSleep(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	up, known := c.uptime()
	d := min(up-c.up-time.Since(c.start)-c.slept, ahead)
	if !known || d < clockSleep {
		return
	}
	c.slept += d
	c.base.Add(int64(d))
}

// sleeps is the time for which the machine was suspended so far.
func (c *clock) sleeps() time.Duration {
	c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// readWall is the wall clock's time.
func (c *clock) readWall(now time.Time) time.Time {
	if c.wall != nil {
		return c.wall()
	}
	return now
}

// read reads both clocks.
func (c *clock) read() (at time.Time, offset time.Duration) {
	now := time.Now()
	at = time.Unix(0, c.base.Load()+int64(now.Sub(c.start))).UTC()
	return at, c.readWall(now).Round(0).Sub(at)
}

// look reads both clocks. offset is how far the wall clock is ahead; it may be negative.
func (c *clock) look() (at time.Time, offset time.Duration) {
	at, offset = c.read()
	if ahead := offset - time.Duration(c.offset.Load()); ahead >= clockSleep {
		c.addSleep(ahead)
		at, offset = c.read()
	}
	c.offset.Store(int64(offset))
	for {
		most := c.ahead.Load()
		if int64(offset) <= most+int64(clockNoise) || c.ahead.CompareAndSwap(most, int64(offset)) {
			return at, offset
		}
	}
}

// now is the time of the process.
func (c *clock) now() time.Time {
	at, _ := c.look()
	return at
}

// moment is now for the machine: with how late it may be.
func (c *clock) moment() flow.Moment {
	at, _ := c.look()
	m := flow.Moment{At: at, SetBack: c.back.Load()}
	if ahead := time.Duration(c.ahead.Load()); ahead > 0 {
		m.Latest = at.Add(ahead)
	}
	return m
}

// stamp is the time for rows: that of the clock that is ahead.
func (c *clock) stamp() time.Time {
	at, offset := c.look()
	return at.Add(max(0, offset))
}

// passed reports whether a time has passed by either clock. offset is that of the wall clock when the
// time was set: a step of before says nothing.
func (c *clock) passed(t time.Time, offset time.Duration) bool {
	at, is := c.look()
	return !at.Add(max(0, is-offset-clockNoise)).Before(t)
}

// sawRow takes the time of a row into account, which another process may have written. The error says
// that the wall clock was set back.
func (c *clock) sawRow(written time.Time) error {
	back := written.Sub(c.now())
	if back <= clockTrust {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if back = written.Sub(c.now()); back <= clockTrust { // another goroutine was first
		return nil
	}
	c.base.Add(int64(back))
	c.back.Store(true)
	return fmt.Errorf("executor: the wall clock is %s behind the last row of the journal; until this process ends no request is repeated on the strength of a provider's memory, and waits go on from that row", back.Round(time.Second))
}

// diverged returns an error when the wall clock has been stepped since the last report, or the machine
// was suspended.
func (c *clock) diverged() error {
	_, offset := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := offset - c.said; d.Abs() < clockReport {
		return nil
	}
	c.said = offset
	return fmt.Errorf("executor: the wall clock is %s from the clock of this process: it was stepped, or the machine was suspended; no proof is taken from the difference", offset.Round(time.Second))
}
