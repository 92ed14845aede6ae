package diff

import (
	"strings"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
)

// reach is the situations that can occur at one provider, and what was found out of them. A
// merchant's amounts, counts and tags make no difference to it, so most of what one merchant
// asks was asked for another.
type reach struct {
	index   *space.Index
	occurs  map[string]bool      // by the key of what is seen of a box
	answers map[string][]Answers // by the keys of what is seen of a region's boxes
}

// reached returns the situations that can occur at a provider, by the first engine's catalogue
// that is asked for. It counts "not found" as proof for every merchant that may allow it.
func (c *Comparer) reached(e *ruleset.Engine, provider string) *reach {
	if r, known := c.reach[provider]; known {
		return r
	}
	r := &reach{index: space.NewIndex(nil), occurs: map[string]bool{}, answers: map[string][]Answers{}}
	all := merchants(c.base, e)
	var reachable []space.Reached
	for _, cat := range e.CatalogsOf(provider, all) {
		reachable = append(reachable, space.Reachable(cat, space.AbsentAt(e, provider, all))...)
	}
	if len(reachable) == 0 {
		return r
	}
	r.index = space.NewIndex(reachable)
	c.reach[provider] = r
	return r
}

// occurring leaves out the boxes that cannot occur.
func (d *differ) occurring(p string, all region.Region) region.Region {
	r := d.reached(d.after, p)
	var out region.Region
	for _, b := range all {
		if d.plain {
			if r.index.First(b) < len(r.index.All) {
				out = append(out, b)
			}
			continue
		}
		seen := r.index.Seen(b)
		key := seen.Key()
		occurs, known := r.occurs[key]
		if !known {
			occurs = r.index.First(seen) < len(r.index.All)
			r.occurs[key] = occurs
		}
		if occurs {
			out = append(out, b)
		}
	}
	return out
}

// answersIn returns the answers in a region that the catalogue judges. Boxes that differ only in
// what is no part of an answer, and limits none, stand for the same answers.
func (d *differ) answersIn(p string, all region.Region) []Answers {
	if d.plain {
		return d.answers(p, all)
	}
	r := d.reached(d.after, p)
	var seen region.Region
	var whole strings.Builder
	known := map[string]bool{}
	for _, b := range all {
		b = r.index.Seen(b, answerDims...)
		if key := b.Key(); !known[key] {
			known[key] = true
			seen = append(seen, b)
			whole.WriteString(key)
			whole.WriteByte('\n')
		}
	}
	answers, found := r.answers[whole.String()]
	if !found {
		answers = d.answers(p, seen)
		r.answers[whole.String()] = answers
	}
	return answers
}
