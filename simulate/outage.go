package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/outage"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// placed reads Options.Outages and finds a time for those that name none: where the sends that they are of are most
// frequent. The recordings are read once for it, so one that cannot be read twice needs the times.
func (o *Options) placed(ctx context.Context, inputs []input) ([]outage.Spec, error) {
	var specs []outage.Spec
	var wrong []error
	for _, text := range o.Outages {
		s, err := outage.Parse(text, o.Catalogs)
		specs, wrong = append(specs, s), append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil || len(specs) == 0 {
		return nil, err
	}
	for i := range inputs {
		if !inputs[i].waits {
			continue
		}
		for k := range specs {
			if specs[k].From.IsZero() {
				wrong = append(wrong, fmt.Errorf("outage %q: %s is read once, so the outage needs a time: %s@2026-01-02T03:04:05Z", o.Outages[k], inputs[i].name, o.Outages[k]))
			}
		}
		return specs, errors.Join(wrong...)
	}
	seen := density{}
	for i := range inputs {
		if err := seen.read(ctx, &inputs[i]); err != nil {
			return nil, err
		}
	}
	for k := range specs {
		if err := seen.place(&specs[k]); err != nil {
			wrong = append(wrong, fmt.Errorf("outage %q: %w", o.Outages[k], err))
		}
	}
	return specs, errors.Join(wrong...)
}

// densityStep is how exactly it is known where sends are frequent.
const densityStep = 10 * time.Second

// density is how many sends each operation has, by step of time.
type density map[sendKey]*sendCounts

type sendKey struct {
	provider  string
	operation policy.Operation
}

type sendCounts struct {
	first, last moment
	steps       map[int64]int
	timeless    int // of them, those whose time their format cannot hold
}

// read counts the sends of a recording. What cannot be read is named when it is simulated.
func (d density) read(ctx context.Context, in *input) error {
	r := recorded.NewReader()
	err := split(ctx, in, func(b *batch) bool {
		for raw := range bytes.Lines(b.data) {
			var l recorded.Line
			if _, err := r.Read(raw, &l); err != nil || l.Phase != recorded.Send {
				continue
			}
			at, key := momentOf(l.At), sendKey{l.Payment.Provider, l.Payment.Operation}
			c := d[key]
			if c == nil {
				c = &sendCounts{first: at, last: at, steps: map[int64]int{}}
				d[key] = c
			}
			c.first, c.last = min(c.first, at), max(c.last, at)
			c.steps[floor(int64(at), densityStep.Microseconds())]++
			if slices.Contains(l.Lacks, "time") {
				c.timeless++
			}
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// place gives an outage its time, and refuses one that would meet nothing.
func (d density) place(s *outage.Spec) error {
	all := sendCounts{steps: map[int64]int{}}
	var others []string
	for key, c := range d {
		if !s.Covers(key.provider, key.operation) {
			others = append(others, key.provider+" "+key.operation.String())
			continue
		}
		if len(all.steps) == 0 {
			all.first, all.last = c.first, c.last
		}
		all.first, all.last, all.timeless = min(all.first, c.first), max(all.last, c.last), all.timeless+c.timeless
		for at, n := range c.steps {
			all.steps[at] += n
		}
	}
	slices.Sort(others)
	switch {
	case len(all.steps) == 0 && len(others) == 0:
		return fmt.Errorf("the recording has no send of %s", s.What())
	case len(all.steps) == 0:
		return fmt.Errorf("the recording has no send of %s; it has %s", s.What(), strings.Join(others, ", "))
	case all.timeless > 0:
		return timeless(all.timeless, s)
	case s.From.IsZero():
		s.From = busiest(all.steps, s.Length)
	case s.From.After(all.last.time()) || s.From.Add(s.Length).Before(all.first.time()):
		return fmt.Errorf("no send of %s lies in it: they are from %s to %s", s.What(), all.first.time().Format(time.RFC3339), all.last.time().Format(time.RFC3339))
	}
	return nil
}

func timeless(n int, s *outage.Spec) error {
	return fmt.Errorf(`%d sends say that their time is not known ("lacks": ["time"]): when %s was called is not in the recording`, n, s.What())
}

// busiest is where the most sends lie in a length of time; of equal ones the earliest.
func busiest(steps map[int64]int, length time.Duration) time.Time {
	times := slices.Sorted(maps.Keys(steps))
	width := max(1, int64(length/densityStep))
	sum, most, best, from := 0, 0, times[0], 0
	for _, at := range times {
		sum += steps[at]
		for times[from] <= at-width {
			sum -= steps[times[from]]
			from++
		}
		if sum > most {
			most, best = sum, times[from]
		}
	}
	return moment(best * densityStep.Microseconds()).time()
}

// lay keeps the flows of a payment key that lie around an outage.
func (r *runner) lay(records []record) {
	if r.spans == nil {
		r.spans = map[string]covered{}
	}
	for i := range records {
		rec := &records[i]
		if len(rec.sends) == 0 {
			continue
		}
		r.spans[rec.payment.Provider] = r.spans[rec.payment.Provider].join(covered{rec.start(), rec.lastCall()})
		from, to := rec.start().time(), rec.lastSeen().time()
		reached := slices.ContainsFunc(r.outages, func(s outage.Spec) bool { return s.Reaches(rec.payment.Provider, from, to) })
		if reached && len(r.laid) <= outage.MaxFlows {
			r.laid = append(r.laid, rec.played(r.o.Decider))
		}
	}
}

// covered is from the first call that is recorded of a provider to the last.
type covered struct{ first, last moment }

func (s covered) join(o covered) covered {
	if s == (covered{}) {
		return o
	}
	return covered{min(s.first, o.first), max(s.last, o.last)}
}

// recordedOf joins what the goroutines saw of a provider.
func recordedOf(runners []runner, provider string) outage.Recorded {
	var all covered
	for i := range runners {
		if s, ok := runners[i].spans[provider]; ok {
			all = all.join(s)
		}
	}
	return outage.Recorded{From: all.first.time(), To: all.last.time()}
}

// lastSeen is the last time at which the recorded client did something about a flow.
func (r *record) lastSeen() moment {
	last := max(r.endAt, r.lastSend())
	for i := range r.queries {
		last = max(last, r.queries[i].received())
	}
	return last
}

// lastCall is the last time at which the recorded client called the provider.
func (r *record) lastCall() moment {
	last := r.lastSend()
	for i := range r.queries {
		last = max(last, r.queries[i].at)
	}
	return last
}

// defaultLatency is that of calls to a provider that answered none in the recording.
const defaultLatency = 300 * time.Millisecond

// played is a flow as it is played again: what became of it as recorded.
func (r *record) played(d policy.Decider) outage.Flow {
	first := &r.sends[0]
	f := outage.Flow{
		Name: r.flow, Payment: r.payment, At: first.at.time(), OrderID: first.orderID, RequestID: first.requestID, ProviderID: first.providerID,
		Fault: first.answer.Fault, Notifies: len(r.webhooks) > 0, Fate: emulation.Fate{Executes: r.executions(d) > 0},
	}
	f.Latency, f.QueryLatency = latencyOf(r.sends), latencyOf(r.queries)
	if f.QueryLatency == 0 {
		f.QueryLatency = f.Latency
	}
	if f.Latency == 0 {
		f.Latency = f.QueryLatency
	}
	if f.Latency == 0 {
		f.Latency, f.QueryLatency = defaultLatency, defaultLatency
	}
	for i := range r.sends {
		fact := r.proves(d, &r.sends[i])
		if fact.Effect != policy.NotExecuted || fact.Stage != policy.Door || r.sends[i].answer.Fault != policy.NoFault {
			break
		}
		f.Fate.Refusals, f.Fate.RefusedAs = i+1, []policy.Class{fact.Class}
	}
	if settled, known := r.settled(d); known {
		f.Fate.Settles = max(0, settled.time().Sub(f.At))
		if len(r.webhooks) > 0 {
			f.Fate.WebhookDelay = max(0, r.webhooks[0].at.time().Sub(settled.time()))
		}
	}
	return f
}

// latencyOf is how long the first call took that was answered; 0: none was.
func latencyOf(calls []call) time.Duration {
	for i := range calls {
		if calls[i].answer.Fault == policy.NoFault && calls[i].latency > 0 {
			return calls[i].latency
		}
	}
	return 0
}

// settled is when the recording first proves what became of a flow, as far as that is not within its first call.
func (r *record) settled(d policy.Decider) (at moment, known bool) {
	proves := func(c *call) bool { return r.proves(d, c).Effect.Settled() }
	if first := &r.sends[0]; proves(first) {
		return first.at, true
	}
	for _, calls := range [][]call{r.queries, r.webhooks, r.sends[1:]} {
		for i := range calls {
			if c := &calls[i]; proves(c) && (!known || c.at < at) {
				at, known = c.at, true
			}
		}
	}
	return at, known
}

// playOutages plays what was laid under outages, a provider at a time.
func playOutages(o *Options, specs []outage.Spec, runners []runner, lacks policy.Counts) ([]outage.Report, error) {
	windows, flows := map[string][]outage.Spec{}, map[string][]outage.Flow{}
	for i := range specs {
		windows[specs[i].Provider] = append(windows[specs[i].Provider], specs[i])
	}
	for i := range runners {
		for _, f := range runners[i].laid {
			flows[f.Payment.Provider] = append(flows[f.Payment.Provider], f)
		}
	}
	var all []outage.Report
	for _, provider := range slices.Sorted(maps.Keys(windows)) {
		of := &windows[provider][0]
		if n := lacks.Of("time"); n > 0 && len(flows[provider]) > 0 { // of a recording that was read once
			return nil, timeless(n, of)
		}
		if !slices.ContainsFunc(flows[provider], func(f outage.Flow) bool { return of.Covers(provider, f.Payment.Operation) }) {
			return nil, fmt.Errorf("no flow of %s lies around its outage at %s", of.What(), of.From.Format(time.RFC3339))
		}
		r, err := outage.Play(o.Decider, newLineReader(o, newLore(false)).catalog, recordedOf(runners, provider), windows[provider], flows[provider])
		if err != nil {
			return nil, err
		}
		all = append(all, *r)
	}
	return all, nil
}
