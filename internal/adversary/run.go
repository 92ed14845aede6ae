package adversary

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Options says how much is drawn and played.
type Options struct {
	Seed    uint64
	First   int // the first set; the sets are numbered, and each depends on the seed and its number only
	Sets    int // at most so many sets; 0: until the steps are played
	Steps   int // in sets that are proved
	PerSet  int // steps for each set that is proved
	Refused int // steps for each set that is refused
	Workers int
	States  int // of verify, for each set; a set that needs more is passed over

	Counts bool // every set has a rule that rests on counts, or on the flow's time

	// Patience bounds the time that verify gets for a set, in times of what a shipped product needs
	// on this machine now. Proofs are quick; stories and proposals for a set that is refused can take
	// minutes, and they say nothing more to the adversary.
	Patience int

	patience time.Duration
	judge    func(context.Context, *ruleset.Engine, product) (verdict, error) // nil: verify
}

// Report is what came of it.
type Report struct {
	Sets, Proved, Refused, Unfinished, Unread int

	Confirmed int // of the refused sets, those of which a walk showed the harm
	Harmful   int // of the sets that verify did not finish in time, the same
	Steps     int // in sets that are proved
	Misses    []Miss

	Drawn, Proving, Playing time.Duration // of all workers
	Seen                    *Coverage
	UnreadBecause           map[string]int
}

// Miss is a set that was proved and that a walk broke.
type Miss struct {
	Number   int
	Property string
	Files    map[string]string
	Product  string
	Story    string
}

// String is the report in short.
func (r *Report) String() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d sets x %d steps x %d misses\n", r.Proved, r.Steps, len(r.Misses))
	fmt.Fprintf(&b, "%d drawn: %d proved, %d refused (a walk shows the harm of %d), %d not finished in time (%d), %d not read\n",
		r.Sets, r.Proved, r.Refused, r.Confirmed, r.Unfinished, r.Harmful, r.Unread)
	fmt.Fprintf(&b, "%.0f s of proving, %.0f s of walking\n%s", r.Proving.Seconds(), r.Playing.Seconds(), r.Seen)
	return b.String()
}

// one set's result.
type result struct {
	verdict   verdict
	unread    string
	steps     int
	miss      *Miss
	confirmed bool
	seen      *Coverage
	proving   time.Duration
	playing   time.Duration
}

type verdict int

const (
	unread verdict = iota
	unfinished
	refused
	proved
)

