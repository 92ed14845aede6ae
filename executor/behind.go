package executor

import (
	"errors"
	"math"
)

// A row that was read from the journal is behind when its flow was in memory meanwhile: that copy may have written it,
// and left. A flow is not continued from such a row, which is read once more. The journal would refuse what is written
// after it, and those who wait for the flow would get an error for nothing.

// looked counts the flows that had left memory when a row was read.
type looked uint64

// atAnyRate is for a row that is taken as it is.
const atAnyRate looked = math.MaxUint64

// departures are the flows that have left memory. The executor's lock guards them.
type departures struct {
	last    [1024]string // by the number of the departure, modulo
	n       looked
	clients map[string]Client // of those that come back, by id
}

var errBehind = errors.New("executor: the row was read before a flow in memory wrote it")

func (d *departures) add(id string) {
	d.last[d.n%looked(len(d.last))] = id
	d.n++
}

// behind reports whether a flow has left memory since; also when so many left that this is not known.
func (d *departures) behind(id string, since looked) bool {
	switch {
	case since >= d.n:
		return false
	case d.n-since > looked(len(d.last)):
		return true
	}
	for i := since; i < d.n; i++ {
		if d.last[i%looked(len(d.last))] == id {
			return true
		}
	}
	return false
}

// look is to be called before a row is read.
func (x *Executor) look() looked {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.left.n
}

// mostLooks is how often a row is read that is behind each time. Then the journal's answer to the next write decides.
const mostLooks = 4

// reading reads a row and takes its flow up, and does so again while that row is behind.
func (x *Executor) reading(takeUp func(since looked) error) error {
	for range mostLooks {
		if err := takeUp(x.look()); !errors.Is(err, errBehind) {
			return err
		}
	}
	return takeUp(atAnyRate)
}
