package diff

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
)

// part is a change without a merchant: one decision in place of another, by their places in two
// lists, in one state of knowledge about the money.
type part struct {
	knows        *knowledge
	fromAt, toAt int
	where        region.Region
	fact         *factChange // nil for a change of the rules
	key          [32]byte    // the same for the same region, knowledge and fact

	regions [][]string
	opaque  []string
	answers []Answers
}

// grouped is what was found for the merchants whose lists are equal but for the names of their files.
type grouped struct {
	parts []part
	err   error
}

// partsOf finds the changes from one list to another. Merchants with equal lists share them.
func (d *differ) partsOf(p string, facts []factChange, x, y []cell) *grouped {
	if d.plain {
		return d.compareLists(p, facts, x, y)
	}
	key := make([]byte, 0, 16+8*(len(x)+len(y)))
	key = append(append(key, p...), 0)
	key = d.appendList(d.appendList(key, x), y)
	known := d.groups[string(key)]
	if known == nil {
		known = d.compareLists(p, facts, x, y)
		d.groups[string(key)] = known
	}
	return known
}

// appendList appends what two lists have alike when their decisions and regions are alike.
func (d *differ) appendList(key []byte, list []cell) []byte {
	key = binary.AppendUvarint(key, uint64(len(list)))
	for i := range list {
		c := &list[i]
		key = binary.AppendUvarint(append(key, byte(c.decision.Action)), uint64(c.serial))
		key = binary.AppendUvarint(key, uint64(d.numberOf(c.decision.Schedule)))
		key = append(binary.AppendUvarint(key, uint64(len(c.decision.Rule))), c.decision.Rule...)
	}
	return key
}

// numberOf gives schedules of the same waits the same number.
func (d *differ) numberOf(s *policy.Schedule) int {
	if s == nil {
		return 0
	}
	n, known := d.schedules[s]
	if !known {
		text := fmt.Sprintf("%#v", *s)
		if n, known = d.written[text]; !known {
			n = len(d.written) + 1
			d.written[text] = n
		}
		d.schedules[s] = n
	}
	return n
}

func (d *differ) compareLists(p string, facts []factChange, x, y []cell) *grouped {
	g := &grouped{}
	changes, err := compare(&d.s.Algebra, x, y)
	if err != nil {
		g.err = err
		return g
	}
	for i := range changes {
		g.parts = append(g.parts, d.partsOfChange(p, &changes[i])...)
	}
	more, err := d.consequent(p, facts, x, y)
	g.parts, g.err = append(g.parts, more...), err
	return g
}

// partsOfChange divides a change by the states of knowledge about the money: the same change can
// be riskier in one and safer in another.
func (d *differ) partsOfChange(p string, ch *changed) []part {
	var out []part
	for i := range evidence {
		k := &evidence[i]
		here, err := d.s.Algebra.And(ch.where, k.where)
		if err != nil {
			here = ch.where
		}
		if occurring := d.occurring(p, here); len(occurring) > 0 {
			at := *ch
			at.where = d.s.Algebra.Merge(occurring)
			out = append(out, d.part(p, k, &at, nil))
		}
	}
	return out
}

// part describes a change.
func (d *differ) part(p string, k *knowledge, ch *changed, f *factChange) part {
	t := part{knows: k, fromAt: ch.fromAt, toAt: ch.toAt, where: ch.where, fact: f}
	sum := sha256.New()
	fmt.Fprint(sum, k.name, "\x00")
	for _, b := range ch.where {
		fmt.Fprint(sum, b.Key(), "\n")
		t.regions = append(t.regions, d.s.Describe(b))
	}
	if f != nil {
		fmt.Fprint(sum, f.op, f.phase, f.from, f.to)
	}
	sum.Sum(t.key[:0])
	if exact, opaque := d.s.Exact(ch.where); !exact {
		t.opaque = opaque
	}
	if f == nil {
		t.answers = d.answersIn(p, ch.where)
	}
	return t
}
