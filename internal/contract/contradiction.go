package contract

import (
	"fmt"
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Said has the lines of a contract by their keys. A line that is absent promises nothing.
type Said map[string]line

// line is where a value stands, and in which of the tables that lie over each other.
type line struct {
	at    source.Pos
	layer int
}

var keys = []string{
	"dedupe", "query_by", "replay_codes", "webhook", "replay", "dedupe_window", "arrival_grace", "not_found_after", "link_expiry", "timeout", "same_provider_id",
}

// With returns the lines with those of a table over them.
func (s Said) With(t source.Table) Said {
	all, layer := Said{}, 0
	for k, l := range s {
		all[k], layer = l, max(layer, l.layer+1)
	}
	for _, k := range keys {
		if t.Has(k) {
			all[k] = line{t.ValuePos(k), layer}
		}
	}
	return all
}

// Of returns lines that stand in one table, by their places; a key without a line has the zero place.
func Of(at func(key string) source.Pos) Said {
	all := Said{}
	for _, k := range keys {
		if pos := at(k); pos.Line > 0 {
			all[k] = line{pos, 0}
		}
	}
	return all
}

// Over returns the lines of s over those below.
func (s Said) Over(below Said) Said {
	all, layers := Said{}, 0
	for k, l := range below {
		all[k], layers = l, max(layers, l.layer+1)
	}
	for k, l := range s {
		all[k] = line{l.at, l.layer + layers}
	}
	return all
}

// Keys are those of the lines.
func (s Said) Keys() []string { return slices.Sorted(maps.Keys(s)) }

// At is the place of a line's value.
func (s Said) At(key string) source.Pos { return s[key].at }

// Contradictions reports each line that another line of the contract denies, with what to do about it. A table that lies over another
// one may take back what that one promises (dedupe = [], query_by = [], replay = "executed_again", a shorter window): that is no
// contradiction. With whole, a line that is absent promises nothing: no other file can add it.
func Contradictions(c *policy.Contract, said Said, whole bool, report func(at source.Pos, text string)) {
	has := func(key string) bool { _, ok := said[key]; return ok }
	// bare reports whether a promise needs a list that is empty, and was not taken back by it.
	bare := func(promise, list string, n int) bool {
		if !has(promise) || n > 0 {
			return false
		}
		return !has(list) && whole || has(list) && said[list].layer <= said[promise].layer
	}
	switch {
	case has("replay") && has("dedupe") && c.Replay == policy.ExecutedAgain && len(c.Dedupe) > 0 && said["dedupe"].layer >= said["replay"].layer:
		text := `replay says that a repeat is executed again, and dedupe that it is not; leave dedupe out, or write what a repeat gets: first_result or rejected`
		if said["dedupe"].layer == said["replay"].layer {
			report(said.At("replay"), text)
		} else {
			report(said.At("dedupe"), fmt.Sprintf("the line at %s denies it: %s", said.At("replay"), text))
		}
	case c.Replay == policy.FirstResult && bare("replay", "dedupe", len(c.Dedupe)):
		report(said.At("replay"), `replay says that a repeat gets the first result, and no dedupe says by which identifier a repeat is recognised; write dedupe = ["request_id"], or leave replay out`)
	}
	late := c.Timeout + c.ArrivalGrace
	if whole {
		late = c.CallTimeout() + c.ArrivalGrace
	}
	switch {
	case bare("dedupe_window", "dedupe", len(c.Dedupe)):
		report(said.At("dedupe_window"), `dedupe_window says for how long a repeat is recognised, and no dedupe says by which identifier; write dedupe = ["request_id"], or leave dedupe_window out`)
	case has("dedupe_window") && has("arrival_grace") && said["dedupe_window"].layer == said["arrival_grace"].layer &&
		len(c.Dedupe) > 0 && c.DedupeWindow > 0 && c.ArrivalGrace > 0 && c.DedupeWindow <= late:
		report(said.At("dedupe_window"), `dedupe_window is not longer than timeout and arrival_grace together, so a repeat that is sent at once can arrive after it; write a longer dedupe_window or a shorter arrival_grace, or dedupe = [] where no repeat is safe`)
	}
	if bare("not_found_after", "query_by", len(c.QueryBy)) {
		report(said.At("not_found_after"), `not_found_after says what "not found" proves, and no query_by says what a query asks by; write query_by = ["order_id"], or leave not_found_after out`)
	}
}
