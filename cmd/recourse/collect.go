package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// collector sets how much garbage may gather while lines are read, by what is in use: little is collected
// while the memory is below a bound, and above it as often as memory that grows with the open flows needs.
type collector struct {
	before  int // percent, of the garbage collector; 0: the user set GOGC, and nothing is changed
	percent int
	live    []metrics.Sample
}

const (
	memoryBound  = 20 << 20 // bytes in use and garbage together
	leastGarbage = 20       // percent of what is in use
	mostGarbage  = 400
)

func newCollector() *collector {
	c := &collector{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	if os.Getenv("GOGC") == "" {
		c.percent = leastGarbage
		c.before = debug.SetGCPercent(c.percent)
	}
	return c
}

// adjust looks at what is in use since the last collection.
func (c *collector) adjust() {
	if c.before == 0 {
		return
	}
	metrics.Read(c.live)
	live := max(1, int64(c.live[0].Value.Uint64()))
	want := int(min(max((memoryBound-live)*100/live, leastGarbage), mostGarbage))
	if d := want - c.percent; d > c.percent/5 || -d > c.percent/5 {
		c.percent = want
		debug.SetGCPercent(want)
	}
}

// end sets what was set before.
func (c *collector) end() {
	if c.before != 0 {
		debug.SetGCPercent(c.before)
	}
}

const (
	leastRoom  = 64 << 20 // bytes of garbage that may gather in a service before it is collected
	usualRoom  = 100      // percent of what is in use
	lookAtLive = time.Second
)

// keepRoom lets garbage gather in a service that has little in use: a collection for each few thousand requests would make those of its moment
// wait. With more in use it is collected as ever. GOGC in the environment counts more, and GOMEMLIMIT is kept to.
func keepRoom(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	percent := usualRoom
	tick := time.NewTicker(lookAtLive)
	defer tick.Stop()
	for {
		metrics.Read(live)
		if next := roomFor(live[0].Value.Uint64()); next < percent || next > percent+percent/5 {
			percent = next
			debug.SetGCPercent(percent)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// roomFor is the percent of what is in use that may gather.
func roomFor(live uint64) int {
	if live == 0 { // nothing was collected yet
		return usualRoom
	}
	return int(min(max(leastRoom*100/live, usualRoom), mostGarbage))
}
