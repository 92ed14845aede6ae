package verify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// A search that found nothing has asked the rules certain questions, and followed every answer that they
// gave. Rules that answer each of these questions with some of the same answers reach fewer states, and ask
// nothing else: they are proved by it too. So an edit that moves a threshold, narrows a condition or changes a wait needs no search.

// cover is the questions of a search that found nothing, with what the rules answered.
type cover struct {
	Covered   Covered  `json:"covered"`
	NewOrders bool     `json:"new_orders,omitempty"` // some rule sends under a new order: then calls about earlier ones are the flow's own
	Asked     []answer `json:"asked"`
	Needs     *needed  `json:"needs"`
}

// answer is one question, and the bits of the decisions that the search followed.
type answer struct {
	Phase  uint8    `json:"p"`
	Shown  [5]uint8 `json:"f"` // the fact, as numbers: the model has values that no word stands for
	Doubt  bool     `json:"d,omitempty"`
	Class  string   `json:"c"` // see className
	Decide uint32   `json:"a"`
}

// asks returns the question that an answer is to; ok is false if there is no such class of answers.
func (a *answer) asks(classes map[string]*answerClass) (key cellKey, ok bool) {
	class := classes[a.Class]
	if ph := policy.Phase(a.Phase); class == nil || class.answer.Phase != ph {
		return key, false
	}
	f := policy.Fact{
		Effect: policy.Effect(a.Shown[0]), Class: policy.Class(a.Shown[1]), Stage: policy.Stage(a.Shown[2]), Reach: policy.Reach(a.Shown[3]), Final: policy.Finality(a.Shown[4]),
	}
	return cellKey{at: shown{policy.Phase(a.Phase), f, a.Doubt}, asked: class}, true
}

// maxCovers bounds what is kept of one operation and contract.
const maxCovers = 16

// className names a class of answers, in whatever order the classes are.
func className(ph policy.Phase, kind string, c *answerClass) string {
	f := c.fact
	return fmt.Sprint(kind, ph, " ", f.Effect, " ", f.Class, " ", f.Stage, " ", f.Reach, " ", f.Final, " ", c.failedCall, " ", c.answer.Fault)
}

// named lists the classes of answers by their names.
func (f *facts) named() map[string]*answerClass {
	all := map[string]*answerClass{}
	for _, ph := range policy.Phases() {
		for i := range f.classes[ph] {
			all[className(ph, "", &f.classes[ph][i])] = &f.classes[ph][i]
		}
		if f.lost[ph] >= 0 {
			all[className(ph, "left ", &f.lostClass[ph])] = &f.lostClass[ph]
		}
	}
	if f.notSent >= 0 {
		all[className(policy.Send, "not sent ", &f.notSentClass)] = &f.notSentClass
	}
	return all
}

// key identifies all that a search depends on, but for the rules: catalogue, operation, capture modes, what the coarse model
// distinguishes in the terms, the classes of answers, and the options.
func (g *ground) key(p policy.Payment, terms string, verdict bool, most int) string {
	names := []string{}
	for name := range g.facts.named() {
		names = append(names, name)
	}
	slices.Sort(names)
	text, _ := json.Marshal([]any{g.facts.catalog.Digest(), p.Provider, p.Operation, g.facts.modes, p.Amount, p.Currency, terms, names, g.distrust, verdict, most})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// inRange reports whether a cover that was read can be looked at.
func (c *cover) inRange() bool {
	if c.Needs == nil {
		return false
	}
	for p := range c.Needs.Promises {
		if p >= promises {
			return false
		}
	}
	return !slices.ContainsFunc(c.Needs.Withdrawn, func(p promise) bool { return p >= promises })
}

// cover returns what a search that found nothing has asked and followed.
func (s *search) cover(n *needed) cover {
	c := cover{Covered: Covered{Payments: 1}, Needs: n, NewOrders: s.m.newOrders, Asked: s.asked(nil, nil)}
	c.Covered.add(s)
	return c
}

// asked adds to a list what a search has asked and followed, but for questions that are known.
func (s *search) asked(all []answer, known map[cellKey]possible) []answer {
	names := map[*answerClass]string{}
	for name, class := range s.m.facts.named() {
		names[class] = name
	}
	for key, mine := range s.m.decider.memo {
		if _, is := known[key]; is {
			continue
		}
		f := key.at.fact
		one := answer{Phase: uint8(key.at.phase), Shown: [5]uint8{uint8(f.Effect), uint8(f.Class), uint8(f.Stage), uint8(f.Reach), uint8(f.Final)}, Doubt: key.at.doubt, Class: names[key.asked]}
		for i := range mine.all {
			one.Decide |= mine.all[i].option.bit()
		}
		all = append(all, one)
	}
	slices.SortFunc(all, compareAnswers)
	return slices.Compact(all)
}

func compareAnswers(a, b answer) int {
	if c := cmp.Or(cmp.Compare(a.Phase, b.Phase), slices.Compare(a.Shown[:], b.Shown[:]), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Decide, b.Decide)); c != 0 || a.Doubt == b.Doubt {
		return c
	}
	if a.Doubt {
		return 1
	}
	return -1
}

// comparison is what rules decide beside what a search followed.
type comparison uint8

const (
	equal  comparison = iota
	less              // some of it, and nothing else
	others            // something else too
)

// compare compares what rules decide with the answers that a search followed.
func compare(asked []answer, t *table) comparison {
	d := &decider{facts: t.facts, tables: []*table{t}, joined: true}
	classes := t.facts.named()
	all := equal
	for i := range asked {
		key, ok := asked[i].asks(classes)
		if !ok {
			return others
		}
		theirs := uint32(0)
		for _, one := range d.collect(&key, nil) {
			theirs |= one.option.bit()
		}
		switch {
		case theirs&^asked[i].Decide != 0:
			return others
		case theirs != asked[i].Decide:
			all = less
		}
	}
	return all
}

// proves reports whether rules answer each question of a cover with nothing that its search did not follow.
func (c *cover) proves(t *table) bool {
	return (c.NewOrders || !t.sendsNewOrders()) && compare(c.Asked, t) != others
}

// needsOf lists what rules need that a cover proves.
func (c *cover) needsOf(t *table) []need {
	classes := t.facts.named()
	these := max(compare(c.Asked, t), compare(c.Needs.Asked, t))
	return c.Needs.forOthers(these).of(t, func(look func(*cellKey)) {
		for i := range c.Asked {
			if key, ok := c.Asked[i].asks(classes); ok {
				look(&key)
			}
		}
	})
}

// covering returns the search whose proof holds for rules too; nil: there is none.
func (k *Known) covering(key string, t *table) *cover {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	covers := slices.Clone(k.stored.Covers[key])
	k.mu.Unlock()
	for i := range covers {
		if covers[i].proves(t) {
			return &covers[i]
		}
	}
	return nil
}

// addCover keeps what a search has proved. The oldest goes when there are too many.
func (k *Known) addCover(key string, s *search, n *needed) {
	if k == nil {
		return
	}
	c := s.cover(n)
	k.mu.Lock()
	defer k.mu.Unlock()
	all := append(k.stored.Covers[key], c)
	k.stored.Covers[key], k.fresh = all[max(0, len(all)-maxCovers):], true
}
