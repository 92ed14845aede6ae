package executor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Drivers come out in the order of their times, however they were put in, moved and taken out.
func TestAlarmsComeInOrder(t *testing.T) {
	a := &alarms{start: time.Now()}
	draw := rand.New(rand.NewPCG(1, 2))
	all := make([]*driver, 500)
	for i := range all {
		all[i] = new(driver)
	}
	for range 5_000 {
		d := all[draw.IntN(len(all))]
		if draw.IntN(4) == 0 {
			a.remove(d)
		} else {
			a.add(d, time.Hour+time.Duration(draw.IntN(1_000_000))*time.Second)
		}
	}
	a.timer.Stop()
	var times []int64
	for a.heap.Len() > 0 {
		first := a.heap[0]
		if int(first.slot) != 1 || slices.Index(a.heap, first) != 0 {
			t.Fatal("a driver does not know its place")
		}
		times = append(times, first.at)
		a.remove(first)
	}
	if !slices.IsSorted(times) || len(times) < 100 {
		t.Errorf("%d drivers did not come in order", len(times))
	}
}

// The longest wait there is must not overflow into the past: the driver would be woken for ever.
func TestTheLongestWaitIsNotOver(t *testing.T) {
	a := &alarms{start: time.Now().Add(-time.Hour)}
	d := new(driver)
	a.add(d, time.Duration(math.MaxInt64))
	a.timer.Stop()
	if d.at <= int64(time.Since(a.start)) {
		t.Error("a wait of 292 years is over at once")
	}
}
