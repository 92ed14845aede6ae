package simulate

import (
	"maps"
	"slices"
	"time"
)

// What is counted at a point in time.
const (
	pointSends = iota
	pointQueries
	pointSucceeded
	pointFailed
	pointEscalated
	pointNumbers
)

var pointNames = [pointNumbers]string{"sends", "queries", "succeeded", "failed", "escalated"}

type point [sides][pointNumbers]int64

// timeline counts what happened in steps of time. The step grows with the time that the recordings cover: there are
// at most mostPoints of them. Each length of a step is a multiple of the one before, so that the result is the
// same whatever order the flows come in.
type timeline struct {
	length int // of a step: its place in stepLengths
	points map[int64]*point
}

const mostPoints = 400

var stepLengths = [...]time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 364 * 24 * time.Hour,
}

func (t *timeline) step() int64 { return int64(stepLengths[t.length] / time.Microsecond) }

func (t *timeline) add(m moment, side, what int) {
	if t.points == nil {
		t.points = map[int64]*point{}
	}
	at(t.points, floor(int64(m), t.step()))[side][what]++
	t.widen()
}

// floor divides and rounds down, before 1970 too.
func floor(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// widen makes the steps longer until there are few enough.
func (t *timeline) widen() {
	for len(t.points) > mostPoints && t.length+1 < len(stepLengths) {
		t.lengthen(t.length + 1)
	}
}

func (t *timeline) lengthen(length int) {
	by := int64(stepLengths[length] / stepLengths[t.length])
	old := t.points
	t.length, t.points = length, make(map[int64]*point, len(old))
	for n, p := range old {
		at(t.points, floor(n, by)).join(p)
	}
}

func (p *point) join(o *point) {
	for side := range o {
		for i, n := range o[side] {
			p[side][i] += n
		}
	}
}

func (t *timeline) join(o *timeline) {
	if t.points == nil {
		t.points = map[int64]*point{}
	}
	for t.length < o.length {
		t.lengthen(t.length + 1)
	}
	for o.length < t.length {
		o.lengthen(o.length + 1)
	}
	for n, p := range o.points {
		at(t.points, n).join(p)
	}
	t.widen()
}

// timePoint is what happened in one step of time: numbers by column.
type timePoint struct {
	At        time.Time        `json:"at"` // where the step begins
	Recorded  map[string]int64 `json:"recorded"`
	Simulated map[string]int64 `json:"simulated"`
	Against   map[string]int64 `json:"against,omitempty"`
}

func (t *timeline) report(against bool) []timePoint {
	list := []timePoint{}
	for _, n := range slices.Sorted(maps.Keys(t.points)) {
		named := func(side int) map[string]int64 {
			m := map[string]int64{}
			for i, name := range pointNames {
				m[name] = t.points[n][side][i]
			}
			return m
		}
		p := timePoint{At: moment(n * t.step()).time(), Recorded: named(asRecorded), Simulated: named(withThese)}
		if against {
			p.Against = named(withOthers)
		}
		list = append(list, p)
	}
	return list
}
