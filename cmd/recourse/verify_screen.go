package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/recourse-pay/recourse/internal/verify"
)

// printVerify prints what does not hold, each fault of a rule once. Then it prints what was
// proved and the assumptions of the proof.
func printVerify(w io.Writer, r *verify.Report, verbose bool) {
	for _, f := range faults(r) {
		f.print(w)
	}
	for i := range r.Products {
		if p := &r.Products[i]; verbose || p.Unfinished != "" || len(p.Opaque) > 0 {
			printProduct(w, p)
		}
	}
	proved, before, within, states, steps := 0, 0, 0, 0, 0
	for i := range r.Products {
		p := &r.Products[i]
		if !p.Covered.Shared {
			states, steps = states+p.Covered.States, steps+p.Covered.Steps
		}
		if p.Holds {
			proved++
		}
		if p.Within {
			within++
		}
		if p.Known {
			before++
		}
	}
	printProviders(w, r)
	printTrust(w, r)
	fmt.Fprintf(w, "\n%d of %d proved: %s states, %s steps\n", proved, len(r.Products), count(states), count(steps))
	if before > 0 {
		fmt.Fprintf(w, "%d of them before, by this program and of the same rules\n", before)
	}
	if within > 0 {
		fmt.Fprintf(w, "%d of them by what was proved before of rules that decide all that these do\n", within)
	}
	if r.Interrupted {
		fmt.Fprintln(w, "interrupted: the rest was not looked at")
	}
}

// fault is one rule's violation of one property, at all providers and operations.
type fault struct {
	shown *verify.Violation // the violation with the shortest confirmed story
	in    *verify.Product
	where []string
	fix   string // the fix that is enough in most places
}

// faults gathers violations, in the order in which they were found.
func faults(r *verify.Report) []*fault {
	var all []*fault
	known := map[string]*fault{}
	for i := range r.Products {
		p := &r.Products[i]
		for k := range p.Violations {
			v := &p.Violations[k]
			key := strings.Join([]string{string(v.Property), v.Source, v.Wanted}, "\x00")
			f := known[key]
			if f == nil {
				f = &fault{shown: v, in: p}
				known[key] = f
				all = append(all, f)
			}
			f.add(p, v)
		}
	}
	return all
}

func (f *fault) add(p *verify.Product, v *verify.Violation) {
	f.where = append(f.where, fmt.Sprintf("%s %s of %s", p.Provider, p.Operation, merchantsOf(p.Merchants)))
	better := v.Replayed && !f.shown.Replayed || v.Replayed == f.shown.Replayed && len(v.Story) < len(f.shown.Story)
	if better {
		f.shown, f.in = v, p
	}
	if len(v.Fix) > len(f.fix) { // of two fixes the longer one asks for more
		f.fix = v.Fix
	}
}

func (f *fault) print(w io.Writer) {
	v := f.shown
	fmt.Fprintf(w, "DOES NOT HOLD  %s: %s\n", v.Property, v.Why)
	if v.Source != "" {
		fmt.Fprintf(w, "  rule %q, %s\n", v.Rule, v.Source)
	}
	fmt.Fprintf(w, "  %s %s of %s", f.in.Provider, f.in.Operation, merchantsOf(f.in.Merchants))
	switch {
	case v.Harm != "":
		fmt.Fprintf(w, "; without the interlock it breaks %s:\n", v.Harm)
	case v.Property == verify.S5:
		fmt.Fprint(w, "; the interlock has to correct it:\n")
	default:
		fmt.Fprintln(w, ":")
	}
	v.WriteStory(w)
	if more := len(f.where) - 1; more > 0 {
		here := fmt.Sprintf("%s %s of %s", f.in.Provider, f.in.Operation, merchantsOf(f.in.Merchants))
		others := slices.DeleteFunc(slices.Clone(f.where), func(s string) bool { return s == here })
		fmt.Fprintf(w, "  the same in %s\n", few(others))
	}
	if f.fix != "" {
		fmt.Fprintf(w, "  try: %s\n", f.fix)
	}
	fmt.Fprintln(w)
}

// printProduct prints how much of one operation was searched.
func printProduct(w io.Writer, p *verify.Product) {
	c := &p.Covered
	fmt.Fprintf(w, "%s %s: %s  [%s]\n", p.Provider, p.Operation, verdict(p.Holds), merchantsOf(p.Merchants))
	fmt.Fprintf(w, "    %s states, %s steps, depth %d; %s codes; answers prove %s different things in %d classes; %d facts, %d of them inferred\n",
		count(c.States), count(c.Steps), c.Depth, count(c.Codes), count(c.Answers), c.Classes, c.Facts, c.Inferred)
	for _, o := range p.Opaque {
		fmt.Fprintf(w, "    taken for true and for false: %s\n", o)
	}
	if p.Unfinished != "" {
		fmt.Fprintf(w, "    %s\n", p.Unfinished)
	}
}

