package decisions

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/observed"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Flows returns an observer that writes what flows are answered, what is decided about it, and how they end. Engine returns the rules with a
// digest, or nil where they are not at hand any more.
func (l *Log) Flows(engine func(digest string) *ruleset.Engine) executor.Observer {
	f := &flows{l: l, engine: engine, open: map[flowName][]*observed.Line{}}
	l.flows = f
	return f
}

type flowName struct{ merchant, flow string }

// flows joins an answer with the decision about it, which is seen soon after, though a webhook's may come between. An answer about which nothing is
// decided is written alone.
type flows struct {
	executor.NoopObserver

	l      *Log
	engine func(digest string) *ruleset.Engine

	mu   sync.Mutex
	open map[flowName][]*observed.Line // answers whose decision is not seen yet
}

const (
	mostOpen  = 1 << 12 // flows with answers that wait: about some, nothing is ever decided
	mostAtOne = 8       // such answers of a flow
)

// Called implements [executor.Observer].
func (f *flows) Called(_ context.Context, c *executor.CallEvent) {
	defer f.l.caught()
	f.answered(observed.Call(c))
}

// WebhookReceived implements [executor.Observer].
func (f *flows) WebhookReceived(_ context.Context, w *executor.WebhookEvent) {
	defer f.l.caught()
	f.answered(observed.Webhook(w))
}

// Ended implements [executor.Observer].
func (f *flows) Ended(_ context.Context, e *executor.EndEvent) {
	defer f.l.caught()
	end := observed.End(e)
	f.mu.Lock()
	name := nameOf(&end.Line)
	rest := f.open[name]
	delete(f.open, name)
	f.mu.Unlock()
	f.alone(rest)
	f.l.offer(end.Append(nil), false)
}

// Decided implements [executor.Observer].
func (f *flows) Decided(_ context.Context, d *executor.DecisionEvent) {
	defer f.l.caught()
	if d.Decided.Due { // the rules are not asked
		return
	}
	if line := f.taken(flowName{d.Payment.Merchant, d.Flow}, d.Decided.Answer); line != nil {
		f.decided(line, d)
		return
	}
	f.l.unwritable() // its answer was not seen
}

func nameOf(l *recorded.Line) flowName { return flowName{l.Payment.Merchant, l.Flow} }

// answered keeps an answer until its decision is seen.
func (f *flows) answered(line *observed.Line) {
	name := nameOf(&line.Line)
	var out []*observed.Line
	f.mu.Lock()
	if all := f.open[name]; len(all) >= mostAtOne {
		out, f.open[name] = all[:1:1], all[1:]
	} else if len(all) == 0 && len(f.open) >= mostOpen {
		for other, all := range f.open { // any: most have waited long
			out = all
			delete(f.open, other)
			break
		}
	}
	f.open[name] = append(f.open[name], line)
	f.mu.Unlock()
	f.alone(out)
}

// taken takes the answer that a decision is about.
func (f *flows) taken(name flowName, about *policy.Answer) *observed.Line {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.open[name]
	i := slices.IndexFunc(all, func(l *observed.Line) bool {
		a := &l.Answer
		return policy.Phase(l.Phase) == about.Phase && a.Fault == about.Fault && a.Code == about.Code && a.SubCode == about.SubCode && a.Status == about.Status && a.SubStatus == about.SubStatus
	})
	if i < 0 {
		return nil
	}
	line := all[i]
	if rest := slices.Delete(all, i, i+1); len(rest) > 0 {
		f.open[name] = rest
	} else {
		delete(f.open, name)
	}
	return line
}

// flush writes the answers that wait for a decision.
func (f *flows) flush() {
	f.mu.Lock()
	all := f.open
	f.open = map[flowName][]*observed.Line{}
	f.mu.Unlock()
	for _, lines := range all {
		f.alone(lines)
	}
}

// alone writes answers about which nothing was decided.
func (f *flows) alone(lines []*observed.Line) {
	for _, line := range lines {
		f.redacted(f.engine(""), line)
		f.l.offer(line.Append(nil), false)
	}
}

func (f *flows) redacted(e *ruleset.Engine, line *observed.Line) {
	f.l.redact.Line(&line.Line, &redact.Source{Body: line.Body, Read: line.Read, MaxBody: maxBody, Catalog: e.Catalog})
}

// decided writes an answer with the decision about it.
func (f *flows) decided(line *observed.Line, d *executor.DecisionEvent) {
	e := f.engine(d.Set)
	c, s := d.Decided, d.Before
	a := advice.Advice{Situation: policy.Situation{Answer: c.Answer}, Decided: *c}
	decision := a.Decision()
	decision.SetAside = f.l.redact.Text(decision.SetAside, &redact.Known{IDs: []string{line.OrderID, line.RequestID, line.ProviderID}})
	line.Rules, line.Decided = d.Set, decision.AppendJSON(nil)
	b := asked{InDoubt: c.InDoubt, Flow: &inFlow{}}
	if s != nil {
		b.Attempt, b.Queries, b.Flow.ElapsedNS = s.Attempts, s.Queries, int64(c.At.Sub(s.Started))
		for _, n := range s.Fired {
			if b.Fired == nil {
				b.Fired = map[string]int{}
			}
			b.Fired[n.Name] = n.N
		}
	}
	b.place(&line.Line, c.At)
	if e == nil {
		b.NotAgain = setGone
		f.redacted(f.engine(""), line)
		f.l.finish(nil, &memory{line: line.Line, asked: b}, false)
		return
	}
	judged := e.Judge(d.Payment, c.Answer)
	if judged != c.Fact {
		b.Flow.Fact = &c.Fact
	}
	b.Flow.Wanted = ruledBy(c.Decision, &judged)
	if !byRules(e, d, &b) {
		b.NotAgain = flowsOwn
	}
	f.redacted(e, line)
	f.l.finish(e, &memory{line: line.Line, asked: b}, true)
}

// byRules reports whether a decision is what the rules say. Where an earlier request is open again, the flow finds out first.
func byRules(e *ruleset.Engine, d *executor.DecisionEvent, b *asked) bool {
	s := policy.Situation{Payment: d.Payment, Answer: d.Decided.Answer, Fact: d.Decided.Fact, InDoubt: b.InDoubt, At: d.Decided.At, Elapsed: time.Duration(b.Flow.ElapsedNS), Attempt: b.Attempt, Queries: b.Queries}
	if d.Before != nil {
		s.Fired = d.Before.Fired
	}
	return ruledBy(e.Decide(&s), b.Flow.Wanted.Judged) == b.Flow.Wanted
}
