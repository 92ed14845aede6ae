package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/simulate"
)

// changedRegion is a change that `diff` finds, with the flows of a recording that meet it with the rules of before.
type changedRegion struct {
	Name      string     `json:"name"`
	Risk      diff.Risk  `json:"risk,omitempty"` // empty: diff names no such change, as where a catalogue changed
	Knows     []string   `json:"money_known"`    // what is known of the money there, such as "in doubt"
	Provider  string     `json:"provider"`
	Merchants []string   `json:"merchants"` // "" stands for all without a file
	Before    diff.Side  `json:"before"`
	After     diff.Side  `json:"after"`
	Regions   [][]string `json:"regions"` // each a box: every line of it holds
	Flows     int64      `json:"count"`
	Money     []moneyMet `json:"money"`
	Example   string     `json:"example,omitempty"` // a flow
}

type moneyMet struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"` // in ISO 4217 minor units
}

// regionKey is what a change of diff and a changed decision of a recording have in common.
type regionKey struct{ name, before, after string }

func keyOfSide(name string, before, after *diff.Side) regionKey {
	of := func(s *diff.Side) string { return strings.Join([]string{s.Action.String(), s.Rule, s.Schedule}, "\n") }
	return regionKey{name, of(before), of(after)}
}

// changedRegions compares the rules at the providers of a recording, and puts the recording's flows to each change.
func changedRegions(ctx context.Context, r *simulate.Report, before, after *ruleset.Engine, progress func(done, all int)) ([]changedRegion, error) {
	var providers []string
	for i := range r.Codes {
		if p := r.Codes[i].Provider; !slices.Contains(providers, p) {
			providers = append(providers, p)
		}
	}
	found, err := diff.Run(ctx, before, after, diff.Options{Providers: providers, Progress: progress})
	if err != nil {
		return nil, err
	}
	var all []*changedRegion
	places := map[regionKey]*changedRegion{}
	for i := range found.Changes {
		c := &found.Changes[i]
		k := keyOfSide(c.Name, &c.Before, &c.After)
		region := places[k]
		if region == nil {
			region = &changedRegion{Name: c.Name, Risk: c.Risk, Provider: c.Provider, Before: c.Before, After: c.After, Money: []moneyMet{}}
			places[k] = region
			all = append(all, region)
		}
		region.add(c)
	}
	for i := range r.Against.Decisions {
		d := &r.Against.Decisions[i]
		x := diff.Side{Action: d.Before.Action, Rule: d.Before.Rule, Schedule: d.Before.Schedule, Waits: d.Before.Waits}
		y := diff.Side{Action: d.After.Action, Rule: d.After.Rule, Schedule: d.After.Schedule, Waits: d.After.Waits}
		region := places[keyOfSide(d.Name, &x, &y)]
		if region == nil || region.Flows > 0 { // of two schedules of one name the second is by itself
			region = &changedRegion{Name: d.Name, Knows: []string{}, Provider: d.Provider, Merchants: []string{}, Before: x, After: y, Regions: [][]string{}, Money: []moneyMet{}}
			all = append(all, region)
		}
		region.Flows, region.Example = d.Flows, d.Example
		for _, m := range d.Money {
			region.Money = append(region.Money, moneyMet{m.Currency, m.Amount})
		}
	}
	return sortedRegions(all), nil
}

// add takes a change of diff: there are several of one name where different things are known of the money.
func (r *changedRegion) add(c *diff.Change) {
	if riskOrder[c.Risk] < riskOrder[r.Risk] {
		r.Risk = c.Risk
	}
	if !slices.Contains(r.Knows, c.Money) {
		r.Knows = append(r.Knows, c.Money)
	}
	for _, m := range c.Merchants {
		if !slices.Contains(r.Merchants, m) {
			r.Merchants = append(r.Merchants, m)
		}
	}
	r.Regions = append(r.Regions, c.Regions...)
}

var riskOrder = map[diff.Risk]int{diff.Riskier: 0, diff.Safer: 1, diff.Other: 2, "": 3}

// sortedRegions puts those that flows meet first, the riskier before the others.
func sortedRegions(all []*changedRegion) []changedRegion {
	slices.SortStableFunc(all, func(a, b *changedRegion) int {
		return cmp.Or(cmp.Compare(min(b.Flows, 1), min(a.Flows, 1)), riskOrder[a.Risk]-riskOrder[b.Risk], cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Name, b.Name))
	})
	list := make([]changedRegion, len(all))
	for i, r := range all {
		list[i] = *r
	}
	return list
}

// withRegions is a report with what `diff` says of the rules that it compares.
type withRegions struct {
	*simulate.Report
	Regions []changedRegion `json:"changed_regions,omitempty"`
}

// writeRegions prints the changes that flows of the recording meet.
func writeRegions(w io.Writer, all []changedRegion) {
	if all == nil {
		return
	}
	fmt.Fprintln(w, "\nchanged decisions, and the flows that meet them with the other rules")
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	unmet := 0
	for i := range all {
		r := &all[i]
		if r.Flows == 0 {
			unmet++
			continue
		}
		var amounts []string
		for _, m := range r.Money {
			amounts = append(amounts, formatMinor(m.Amount, m.Currency)+" "+m.Currency)
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s -> %s\t%s\t%s\tflow %s\n", cmp.Or(string(r.Risk), "facts"), r.Name, r.Before.Action, r.After.Action, count(int(r.Flows)), strings.Join(amounts, ", "), plain(r.Example))
	}
	_ = tw.Flush()
	fmt.Fprintf(w, "  %s other changes are met by no flow of this recording\n", count(unmet))
}