func verdict(holds bool) string {
	if holds {
		return "holds"
	}
	return "DOES NOT HOLD"
}

// printProviders prints one line for each provider: its operations, and the number of rule sets.
func printProviders(w io.Writer, r *verify.Report) {
	type line struct{ proved, all, codes, answers, facts, inferred int }
	var order []string
	of := map[string]*line{}
	counted := map[string]bool{}
	for i := range r.Products {
		p := &r.Products[i]
		l := of[p.Provider]
		if l == nil {
			l = &line{}
			of[p.Provider] = l
			order = append(order, p.Provider)
		}
		l.all++
		if p.Holds {
			l.proved++
		}
		l.codes, l.answers = p.Covered.Codes, max(l.answers, p.Covered.Answers)
		if op := p.Provider + p.Operation.String(); !counted[op] {
			counted[op] = true
			l.facts, l.inferred = l.facts+p.Covered.Facts, l.inferred+p.Covered.Inferred
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range order {
		l := of[name]
		fmt.Fprintf(tw, "%s\t%d of %d proved\t%s codes, %s kinds of answers\t%s facts, %s of them inferred\n", name, l.proved, l.all,
			count(l.codes), count(l.answers), count(l.facts), count(l.inferred))
	}
	_ = tw.Flush()
}

func merchantsOf(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		if list[i] = n; n == "" {
			list[i] = "any other merchant"
		}
	}
	return few(list)
}

// trusted is one assumption of several products.
type trusted struct {
	text                string
	from, rules, breaks []string
	of                  map[string]map[string]bool // provider, operation
}

// printTrust prints the assumptions of the verdict, each once, with where it comes from and the rules that rely on it. Of a catalogue's facts
// it prints that there are some; --json has each row.
func printTrust(w io.Writer, r *verify.Report) {
	var order []*trusted
	known := map[string]*trusted{}
	all := map[string]map[string]bool{}
	for i := range r.Products {
		p := &r.Products[i]
		mark(all, p.Provider, p.Operation.String())
		for k := range p.Assumptions {
			a := p.Assumptions[k]
			if a.Promise == "facts" {
				a = verify.Assumption{Text: "what the rows of its catalogue say of an answer is true (--json lists each row, with the rules that rely on it)"}
			}
			t := known[a.Text]
			if t == nil {
				t = &trusted{text: a.Text, of: map[string]map[string]bool{}}
				known[a.Text], order = t, append(order, t)
			}
			t.add(p, &a)
		}
	}
	if len(order) == 0 { // an interrupted run that finished no product
		return
	}
	fmt.Fprintln(w, "\nTaken on trust:")
	for _, t := range order {
		t.print(w, all)
	}
}

func (t *trusted) add(p *verify.Product, a *verify.Assumption) {
	mark(t.of, p.Provider, p.Operation.String())
	t.from, t.rules = append(t.from, a.From...), append(t.rules, a.Rules...)
	if a.Breaks != "" {
		t.breaks = append(t.breaks, a.Breaks)
	}
}

func (t *trusted) print(w io.Writer, all map[string]map[string]bool) {
	fmt.Fprint(w, "  - ")
	if who := providersOf(t.of, all); who != "" {
		fmt.Fprint(w, who, ": ")
	}
	fmt.Fprintln(w, t.text)
	each := func(list []string) []string {
		slices.Sort(list)
		return slices.Compact(list)
	}
	if len(t.from) > 0 {
		fmt.Fprintf(w, "      from %s\n", few(each(t.from)))
	}
	if len(t.rules) > 0 {
		fmt.Fprintf(w, "      relied on by %s\n", few(each(t.rules)))
	}
	if len(t.breaks) > 0 {
		fmt.Fprintf(w, "      without it %s breaks\n", strings.Join(each(t.breaks), " or "))
	}
}

func mark(m map[string]map[string]bool, provider, operation string) {
	if m[provider] == nil {
		m[provider] = map[string]bool{}
	}
	m[provider][operation] = true
}

// providersOf names the providers, and the operations if only some are concerned; empty for all.
func providersOf(of, all map[string]map[string]bool) string {
	var names []string
	whole := len(of) == len(all)
	for _, p := range slices.Sorted(maps.Keys(of)) {
		if len(of[p]) == len(all[p]) {
			names = append(names, p)
			continue
		}
		whole = false
		names = append(names, p+" "+strings.Join(slices.Sorted(maps.Keys(of[p])), ", "))
	}
	if whole {
		return ""
	}
	return strings.Join(names, "; ")
}
