package simulate

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Story is one flow step by step: what was recorded, and what these rules would have done.
type Story struct {
	Flow      string         `json:"flow"`
	Payment   policy.Payment `json:"payment"`
	Recorded  []StoryLine    `json:"recorded"`
	Simulated []StoryLine    `json:"simulated"`
	Outcome   policy.Outcome `json:"outcome"`             // of the simulation
	Departure string         `json:"departure,omitempty"` // why it left the recording; empty: it did not

	record    *record
	steps     []step
	envelopes envelopes
}

// StoryLine is one step.
type StoryLine struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Rule   string    `json:"rule,omitempty"`
	Source string    `json:"source,omitempty"` // FILE:LINE of the rule
	Reason string    `json:"reason,omitempty"`
}

// finish writes the lines of the steps that were collected.
func (s *Story) finish(end ending) {
	s.Flow, s.Payment = s.record.flow, s.record.payment
	s.Outcome, s.Departure = end.outcome, string(end.departure)
	s.Recorded = s.record.story(s.envelopes)
	for i := range s.steps {
		if l := s.steps[i].line(s.envelopes); l.What != "" {
			s.Simulated = append(s.Simulated, l)
		}
	}
	if end.departure != onRecord {
		at := s.record.start().time()
		if n := len(s.steps); n > 0 {
			at = s.steps[n-1].at
		}
		s.Simulated = append(s.Simulated, StoryLine{At: at, What: "off the record: " + string(end.departure)})
	}
	s.record, s.steps, s.envelopes = nil, nil, nil
}

func (r *record) story(e envelopes) []StoryLine {
	var lines []StoryLine
	for i := range r.sends {
		c := &r.sends[i]
		lines = append(lines,
			StoryLine{At: c.at.time(), What: fmt.Sprintf("send %d as order %s, request %s", i+1, c.orderID, c.requestID)},
			StoryLine{At: c.at.plus(c.latency).time(), What: fmt.Sprintf("answer to send %d: %s", i+1, e.describe(&c.answer))})
	}
	for i := range r.queries {
		c := &r.queries[i]
		lines = append(lines, StoryLine{At: c.at.plus(c.latency).time(), What: "answer to a query: " + e.describe(&c.answer)})
	}
	for i := range r.webhooks {
		c := &r.webhooks[i]
		lines = append(lines, StoryLine{At: c.at.time(), What: e.webhook(&c.answer)})
	}
	if r.ended {
		lines = append(lines, StoryLine{At: r.endAt.time(), What: "the recorded client concluded: " + r.outcome.String()})
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].At.Before(lines[j].At) })
	if r.hasTruth {
		lines = append(lines, r.truthLine())
	}
	return lines
}

func (r *record) truthLine() StoryLine {
	all := slices.Concat(r.truth, r.unsent)
	if len(all) == 0 {
		return StoryLine{What: "reconciliation found no execution"}
	}
	parts := make([]string, len(all))
	for i, x := range all {
		parts[i] = fmt.Sprintf("order %s, request %s at %s", x.orderID, x.requestID, x.at.time().Format(time.TimeOnly))
		if x.amount != 0 && x.amount != r.payment.Amount {
			parts[i] += ", of " + policy.FormatAmount(x.amount, r.payment.Currency)
		}
		if i >= len(r.truth) {
			parts[i] += ", which was not sent"
		}
	}
	return StoryLine{What: fmt.Sprintf("reconciliation found %d: %s", len(all), strings.Join(parts, "; "))}
}

func (e envelopes) webhook(a *policy.Answer) string {
	if a.Verified {
		return "webhook: " + e.describe(a)
	}
	return "webhook, not verified: " + e.describe(a)
}

// describe writes an answer for a story.
func (e envelopes) describe(a *policy.Answer) string {
	text := e.label(a)
	if a.HTTPStatus != 0 && a.HTTPStatus != 200 {
		text += fmt.Sprintf(" (HTTP %d)", a.HTTPStatus)
	}
	if a.Message != "" {
		text += fmt.Sprintf(" %q", a.Message)
	}
	return text
}

func (s *step) line(e envelopes) StoryLine {
	l := StoryLine{At: s.at}
	switch event := s.event.(type) {
	case flow.Answered:
		l.What = "answer: " + e.describe(&event.Answer)
	case flow.Queried:
		l.What = "answer to a query: " + e.describe(&event.Answer)
	case flow.Received:
		l.What = e.webhook(&event.Answer)
	}
	if by := time.Duration(s.moved) * time.Microsecond; l.What != "" && by > 0 {
		l.What += fmt.Sprintf(" (recorded %s earlier)", by)
	} else if l.What != "" && by < 0 {
		l.What += fmt.Sprintf(" (recorded %s later)", -by)
	}
	switch c := s.command.(type) {
	case nil, flow.Record, flow.Wait:
	case flow.Decided:
		l.What, l.Rule, l.Source, l.Reason = "it is "+flow.DescribeVerdict(&c), c.Decision.Rule, c.Decision.Source, c.Decision.Reason
	default:
		l.What = flow.Describe(c)
	}
	return l
}
