package bench

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
)

var ratios = flag.Int("ratios", 0, "rounds of TestDecisions in which every contestant is timed; the table is logged")

// situations is how many different ones each contestant decides: one alone would stay in the
// processor's cache.
const situations = 1024

// decisionSet is rules that every contestant can express, and what is decided by them.
type decisionSet struct {
	name      string
	merchants int
	rules     int  // of each merchant
	limits    bool // conditions on amount, hour and a tag
	peers     bool // expr, CEL and OPA too
	asked     []*policy.Situation
	want      []string // the rule; empty: none holds
}

// limit is what a rule with limits asks for.
type limit struct {
	amount int64
	hour   int
	tier   string
}

func limitOf(i int) limit {
	return limit{int64(1000 * (i%50 + 1)), 6 + i%12, []string{"gold", "silver"}[i%2]}
}

func (d *decisionSet) when(i int) string {
	when := fmt.Sprintf(`operation == "pay" && phase == "send" && code == "c%d"`, i)
	if d.limits {
		l := limitOf(i)
		when += fmt.Sprintf(` && currency == "VND" && amount >= %d && hour < %d && tags.tier != %q`, l.amount, l.hour, l.tier)
	}
	return when
}

// code is the i-th rule's code of a merchant. Merchants have different rules.
func (d *decisionSet) code(merchant, i int) int {
	if d.merchants == 1 {
		return i
	}
	return (merchant*7 + i*13) % 1000
}

func (d *decisionSet) codes() int {
	if d.merchants == 1 {
		return d.rules
	}
	return 1000
}

func merchantName(m int) string { return fmt.Sprintf("m%d", m) }

// files is the rules folder.
func (d *decisionSet) files() fstest.MapFS {
	var catalog strings.Builder
	catalog.WriteString("name = \"fifth\"\noperations = [\"pay\"]\n")
	for i := range d.codes() {
		fmt.Fprintf(&catalog, "[[code]]\ncode = \"c%d\"\nclass = \"provider_error\"\nfacts = [{ operation = \"*\", phase = [\"send\"], effect = \"unknown\", stage = \"result\" }]\n", i)
	}
	all := fstest.MapFS{"providers/fifth.toml": {Data: []byte(catalog.String())}, "baseline.toml": {Data: []byte("[schedule.poll]\nintervals = [\"1m\"]\n")}}
	for m := range d.merchants {
		var rules strings.Builder
		for i := range d.rules {
			code := d.code(m, i)
			fmt.Fprintf(&rules, "[[rule]]\nid = \"r%d\"\nwhen = '%s'\nthen = \"escalate\"\nreason = \"of its own\"\n", code, d.when(code))
		}
		all["merchants/"+merchantName(m)+".toml"] = &fstest.MapFile{Data: []byte(rules.String())}
	}
	return all
}

// draw makes the situations. Each has texts of its own, as those that are read from a body.
func (d *decisionSet) draw() {
	random := rand.New(rand.NewPCG(16, 1024))
	for n := range situations {
		m := random.IntN(d.merchants)
		code, known := d.code(m, random.IntN(d.rules)), n%16 != 0
		text := fmt.Sprintf("c%d", code)
		if !known {
			text = fmt.Sprintf("unseen%d", n)
		}
		s := &policy.Situation{
			Payment: &policy.Payment{
				Provider: strings.Clone("fifth"), Merchant: strings.Clone(merchantName(m)), Operation: policy.Pay, Amount: random.Int64N(80_000),
				Currency: strings.Clone("VND"), Tags: map[string]string{"channel": "app", "tier": []string{"gold", "silver", "none"}[random.IntN(3)]},
			},
			Answer: &policy.Answer{Code: text}, Fact: policy.Fact{Class: policy.ProviderError, Stage: policy.Result}, Attempt: 1 + random.IntN(3),
			At: time.Date(2026, 1, 2, random.IntN(24), random.IntN(60), 0, 0, time.UTC),
		}
		want, l := fmt.Sprintf("r%d", code), limitOf(code)
		if !known || d.limits && (s.Payment.Amount < l.amount || s.At.Hour() >= l.hour || s.Payment.Tags["tier"] == l.tier) {
			want = ""
		}
		d.asked, d.want = append(d.asked, s), append(d.want, want)
	}
}

