package executor

import (
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// Whatever comes and goes: at most so many have a slot, no slot stays free while one waits, what is in doubt and came
// first is served first, and nothing is left over at the end.
func TestSlotsBehaveLikeALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		s := newSlots(limit)
		var wakes sync.WaitGroup
		var holders int
		var line []*ticket // the model: doubts first
		doubts := 0
		waker := func() func() { wakes.Add(1); return wakes.Done }
		serve := func() {
			for holders < limit && len(line) > 0 {
				if _, ok := s.take(line[0], false, waker); !ok {
					t.Fatal("a slot is free, and the first in line has none")
				}
				line, holders, doubts = line[1:], holders+1, max(0, doubts-1)
			}
			for _, waits := range line {
				if _, ok := s.take(waits, false, waker); ok {
					t.Fatal("one has a slot before its turn")
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case what < 2:
				place, ok := s.take(nil, what == 0, waker)
				switch free := holders < limit && len(line) == 0; {
				case ok != free:
					t.Fatalf("it got a slot: %v, want %v", ok, free)
				case ok:
					holders++
				case what == 0:
					line = append(line[:doubts:doubts], append([]*ticket{place}, line[doubts:]...)...)
					doubts++
				default:
					line = append(line, place)
				}
			case what == 2 && holders > 0:
				holders--
				s.give()
				if len(line) > 0 && rapid.IntRange(0, 3).Draw(t, "leaves in time") == 0 { // it has a slot already, and passes it on
					line[0].leave()
					line[0].leave()
					line, doubts = line[1:], max(0, doubts-1)
				}
				serve()
			case len(line) > 0:
				i := rapid.IntRange(0, len(line)-1).Draw(t, "leaves")
				line[i].leave()
				line[i].leave() // once more does no harm
				wakes.Done()    // nothing wakes it
				line = append(line[:i:i], line[i+1:]...)
				if i < doubts {
					doubts--
				}
			}
		}
		for ; holders > 0; holders-- {
			s.give()
		}
		for _, waits := range line {
			waits.leave()
		}
		if used, inLine := s.used.Load(), s.inLine.Load(); used != 0 || inLine != 0 || len(s.lines[0])+len(s.lines[1]) != 0 && inLine == 0 && len(line) == 0 {
			t.Fatalf("%d slots are used, %d wait", used, inLine)
		}
	})
}

// Goroutines take, give back and leave at once; the race detector looks on.
func TestSlotsAtOnce(t *testing.T) {
	const limit = 3
	s := newSlots(limit)
	var now atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for n := range 300 {
				woken := make(chan struct{})
				place, ok := s.take(nil, i%2 == 0, func() func() { return func() { close(woken) } })
				if !ok && (i+n)%5 == 0 {
					place.leave()
					continue
				}
				if !ok {
					<-woken
					if _, ok := s.take(place, false, nil); !ok {
						t.Error("it was woken without a slot")
						return
					}
				}
				if now.Add(1) > limit {
					t.Error("too many have a slot")
				}
				now.Add(-1)
				s.give()
			}
		})
	}
	all.Wait()
	if used, inLine := s.used.Load(), s.inLine.Load(); used != 0 || inLine != 0 {
		t.Errorf("%d slots are used, %d wait", used, inLine)
	}
}
