package flow_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// dawn is when every story begins; a Friday.
var dawn = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// A teller carries a story from line to line. The lines are
//
//	payment PROVIDER OPERATION AMOUNT CURRENCY [auto|manual] [merchant=M]
//	start ORDER REQUEST [provider=ID]
//	[at +DURATION] answer|query FIELDS…
//	[at +DURATION] webhook [verified] FIELDS…
//	[at +DURATION] due [request=R] [order=O]
//	[at +DURATION] resume
//	[at +DURATION] withdraw why="…"
//	[at +DURATION] resolve IDENTITY EFFECT by=WHO why="…"
//
// where a duration counts from the line before. A due without one comes at the time
// that the flow waits for. FIELDS are those of an answer: code, sub_code, status,
// sub_status, message, http, fault, retry_after, order, request, provider, amount,
// currency. Every event can have a jitter; without one waits are not spread.
type teller struct {
	t      *testing.T
	rules  *engine.Engine
	stored bool // the state goes through JSON after every event
	state  flow.State
	now    time.Time
}

func (r *teller) run(line string) (string, error) {
	words := split(line)
	if words[0] == "payment" {
		r.now = dawn
		return "", r.payment(words[1:])
	}
	due := r.state.Next.At
	if words[0] == "at" {
		d, err := time.ParseDuration(strings.TrimPrefix(words[1], "+"))
		if err != nil {
			return "", err
		}
		due = r.now.Add(d)
		words = words[2:]
	} else if words[0] != "due" || r.state.Stage != flow.Waiting {
		due = r.now
	}
	r.now = due
	e, err := r.event(words)
	if err != nil {
		return "", err
	}
	return r.step(e), nil
}

func (r *teller) payment(words []string) error {
	p := policy.Payment{Provider: words[0], Key: "cart-77", Currency: words[3]}
	if err := p.Operation.UnmarshalText([]byte(words[1])); err != nil {
		return err
	}
	var err error
	if p.Amount, err = strconv.ParseInt(words[2], 10, 64); err != nil {
		return err
	}
	for _, w := range words[4:] {
		if m, ok := strings.CutPrefix(w, "merchant="); ok {
			p.Merchant = m
		} else if err := p.Capture.UnmarshalText([]byte(w)); err != nil {
			return err
		}
	}
	r.state = flow.State{Payment: p}
	return r.rules.Check(&p)
}

// step takes one event, holds the machine to what it promises of every step, and
// prints what came of it.
func (r *teller) step(e flow.Event) string {
	r.t.Helper()
	before := encode(r.t, r.state)
	next, commands, err := flow.Step(r.rules, r.state, e)
	if after := encode(r.t, r.state); after != before {
		r.t.Errorf("Step changed the state that it was given:\n%s\nbecame\n%s", before, after)
	}
	if err != nil {
		if !reflect.DeepEqual(next, r.state) || commands != nil {
			r.t.Errorf("%v, and yet something changed", err)
		}
		return "  " + err.Error() + "\n"
	}
	checkOrder(r.t, commands)
	r.state = next
	if r.stored {
		r.state = flow.State{}
		decode(r.t, encode(r.t, next), &r.state)
	}
	return r.print(commands)
}

// fataler is a test, of testing or of rapid.
type fataler interface {
	Helper()
	Fatal(...any)
}

func encode(t fataler, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode(t fataler, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatal(err)
	}
}

// checkOrder: nothing is done before the state is on stable storage.
func checkOrder(t interface{ Errorf(string, ...any) }, commands []flow.Command) {
	recorded := false
	for _, c := range commands {
		switch c.(type) {
		case flow.Record:
			recorded = true
		case flow.Decided:
		default:
			if !recorded {
				t.Errorf("%T comes before Record", c)
			}
		}
	}
}

// event reads the rest of a line.
func (r *teller) event(words []string) (flow.Event, error) {
	f, err := readFields(words[1:])
	if err != nil {
		return nil, err
	}
	m := flow.Moment{At: r.now, Jitter: f.jitter}
	switch words[0] {
	case "start":
		e := flow.Start{Moment: m, OrderID: f.plain[0], RequestID: f.plain[1], ProviderID: f.answer.ProviderID}
		if d, err := time.ParseDuration(f.text["accepted_before"]); err == nil {
			e.Accepted = r.now.Add(-d)
		}
		if d, err := time.ParseDuration(f.text["not_after"]); err == nil {
			e.NotAfter = r.now.Add(d)
		}
		return e, nil
	case "answer":
		return flow.Answered{Moment: m, Answer: f.answer}, nil
	case "query":
		return flow.Queried{Moment: m, Answer: f.answer}, nil
	case "webhook":
		f.answer.Verified = len(f.plain) > 0 && f.plain[0] == "verified"
		return flow.Received{Moment: m, Answer: f.answer}, nil
	case "due":
		return flow.Due{Moment: m, RequestID: f.answer.RequestID, OrderID: f.answer.OrderID}, nil
	case "resume":
		return flow.Resumed{Moment: m}, nil
	case "withdraw":
		return flow.Withdrawn{Moment: m, Why: f.text["why"]}, nil
	case "resolve":
		e := flow.Resolved{Moment: m, Who: f.text["by"], Why: f.text["why"]}
		if e.Identity, err = strconv.Atoi(f.plain[0]); err != nil {
			return nil, err
		}
		return e, e.Effect.UnmarshalText([]byte(f.plain[1]))
	}
	return nil, fmt.Errorf("there is no %q", words[0])
}