// chooser decides a situation: it returns the rule.
type chooser struct {
	name   string
	decide func(s *policy.Situation) string
}

// cell is the key of a map that holds the decisions.
type cell struct {
	merchant, provider string
	operation          policy.Operation
	phase              policy.Phase
	code               string
}

// lookup is the floor: a map of all that the rules can say. Conditions on limits are Go, by hand.
func (d *decisionSet) lookup() chooser {
	type held struct {
		limit
		decision policy.Decision
	}
	all := map[cell]held{}
	for m := range d.merchants {
		for i := range d.rules {
			code := d.code(m, i)
			all[cell{merchantName(m), "fifth", policy.Pay, policy.Send, fmt.Sprintf("c%d", code)}] = held{limitOf(code), policy.Decision{Rule: fmt.Sprintf("r%d", code)}}
		}
	}
	name := "map lookup"
	if d.limits {
		name += ", limits in Go"
	}
	limits := d.limits
	return chooser{name, func(s *policy.Situation) string {
		found := all[cell{s.Payment.Merchant, s.Payment.Provider, s.Payment.Operation, s.Answer.Phase, s.Answer.Code}]
		if limits && (s.Payment.Currency != "VND" || s.Payment.Amount < found.amount || s.At.Hour() >= found.hour || s.Payment.Tags["tier"] == found.tier) {
			return ""
		}
		return found.decision.Rule
	}}
}

func (d *decisionSet) recourse(t testing.TB) chooser {
	t.Helper()
	e, err := engine.OpenFS(d.files())
	if err != nil {
		t.Fatal(err)
	}
	return chooser{"Recourse", func(s *policy.Situation) string { return e.Decide(s).Rule }}
}

func (d *decisionSet) choosers(t testing.TB) []chooser {
	all := []chooser{d.lookup(), d.recourse(t)}
	if d.peers {
		all = append(all, d.byExpr(t), d.byCEL(t), d.byOPA(t))
	}
	return all
}

func decisionSets() []*decisionSet {
	all := []*decisionSet{
		{name: "1,000 rules of one merchant", merchants: 1, rules: 1000, peers: true},
		{name: "10,000 rules of one merchant", merchants: 1, rules: 10_000},
		{name: "1,000 merchants with 10 rules", merchants: 1000, rules: 10},
		{name: "1,000 rules with limits", merchants: 1, rules: 1000, limits: true, peers: true},
	}
	for _, d := range all {
		d.draw()
	}
	return all
}

// pass is the time of a decision. The first passes are not timed: they fetch back what the contestant before has
// pushed out of the processor's cache.
func (d *decisionSet) pass(c chooser, warm, timed int) time.Duration {
	var start time.Time
	for n := range warm + timed {
		if n == warm {
			start = time.Now()
		}
		for _, s := range d.asked {
			c.decide(s)
		}
	}
	return time.Since(start) / time.Duration(situations*timed)
}

// TestDecisions holds every contestant to the same decisions. With -ratios it times them, one after another in
// each round so that the machine's moods meet all, and logs the medians.
func TestDecisions(t *testing.T) {
	for _, d := range decisionSets() {
		all := d.choosers(t)
		for _, c := range all {
			for i, s := range d.asked {
				if got := c.decide(s); got != d.want[i] {
					t.Fatalf("%s: %s decides by %q, want %q: %+v %+v", d.name, c.name, got, d.want[i], s.Payment, s.Answer)
				}
			}
		}
		if *ratios == 0 {
			continue
		}
		took := make([][]time.Duration, len(all))
		for range *ratios {
			for i, c := range all {
				took[i] = append(took[i], d.pass(c, 1, 4))
			}
		}
		floor := time.Duration(1)
		for i, c := range all {
			slices.Sort(took[i])
			median := took[i][len(took[i])/2]
			if i == 0 {
				floor = median
			}
			t.Logf("%-30s %-28s %8s  %6.1f x, %3.0f allocs", d.name, c.name, median, float64(median)/float64(floor), testing.AllocsPerRun(1, func() { c.decide(d.asked[1]) }))
		}
	}
}
