package main

import (
	"bufio"
	"container/heap"
	_ "embed" // traffic.toml
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// epoch is the time at which the recordings begin.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

type generator struct {
	engine *ruleset.Engine
	seed   uint64
	flows  int
	span   time.Duration
	differ bool // in their bodies: all lines

	traffic *emulation.Plan
}

//go:embed traffic.toml
var traffic []byte

// newGenerator returns a generator of the traffic that traffic.toml describes.
func newGenerator(e *ruleset.Engine, seed uint64, flows int, span time.Duration) (*generator, error) {
	plan, err := emulation.ReadPlan("traffic.toml", traffic)
	return &generator{engine: e, seed: seed, flows: flows, span: span, traffic: plan}, err
}

// entry is a line of a recording, and the file that it belongs to.
type entry struct {
	recorded.Line
	at   time.Time // to the nanosecond, for the order
	file string    // the provider
}

// write makes every payment and writes the lines in the order of time. The writers are keyed
// by provider; "" takes the lines of all providers without a writer.
func (g *generator) write(writers map[string]io.Writer) error {
	out := map[string]*bufio.Writer{}
	for p, w := range writers {
		out[p] = bufio.NewWriterSize(w, 1<<20)
	}
	var waiting queue
	put := func(until time.Time, all bool) error {
		for len(waiting) > 0 && (all || waiting[0].at.Before(until)) {
			e := heap.Pop(&waiting).(*entry)
			w := out[e.file]
			if w == nil {
				w = out[""]
			}
			if _, err := w.Write(e.Append(nil)); err != nil {
				return err
			}
		}
		return nil
	}
	words := rand.New(rand.NewPCG(g.seed, 1<<63))
	for i := range g.flows {
		start := epoch.Add(time.Duration(float64(g.span) * float64(i) / float64(g.flows))).Truncate(time.Millisecond)
		for _, e := range g.payment(i, start) {
			if g.differ {
				e.Body = differ(words, e.Body)
			}
			heap.Push(&waiting, e)
		}
		if err := put(start, false); err != nil {
			return err
		}
	}
	if err := put(time.Time{}, true); err != nil {
		return err
	}
	for _, w := range out {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// queue is a heap of lines by time.
type queue []*entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].Flow+q[i].Phase.String() < q[j].Flow+q[j].Phase.String()
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements [heap.Interface].
func (q *queue) Push(x any) { *q = append(*q, x.(*entry)) }

// Pop implements [heap.Interface].
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// segment is a part of the traffic: an operation at a provider, its weight and its merchants.
type segment struct {
	provider   string
	operation  policy.Operation
	weight     int
	currencies []string
	merchants  []string
}

// recordedProviders lists the providers of the traffic, each once.
func recordedProviders() []string {
	var names []string
	for _, s := range segments {
		if !slices.Contains(names, s.provider) {
			names = append(names, s.provider)
		}
	}
	return names
}

var segments = []segment{
	{"momo", policy.Checkout, 24, []string{"VND"}, []string{"lotus-mart", "midnight-drop"}},
	{"momo", policy.Pay, 24, []string{"VND"}, []string{"evergreen-box", "lotus-mart"}},
	{"momo", policy.Capture, 6, []string{"VND"}, []string{"lotus-mart"}},
	{"momo", policy.Cancel, 6, []string{"VND"}, []string{"lotus-mart"}},
	{"momo", policy.Refund, 12, []string{"VND"}, []string{"lotus-mart", "midnight-drop"}},
	{"momo", policy.Payout, 10, []string{"VND"}, []string{"swift-payouts"}},
	{"momo", policy.Bind, 5, []string{"VND"}, []string{"evergreen-box"}},
	{"momo", policy.Unbind, 4, []string{"VND"}, []string{"evergreen-box"}},
	{"opi", policy.Payout, 40, []string{"PHP", "IDR"}, []string{"swift-payouts", "harbour-wages"}},
	{"opi", policy.Checkout, 20, []string{"PHP", "IDR"}, []string{"harbour-wages"}},
	{"opi", policy.Refund, 8, []string{"PHP"}, []string{"harbour-wages"}},
	{"opi", policy.Cancel, 5, []string{"PHP"}, []string{"harbour-wages"}},
	{"shopline", policy.Checkout, 22, []string{"TWD"}, []string{"midnight-drop", "teahouse"}},
	{"shopline", policy.Pay, 22, []string{"TWD"}, []string{"teahouse", "evergreen-box"}},
	{"shopline", policy.Capture, 8, []string{"TWD"}, []string{"teahouse"}},
	{"shopline", policy.Cancel, 6, []string{"TWD"}, []string{"teahouse"}},
	{"shopline", policy.Refund, 10, []string{"TWD"}, []string{"teahouse"}},
	{"shopline", policy.Bind, 4, []string{"TWD"}, []string{"evergreen-box"}},
	{"shopline", policy.Unbind, 1, []string{"TWD"}, []string{"evergreen-box"}},
	{"shopline", policy.Payout, 2, []string{"TWD"}, []string{"teahouse"}},
	{"shopline", policy.Onboard, 2, []string{"TWD"}, []string{"teahouse"}},
	{"paykka", policy.Checkout, 24, []string{"USD", "EUR", "HKD"}, []string{"old-town-books"}},
	{"paykka", policy.Pay, 24, []string{"USD", "EUR", "HKD"}, []string{"old-town-books", "evergreen-box"}},
	{"paykka", policy.Capture, 8, []string{"USD"}, []string{"old-town-books"}},
	{"paykka", policy.Cancel, 6, []string{"USD"}, []string{"old-town-books"}},
	{"paykka", policy.Refund, 12, []string{"USD", "EUR"}, []string{"old-town-books"}},
}

// amounts are ranges in minor units: from, to.
var amounts = map[string][2]int64{
	"VND": {20_000, 4_000_000}, "PHP": {10_000, 9_000_000}, "IDR": {1_000_000, 300_000_000}, "TWD": {9_900, 900_000},
	"USD": {500, 60_000}, "EUR": {500, 60_000}, "HKD": {4_000, 500_000},
}

// payment makes one payment. After some failures it makes a second flow with the same key,
// because the shopper saw the failure and pays again.
func (g *generator) payment(i int, start time.Time) []*entry {
	r := rand.New(rand.NewPCG(g.seed, uint64(i)))
	t := pickSegment(r)
	currency := t.currencies[r.IntN(len(t.currencies))]
	span := amounts[currency]
	p := policy.Payment{
		Provider: t.provider, Merchant: t.merchants[r.IntN(len(t.merchants))], Operation: t.operation,
		Key: fmt.Sprintf("key-%07d", i), Amount: (span[0] + r.Int64N(span[1]-span[0])) / 100 * 100, Currency: currency,
	}
	if (p.Operation == policy.Pay || p.Operation == policy.Checkout) && r.IntN(5) == 0 && p.Provider != "opi" {
		p.Capture = policy.Manual
	}
	if p.Operation == policy.Bind || p.Operation == policy.Unbind || p.Operation == policy.Onboard {
		p.Amount = 0
	}
	careful := r.IntN(100) < 68
	first := g.flow(r, p, fmt.Sprintf("f-%07d", i), start, careful)
	entries := first.entries
	if !careful && first.outcome == policy.Failed && r.IntN(3) == 0 {
		again := start.Add(first.duration + time.Duration(2+r.IntN(20))*time.Minute)
		entries = append(entries, g.flow(r, p, fmt.Sprintf("f-%07d-again", i), again, false).entries...)
	}
	return entries
}

func pickSegment(r *rand.Rand) segment {
	total := 0
	for _, t := range segments {
		total += t.weight
	}
	n := r.IntN(total)
	for _, t := range segments {
		if n -= t.weight; n < 0 {
			return t
		}
	}
	return segments[0]
}

func (g *generator) flow(r *rand.Rand, p policy.Payment, name string, start time.Time, careful bool) *client {
	c := g.client(r, p, name, start)
	if careful {
		c.careful()
	} else {
		c.naive()
	}
	c.afterEnd()
	return c
}

// client returns the client of a payment at a provider of its own.
func (g *generator) client(r *rand.Rand, p policy.Payment, name string, start time.Time) *client {
	cat, err := g.engine.Catalog(&p)
	if err != nil {
		panic(err) // the segments name built-in providers only
	}
	provider := emulation.NewProvider(cat, &emulation.Options{Plan: g.traffic, Seed: r.Uint64(), Start: epoch})
	return &client{g: g, r: r, p: p, name: name, at: provider, start: start}
}
