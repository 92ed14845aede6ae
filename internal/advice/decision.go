package advice

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Decision is one line that `recourse decide` writes.
type Decision struct {
	Action    policy.Action   `json:"action"`       // after the interlock
	By        flow.Via        `json:"by,omitempty"` // how a status is found out: query, or webhook where there is no query
	Rule      string          `json:"rule"`         // empty: no rule held
	Source    string          `json:"source"`
	Reason    string          `json:"reason"`
	Effect    policy.Effect   `json:"effect"`
	Class     policy.Class    `json:"class"`
	Final     policy.Finality `json:"final"`
	Schedule  *string         `json:"schedule"`
	DelayMS   int64           `json:"delay_ms"` // before jitter
	Interlock *Interlock      `json:"interlock"`
	Limit     string          `json:"limit,omitempty"`     // the limit that is spent
	SetAside  string          `json:"set_aside,omitempty"` // why the body is no evidence
}

// Interlock says which property the rules would have broken, and by what.
type Interlock struct {
	Wanted   policy.Action `json:"wanted"`
	Property flow.Property `json:"property"`
}

// Decision is the advice as a line of `recourse decide`.
func (a *Advice) Decision() Decision {
	d, v := &a.Decided, &a.Decided.Verdict
	out := Decision{
		Action: v.Action, By: v.Via, Rule: d.Decision.Rule, Source: d.Decision.Source, Reason: d.Decision.Reason,
		Effect: d.Fact.Effect, Class: d.Fact.Class, Final: d.Fact.Final, DelayMS: v.Delay.Milliseconds(), Limit: v.Limit,
		SetAside: a.Situation.Answer.SetAside,
	}
	if v.Schedule != "" {
		out.Schedule = &v.Schedule
	}
	if v.Property != "" {
		out.Interlock = &Interlock{Wanted: d.Decision.Action, Property: v.Property}
	}
	return out
}

// AppendJSON appends the decision as encoding/json writes it, without a line break.
func (d *Decision) AppendJSON(dst []byte) []byte {
	dst = field(append(dst, '{'), "action", d.Action.String())
	if d.By != "" {
		dst = field(append(dst, ','), "by", string(d.By))
	}
	dst = field(append(dst, ','), "rule", d.Rule)
	dst = field(append(dst, ','), "source", d.Source)
	dst = field(append(dst, ','), "reason", d.Reason)
	dst = field(append(dst, ','), "effect", d.Effect.String())
	dst = field(append(dst, ','), "class", d.Class.String())
	dst = field(append(dst, ','), "final", d.Final.String())
	if d.Schedule == nil {
		dst = append(dst, `,"schedule":null`...)
	} else {
		dst = field(append(dst, ','), "schedule", *d.Schedule)
	}
	dst = strconv.AppendInt(append(dst, `,"delay_ms":`...), d.DelayMS, 10)
	if d.Interlock == nil {
		dst = append(dst, `,"interlock":null`...)
	} else {
		dst = field(append(dst, `,"interlock":{`...), "wanted", d.Interlock.Wanted.String())
		dst = append(field(append(dst, ','), "property", string(d.Interlock.Property)), '}')
	}
	if d.Limit != "" {
		dst = field(append(dst, ','), "limit", d.Limit)
	}
	if d.SetAside != "" {
		dst = field(append(dst, ','), "set_aside", d.SetAside)
	}
	return append(dst, '}')
}

func field(dst []byte, name, text string) []byte {
	dst = append(append(append(dst, '"'), name...), `":`...)
	if !plain(text) {
		return quoted(dst, text)
	}
	return append(append(append(dst, '"'), text...), '"')
}

// plain reports whether a text is of printable ASCII that needs no escape. It looks at eight bytes at once: a byte below a bound
// borrows from its highest bit, and no byte has that bit itself.
func plain(text string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 | uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		quote, slash, del := x^ones*'"', x^ones*'\\', x^ones*0x7f
		if (x|(x-ones*' ')|(quote-ones)|(slash-ones)|(del-ones))&high != 0 {
			return false
		}
	}
	for i := range len(text) {
		if b := text[i]; b < ' ' || b > '~' || b == '"' || b == '\\' {
			return false
		}
	}
	return true
}

// quoted leaves what needs an escape to encoding/json.
func quoted(dst []byte, text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil { // texts have none
		return append(dst, `""`...)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
