package flow_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// fields are the words of a line after its verb.
type fields struct {
	answer policy.Answer
	jitter float64
	plain  []string // without an equals sign
	text   map[string]string
}

func readFields(words []string) (f fields, err error) {
	f.jitter, f.text = 0.5, map[string]string{}
	a := &f.answer
	texts := map[string]*string{
		"code": &a.Code, "sub_code": &a.SubCode, "status": &a.Status, "sub_status": &a.SubStatus, "message": &a.Message,
		"order": &a.OrderID, "request": &a.RequestID, "provider": &a.ProviderID, "currency": &a.Currency,
	}
	for _, w := range words {
		key, value, named := strings.Cut(w, "=")
		switch {
		case !named:
			f.plain = append(f.plain, w)
		case texts[key] != nil:
			*texts[key] = value
		case slices.Contains([]string{"by", "why", "accepted_before", "not_after"}, key):
			f.text[key] = value
		case key == "fault":
			err = a.Fault.UnmarshalText([]byte(value))
		case key == "http":
			a.HTTPStatus, err = strconv.Atoi(value)
		case key == "retry_after":
			a.RetryAfter, err = time.ParseDuration(value)
		case key == "amount":
			a.Amount, err = strconv.ParseInt(value, 10, 64)
		case key == "jitter":
			f.jitter, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("there is no field %q", key)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// split parts a line at its blanks, but for those inside quotes.
func split(line string) []string {
	quoted := false
	parts := strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], `"`, "")
	}
	return parts
}

// print writes what came of an event: commands, then where the flow stands.
func (r *teller) print(commands []flow.Command) string {
	var b strings.Builder
	say := func(what, format string, args ...any) {
		line := fmt.Sprintf("  %-9s %s", what, fmt.Sprintf(format, args...))
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(&b, "%s %s\n", r.clock(r.now), strings.TrimSpace(string(r.state.Stage)+" "+ended(&r.state)))
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Record:
			say("record", "")
		case flow.Send:
			say("send", "%d as %s %s, listening until %s; %s", c.Attempt, c.Identity.OrderID, c.Identity.RequestID, r.clock(c.Deadline), c.Action)
		case flow.Ask:
			say("ask", "%d by %s of %s %s, listening until %s", c.Query, c.By, c.Identity.OrderID, c.Identity.RequestID, r.clock(c.Deadline))
		case flow.Wait:
			say("wait", "until %s, then %s", r.clock(c.Until), via(c.Action, c.Via))
		case flow.Finish:
			say("finish", "%s: %s", c.Outcome, c.Reason)
		case flow.Alert:
			say("alert", "%s", c.Reason)
		case flow.Decided:
			sayDecided(say, &c)
		}
	}
	for i := range r.state.Ledger {
		say("ledger", "%s", ledgerLine(i, &r.state.Ledger[i]))
	}
	if r.state.NewOrderPossible {
		say("note", "a new order is possible")
	}
	return b.String()
}

func sayDecided(say func(string, string, ...any), d *flow.Decided) {
	doubt := ""
	if d.InDoubt {
		doubt = ", in doubt"
	}
	say("fact", "%s %s%s", d.Fact.Effect, d.Fact.Class, doubt)
	rule := d.Decision.Rule
	if rule == "" {
		rule = "no rule"
	}
	say("rule", "%s wants %s: %s", rule, d.Decision.Action, d.Decision.Reason)
	if d.Verdict.Property != "" {
		say("interlock", "%s: %s instead", d.Verdict.Property, via(d.Verdict.Action, d.Verdict.Via))
	}
	if d.Verdict.Limit != "" {
		say("limit", "%s is spent: %s", d.Verdict.Limit, via(d.Verdict.Action, d.Verdict.Via))
	}
}

func via(a policy.Action, v flow.Via) string {
	if v == flow.ByWebhook {
		return a.String() + " by webhook"
	}
	return a.String()
}

func ledgerLine(i int, id *flow.Identity) string {
	line := fmt.Sprintf("%d %s %s sent %d: %s %s", i, id.OrderID, id.RequestID, id.Sends, id.Effect, id.Fact.Class)
	if id.ProviderID != "" {
		line += ", theirs " + id.ProviderID
	}
	if id.Mismatch {
		line += ", another amount"
	}
	if id.Disputed && id.Fact.Class != policy.Disputed {
		line += ", disputed"
	}
	if id.Contested {
		line += ", contested"
	}
	return line
}

func ended(s *flow.State) string {
	if s.Stage == flow.Ended {
		return s.Outcome.String()
	}
	return ""
}

// clock writes a time as what has passed since dawn: 1h30m.
func (r *teller) clock(at time.Time) string {
	text := at.Sub(dawn).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
