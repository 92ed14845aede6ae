package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// printer writes whole pieces from several goroutines.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *printer) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format, args...)
}

// end prints how a payment ended.
func (p *printer) end(r *executor.Result, elapsed time.Duration) {
	how := r.Outcome.String()
	if r.Outcome == policy.Failed {
		how += ", " + cmp.Or(r.Class.String(), r.Reason)
	}
	p.printf("%-14s  %s, %s after %d ms\n    %s\n", r.State().Payment.Key,
		policy.FormatAmount(r.State().Payment.Amount, r.State().Payment.Currency), how, elapsed.Milliseconds(), story(r))
}

// ticket prints what is known of an escalated payment.
func (p *printer) ticket(r *executor.Result) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s  a person has to look: %s\n", r.State().Payment.Key, r.Reason)
	for _, id := range r.State().Ledger {
		fmt.Fprintf(&b, "    order %s was sent %d times: %s\n", id.OrderID, id.Sends, id.Effect)
	}
	for _, e := range r.State().Evidence {
		fmt.Fprintf(&b, "    +%-6s %-7s %-20s proves %s, %s\n", e.At.Sub(r.State().Started).Round(time.Millisecond),
			e.Phase, flow.DescribeAnswer(e.Answer), e.Fact.Effect, e.Fact.Class)
	}
	p.printf("%s", b.String())
}

// story returns a trace in one line. [executor.Result.Story] has all of it.
func story(r *executor.Result) string {
	var parts []string
	doing := ""
	for _, e := range r.Trace() {
		switch c := e.Command.(type) {
		case flow.Send:
			doing = "sent"
			switch {
			case c.Attempt > 1 && c.Action == policy.RetrySame:
				doing = "sent the same again"
			case c.Attempt > 1:
				doing = "sent as order " + c.Identity.OrderID
			}
		case flow.Ask:
			doing = "asked"
		case flow.Decided:
			if c.Due {
				continue
			}
			if c.Phase == policy.Webhook {
				doing = "webhook"
				if !c.Answer.Verified {
					doing = "unverified webhook"
				}
			}
			parts = append(parts, fmt.Sprintf("%s: %s", doing, said(&c)))
		}
	}
	return strings.Join(shortened(parts), " · ")
}

func said(d *flow.Decided) string {
	text := flow.DescribeAnswer(d.Answer)
	if class := d.Fact.Class.String(); class != text {
		text += " " + class
	}
	if d.Verdict.Property != "" {
		text += fmt.Sprintf(" (%s forbids %s)", d.Verdict.Property, d.Decision.Action)
	}
	return text
}

// shortened joins repeated parts into one with a count.
func shortened(parts []string) []string {
	var short []string
	for i := 0; i < len(parts); {
		n := 1
		for i+n < len(parts) && parts[i+n] == parts[i] {
			n++
		}
		part := parts[i]
		if n > 1 {
			part += fmt.Sprintf(" (%d times)", n)
		}
		short = append(short, part)
		i += n
	}
	return short
}
