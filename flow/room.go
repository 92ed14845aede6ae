package flow

import "github.com/recourse-pay/recourse/policy"

// Scratch is memory for a driver that counts allocations. The zero value is ready; it is for
// one goroutine at a time.
type Scratch struct {
	m   machine
	out [6]Command
}

// Advance is [Step] in place. What s points into, such as its ledger, is not written to, so
// that a copy of *s from before stays what it was; but for the capacity behind its slices,
// which is taken to be nobody else's: clip them, or let a [Room] fill them. An event may be
// given as a pointer; one that brings an answer is then kept. The list of commands stands in
// the scratch until it is used again, and the commands in the room, as far as they fit; it
// may be nil.
func (w *Scratch) Advance(d policy.Decider, s *State, room *Room, e Event) ([]Command, error) {
	m := &w.m
	m.d, m.s, m.now, m.out, m.room = d, s, e.when(), w.out[:0], room
	if err := m.step(e); err != nil {
		s.Ledger = m.was // a misfit is found before anything else is written
		return nil, err
	}
	return m.out, nil
}

// Room is memory, in one piece, for what a flow of one call learns and is told to do. It
// serves one flow, and as long as that is looked at.
type Room struct {
	ledger   [2]Identity // as it was sent, and as it was answered
	evidence [1]Evidence
	fired    [1]policy.Count

	send    Send
	decided Decided
	finish  Finish

	sent, judged, ended bool // the commands are taken
}

// Furnish gives a new flow's state what room there is.
func (r *Room) Furnish(s *State) {
	s.Ledger, s.Evidence, s.Fired = r.ledger[:0], r.evidence[:0], r.fired[:0]
}

// Clear gives the commands back: nobody looks at them any more.
func (r *Room) Clear() { r.sent, r.judged, r.ended = false, false, false }

func (r *Room) newSend() *Send {
	if r == nil || r.sent {
		return new(Send)
	}
	r.sent = true
	return &r.send
}

func (r *Room) newDecided() *Decided {
	if r == nil || r.judged {
		return new(Decided)
	}
	r.judged, r.decided = true, Decided{}
	return &r.decided
}

func (r *Room) newFinish() *Finish {
	if r == nil || r.ended {
		return new(Finish)
	}
	r.ended = true
	return &r.finish
}
