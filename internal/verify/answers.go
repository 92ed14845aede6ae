package verify

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// answerClass is a set of answers that the flow treats alike and about which the rules can decide
// alike, whatever they are shown with them. The model gives one of them only.
type answerClass struct {
	answer      policy.Answer
	fact        policy.Fact // as the catalogue judges it
	group       int         // the group that stands for the class
	groups      int         // how many groups it stands for
	sameUnruled bool        // where the rules are not asked it leads to the same as another class
}

// classify puts the groups of each phase into classes. Two groups are one class if the flow reads
// the same in both facts, if every decision about the one is one about the other, and if what the
// flow makes of the one fact is decided as what it makes of the other.
func (m *model) classify() error {
	for _, ph := range policy.Phases() {
		mx := m.decider.matrix(ph)
		bySignature := map[string]int{}
		unruled := map[policy.Fact]bool{}
		for j := range m.facts.groups[ph] {
			sig := m.signature(ph, j, mx)
			if at, known := bySignature[sig]; known {
				m.classes[ph][at].groups++
				continue
			}
			h, err := m.representative(ph, j)
			if err != nil {
				return err
			}
			read := readByFlow(h.fact)
			h.sameUnruled = unruled[read]
			unruled[read] = true
			bySignature[sig] = len(m.classes[ph])
			m.classes[ph] = append(m.classes[ph], h)
		}
	}
	return nil
}

// readByFlow is what the flow itself reads in a fact: the effect, whether it is a stored result, and
// a few classes. Of an execution the ledger keeps the class.
func readByFlow(f policy.Fact) policy.Fact {
	read := policy.Fact{Effect: f.Effect, Stage: f.Stage, Class: noClass}
	if flowDistinguishes(f.Class) || f.Effect == policy.Executed {
		read.Class = f.Class
	}
	return read
}

// flowDistinguishes reports whether the flow itself reads a class.
func flowDistinguishes(c policy.Class) bool {
	switch c {
	case policy.NotFound, policy.Disputed, policy.Mismatch, policy.Conflict:
		return true
	default:
		return false
	}
}

// signature is everything in a group that the flow and the rules can distinguish.
func (m *model) signature(ph policy.Phase, j int, mx *matrix) string {
	fact := m.facts.groups[ph][j].fact
	read := readByFlow(fact)
	b := []byte{byte(read.Effect), byte(read.Stage), byte(read.Class)}
	for k := range mx.cells {
		b = binary.AppendUvarint(b, uint64(mx.cells[k][j]))
	}
	for _, own := range m.facts.ownFacts(ph, fact) {
		for _, doubt := range []bool{false, true} {
			b = binary.AppendUvarint(b, uint64(mx.columns[m.facts.at(ph, own, doubt)]))
		}
	}
	return string(b)
}

// representative returns the answer that stands for a group: one that was received, if there is
// one, since a failed call names no payment.
func (m *model) representative(ph policy.Phase, j int) (answerClass, error) {
	g := &m.facts.groups[ph][j]
	best := g.boxes[0]
	for _, b := range g.boxes {
		if m.space.IsReceived(b) {
			best = b
			break
		}
	}
	a := m.answerIn(best, ph)
	fact := m.decider.Judge(&m.payment, &a)
	fact.Basis = 0
	if fact != g.fact {
		return answerClass{}, fmt.Errorf("internal error: %+v is judged %+v and stands for %+v", a, fact, g.fact)
	}
	return answerClass{answer: a, fact: fact, group: j, groups: 1}, nil
}

// answerIn returns an answer of a box.
func (m *model) answerIn(b region.Box, ph policy.Phase) policy.Answer {
	sit, _ := m.space.Point(b, time.UTC, 0)
	a := *sit.Answer
	a.Phase = ph
	return a
}

// listedWords counts the codes and the statuses of a catalogue.
func listedWords(c *providers.Catalog) int {
	codes := map[string]bool{}
	for _, r := range c.Codes {
		codes[r.Code] = true
	}
	return len(codes) + len(c.Statuses)
}

// matrix holds the decisions of a phase: a row for everything that the rules can be shown, and in
// it a cell for every group of answers. Equal numbers are equal decisions.
type matrix struct {
	cells   [][]uint32
	columns []uint32 // by row: equal rows have equal numbers
}

// matrix computes the decisions of a phase.
func (d *decider) matrix(ph policy.Phase) *matrix {
	shown, groups := d.facts.shown[ph], d.facts.groups[ph]
	mx := &matrix{cells: make([][]uint32, len(shown)), columns: make([]uint32, len(shown))}
	rows := map[string]uint32{}
	byBooks := map[string][]uint32{}
	var books []*book
	var owners []*table
	for k := range shown {
		books, owners = books[:0], owners[:0]
		key := ""
		for _, t := range d.tables {
			b := t.book(ph, k)
			if slices.Contains(books, b) {
				continue
			}
			books, owners = append(books, b), append(owners, t)
			key += fmt.Sprintf("%p ", b)
		}
		row := byBooks[key]
		if row == nil {
			row = make([]uint32, len(groups))
			for j := range groups {
				row[j] = d.cell(ph, books, owners, j)
			}
			byBooks[key] = row
		}
		mx.cells[k] = row
		text := fmt.Sprint(row)
		id, known := rows[text]
		if !known {
			id = uint32(len(rows))
			rows[text] = id
		}
		mx.columns[k] = id
	}
	return mx
}

// cell is the decisions that a group's answers can get, as a number. Without rules it is a bit for
// each action, so that the cells of several tables can be joined.
func (d *decider) cell(ph policy.Phase, books []*book, owners []*table, j int) uint32 {
	if !d.perRule {
		var bits uint32
		for i, b := range books {
			for _, o := range owners[i].of(ph, b, j) {
				bits |= o.bit()
			}
		}
		return bits
	}
	text := ""
	for i, b := range books {
		for _, o := range owners[i].of(ph, b, j) {
			text += fmt.Sprintf("%s %d %s\n", o.decision.Source, o.bit(), o.counts)
		}
	}
	id, known := d.numbers[text]
	if !known {
		id = uint32(len(d.numbers))
		d.numbers[text] = id
	}
	return id
}

// bit is an action, and whether it waits first.
func (o *option) bit() uint32 {
	bit := uint32(1) << (2 * o.decision.Action)
	if o.decision.Schedule != nil {
		bit <<= 1
	}
	return bit
}