// Run draws sets and plays those that verify calls proved, until the steps are played. Sets are
// spread over the workers; what is found in a set depends on the seed and its number alone.
func Run(ctx context.Context, o Options) (*Report, error) {
	shipped, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	if err := o.measure(ctx); err != nil {
		return nil, err
	}
	r := &Report{Seen: newCoverage(), UnreadBecause: map[string]int{}}
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := o.First
	var failed error
	for range max(1, o.Workers) {
		wait.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				over := failed != nil || ctx.Err() != nil || o.Sets > 0 && i >= o.First+o.Sets || o.Steps > 0 && r.Steps >= o.Steps
				mu.Unlock()
				if over {
					return
				}
				one, err := o.one(ctx, i, shipped)
				mu.Lock()
				if err != nil {
					failed = err
				} else {
					r.add(one)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	slices.SortFunc(r.Misses, func(a, b Miss) int { return a.Number - b.Number })
	return r, failed
}

func (r *Report) add(one *result) {
	r.Sets++
	r.Proving += one.proving
	r.Playing += one.playing
	r.Seen.add(one.seen)
	switch one.verdict {
	case unread:
		r.Unread++
		r.UnreadBecause[one.unread]++
	case unfinished:
		r.Unfinished++
		if one.confirmed {
			r.Harmful++
		}
	case refused:
		r.Refused++
		if one.confirmed {
			r.Confirmed++
		}
	case proved:
		r.Proved++
		r.Steps += one.steps
	}
	if one.miss != nil {
		r.Misses = append(r.Misses, *one.miss)
	}
}

// measure finds out how long a proof takes on this machine, with whatever else runs on it.
func (o *Options) measure(ctx context.Context) error {
	e, err := ruleset.Open("")
	if err != nil {
		return err
	}
	o.patience = time.Hour
	at := time.Now()
	if _, err := o.ask(ctx, e, product{"opi", policy.Payout, ""}); err != nil {
		return err
	}
	o.patience = time.Duration(o.Patience) * time.Since(at)
	return nil
}

// one draws a set, asks verify, and plays.
func (o *Options) one(ctx context.Context, number int, shipped *providers.Catalogs) (*result, error) {
	seed := o.Seed*1_000_003 + uint64(number)
	s, used := drawSet(seed, shipped, o.Counts)
	one := &result{seen: newCoverage()}
	e, err := s.open()
	if err != nil {
		one.unread = err.Error()
		return one, nil
	}
	for k := range used {
		one.seen.Language[k]++
	}
	at := time.Now()
	if one.verdict, err = o.ask(ctx, e, s.product, s.beside...); err != nil {
		return nil, fmt.Errorf("set %d: %w", number, err)
	}
	one.proving = time.Since(at)
	at = time.Now()
	defer func() { one.playing = time.Since(at) }()
	switch one.verdict {
	case refused, unfinished:
		f, _, err := play(e, s.product, seed, o.Refused, one.seen)
		one.confirmed = f != nil
		return one, err
	case proved:
		f, n, err := play(e, s.product, seed, o.PerSet, one.seen)
		one.steps = n
		if err != nil || f == nil {
			return one, err
		}
		one.miss = o.miss(ctx, s, e, f, seed, n)
		one.miss.Number = number
	case unread:
	}
	return one, nil
}

// ask is what verify says of a product, asked together with those of other merchants.
func (o *Options) ask(ctx context.Context, e *ruleset.Engine, p product, beside ...string) (verdict, error) {
	if o.judge != nil {
		return o.judge(ctx, e, p)
	}
	bounded, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	r, err := verify.Run(bounded, e, &verify.Options{
		Providers: []string{p.provider}, Operations: []policy.Operation{p.op}, Merchants: append([]string{p.merchant}, beside...), MaxStates: o.States, Workers: 1,
		VerdictOnly: true, FirstOnly: true,
	})
	switch {
	case err != nil && bounded.Err() == nil:
		return unread, err
	case err != nil, bounded.Err() != nil, r.Interrupted, len(r.Products) == 0: // also where the run ends: what is not finished is not proved
		return unfinished, nil
	}
	v := proved
	for i := range r.Products {
		switch one := &r.Products[i]; {
		case !slices.Contains(one.Merchants, p.merchant):
		case len(one.Violations) > 0:
			return refused, nil
		case one.Unfinished != "" || !one.Holds:
			v = unfinished
		}
	}
	return v, nil
}

// mostAsked bounds how often verify is asked to make a set smaller.
const mostAsked = 40

// miss makes the set and the walk smaller while verify still calls the set proved.
func (o *Options) miss(ctx context.Context, s *set, e *ruleset.Engine, f *finding, seed uint64, steps int) *Miss {
	asked := 0
	for i := len(s.blocks) - 1; i >= 0; i-- {
		if s.blocks[i].fixed || asked >= mostAsked {
			continue
		}
		smaller := &set{product: s.product, beside: s.beside, blocks: slices.Delete(slices.Clone(s.blocks), i, i+1)}
		other, err := smaller.open()
		if err != nil {
			continue
		}
		g, _, err := play(other, smaller.product, seed, 3*steps, newCoverage())
		if err != nil || g == nil || g.property != f.property {
			continue
		}
		asked++
		if v, err := o.ask(ctx, other, smaller.product, smaller.beside...); err == nil && v == proved {
			s, e, f = smaller, other, g
		}
	}
	f = shorten(e, s.product, seed, f, 120_000)
	merchant := s.merchant
	if merchant == "" {
		merchant = "-"
	}
	return &Miss{
		Property: string(f.property), Files: s.files(), Product: fmt.Sprintf("%s %s %s", s.provider, s.op, merchant), Story: f.story(e),
	}
}
