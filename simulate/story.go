package simulate

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Story is one flow told step by step: what was recorded, and what these rules would
// have done.
type Story struct {
	Flow      string         `json:"flow"`
	Payment   policy.Payment `json:"payment"`
	Recorded  []StoryLine    `json:"recorded"`
	Simulated []StoryLine    `json:"simulated"`
	Outcome   policy.Outcome `json:"outcome"`             // of the simulation
	Departure string         `json:"departure,omitempty"` // why it left the recording; empty: it did not

	record *record
	steps  []step
	voice  voice
}

// StoryLine is one step.
type StoryLine struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Rule   string    `json:"rule,omitempty"`
	Source string    `json:"source,omitempty"` // FILE:LINE of the rule
	Reason string    `json:"reason,omitempty"`
}

// finish turns what was watched into lines.
func (s *Story) finish(e ending) {
	s.Flow, s.Payment = s.record.flow, s.record.payment
	s.Outcome, s.Departure = e.outcome, string(e.departure)
	s.Recorded = s.record.story(s.voice)
	for i := range s.steps {
		if l := s.steps[i].line(s.voice); l.What != "" {
			s.Simulated = append(s.Simulated, l)
		}
	}
	if e.departure != onRecord {
		at := s.record.start().time()
		if n := len(s.steps); n > 0 {
			at = s.steps[n-1].at
		}
		s.Simulated = append(s.Simulated, StoryLine{At: at, What: "off the record: " + string(e.departure)})
	}
	s.record, s.steps, s.voice = nil, nil, nil
}

func (r *record) story(v voice) []StoryLine {
	var lines []StoryLine
	for i := range r.sends {
		c := &r.sends[i]
		lines = append(lines,
			StoryLine{At: c.at.time(), What: fmt.Sprintf("send %d as order %s, request %s", i+1, c.orderID, c.requestID)},
			StoryLine{At: c.at.plus(c.latency).time(), What: fmt.Sprintf("answer to send %d: %s", i+1, v.describe(&c.answer))})
	}
	for i := range r.queries {
		c := &r.queries[i]
		lines = append(lines, StoryLine{At: c.at.plus(c.latency).time(), What: "answer to a query: " + v.describe(&c.answer)})
	}
	for i := range r.webhooks {
		c := &r.webhooks[i]
		lines = append(lines, StoryLine{At: c.at.time(), What: v.webhook(&c.answer)})
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
	if len(r.truth) == 0 {
		return StoryLine{What: "reconciliation found no execution"}
	}
	parts := make([]string, len(r.truth))
	for i, x := range r.truth {
		parts[i] = fmt.Sprintf("order %s, request %s at %s", x.orderID, x.requestID, x.at.time().Format(time.TimeOnly))
	}
	return StoryLine{What: fmt.Sprintf("reconciliation found %d: %s", len(r.truth), strings.Join(parts, "; "))}
}

// voice puts answers into words; it knows which codes only mean that a request was heard.
type voice func(code string) bool

func (v voice) webhook(a *policy.Answer) string {
	if a.Verified {
		return "webhook: " + v.describe(a)
	}
	return "webhook, not verified: " + v.describe(a)
}

// describe says what an answer said.
func (v voice) describe(a *policy.Answer) string {
	text := label(a, v)
	if a.HTTPStatus != 0 && a.HTTPStatus != 200 {
		text += fmt.Sprintf(" (HTTP %d)", a.HTTPStatus)
	}
	if a.Message != "" {
		text += fmt.Sprintf(" %q", a.Message)
	}
	return text
}

func (s *step) line(v voice) StoryLine {
	l := StoryLine{At: s.at}
	switch e := s.event.(type) {
	case flow.Answered:
		l.What = "heard " + v.describe(&e.Answer)
	case flow.Queried:
		l.What = "the query says " + v.describe(&e.Answer)
	case flow.Received:
		l.What = v.webhook(&e.Answer)
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
