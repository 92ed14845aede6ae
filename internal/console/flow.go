package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// storyLine is a line of a story.
type storyLine struct {
	At   time.Time
	What string
}

// flowView is the page of a flow.
type flowView struct {
	flowLine

	Now   time.Time
	State *struct {
		Stage     string
		Outcome   string
		Reason    string
		Withdrawn string
		Ledger    []sent
	}
	Notices int
	Live    bool
	Held    string
	Story   []storyLine
	Trace   []storyLine
	Audit   []trailLine
	You     string // who asks, if that is known
	Two     bool   `json:"two_persons"`

	MoreStory, MoreTrace, MoreAudit int `json:"-"` // lines that are not shown, the oldest

	Form form   `json:"-"` // what was typed
	Done string `json:"-"` // what was done just now
	Sent []sent `json:"-"`

	Proposals []trailLine `json:"-"`

	Ids []string `json:"-"` // those of the flow
}

// proposals are those that wait for a second person.
func (v *flowView) proposals() (all []trailLine) {
	for _, l := range v.Audit {
		if l.Waits && v.Now.Before(l.Until) {
			all = append(all, l)
		}
	}
	return all[max(0, len(all)-mostProposals):]
}

// mostProposals bounds the forms on a page.
const mostProposals = 20

// mostLines bounds each table of a flow's page. A person who tries a resolve again and again makes the trail long.
const mostLines = 200

// newest are the last of some lines, and how many are before them.
func newest[T any](all []T) ([]T, int) {
	more := max(0, len(all)-mostLines)
	return all[more:], more
}

// Ended reports whether the flow has.
func (v *flowView) Ended() bool { return v.State == nil || v.State.Stage == "ended" }

// form is what a page sends.
type form struct {
	Flow, Do           string
	Request            string // [order id, request id], in JSON
	Proposal           string
	Effect, Who, Why   string
	Override           bool
	Version            int64
	orderID, requestID string
}

// fields are those of the forms.
var fields = []string{"flow", "do", "request", "effect", "who", "why", "override", "version", "proposal"}

// formOf reads a form. The handler judges what the fields say.
func formOf(v url.Values) (*form, error) {
	for name, values := range v {
		if !slices.Contains(fields, name) || len(values) != 1 {
			return nil, &fault{Status: http.StatusBadRequest, Message: fmt.Sprintf("the form has %q %d times; its fields are %q, each once", name, len(values), fields)}
		}
	}
	f := &form{Flow: v.Get("flow"), Do: v.Get("do"), Request: v.Get("request"), Effect: v.Get("effect"), Who: v.Get("who"), Why: v.Get("why"), Proposal: v.Get("proposal"), Override: v.Get("override") == "yes"}
	if !slices.Contains([]string{"resolve", "withdraw", "confirm", "reject"}, f.Do) {
		return nil, &fault{Status: http.StatusBadRequest, Message: fmt.Sprintf("do is %q; it must be resolve, withdraw, confirm or reject", f.Do)}
	}
	if f.Flow == "" {
		return nil, &fault{Status: http.StatusBadRequest, Message: "flow must not be empty: it is the flow's id"}
	}
	// Without a version the handler would do it whatever has become of the flow.
	var err error
	if f.Version, err = strconv.ParseInt(v.Get("version"), 10, 64); err != nil || f.Version < 1 {
		return nil, &fault{Status: http.StatusBadRequest, Message: fmt.Sprintf("version is %q; it must be that of the flow as the page showed it", v.Get("version"))}
	}
	if f.Request != "" {
		var ids []string
		if err := json.Unmarshal([]byte(f.Request), &ids); err != nil || len(ids) != 2 {
			return nil, &fault{Status: http.StatusBadRequest, Message: fmt.Sprintf("request is %q; it must be an order id and a request id as JSON", f.Request)}
		}
		f.orderID, f.requestID = ids[0], ids[1]
	}
	return f, nil
}

func (f *form) path() string { return "/flows/" + url.PathEscape(f.Flow) + "/" + f.verb() }

// verb is what the handler and the trail call it.
func (f *form) verb() string {
	if f.Do == "reject" {
		return "confirm"
	}
	return f.Do
}

// body is what the handler reads.
func (f *form) body() map[string]any {
	b := map[string]any{"who": f.Who, "why": f.Why, "version": f.Version}
	switch f.verb() {
	case "resolve":
		b["order_id"], b["request_id"], b["effect"], b["override"] = f.orderID, f.requestID, f.Effect, f.Override
	case "confirm":
		b["proposal"], b["reject"] = f.Proposal, f.Do == "reject"
	}
	return b
}

// doneFor is how long a page says that something was done: longer, and it might be another's deed.
const doneFor = 2 * time.Minute

func (p *pages) flow(r *http.Request) (*page, error) {
	q, err := parameters(r, "id", "done")
	if err != nil {
		return nil, err
	}
	shown, err := p.flowPage(r, q.Get("id"), nil)
	if err != nil {
		return nil, err
	}
	v := shown.View.(*flowView)
	for _, l := range v.Audit { // the trail says it, not the link alone
		if l.Verb == q.Get("done") && (l.Result == "done" || l.Result == "rejected" || l.Waits) && shown.Now.Sub(l.At) < doneFor {
			v.Done = l.Verb
		}
	}
	return shown, nil
}

// flowPage is the page of a flow, with what was typed there before.
func (p *pages) flowPage(r *http.Request, id string, typed *form) (*page, error) {
	if id == "" {
		return nil, &fault{Status: http.StatusBadRequest, Message: "id must not be empty: it is the flow's"}
	}
	v := &flowView{}
	if err := p.ask(r, http.MethodGet, "/flows/"+url.PathEscape(id), nil, nil, v); err != nil {
		return nil, err
	}
	if typed != nil {
		v.Form = *typed
	}
	if v.Form.Who == "" {
		v.Form.Who = v.You
	}
	v.Ids = []string{v.Flow, v.Key}
	if v.State != nil {
		for _, s := range v.State.Ledger {
			if s.Sends > 0 {
				v.Sent = append(v.Sent, s)
			}
			v.Ids = append(v.Ids, s.OrderID, s.RequestID, s.ProviderID)
		}
	}
	if len(v.Sent) == 1 && v.Form.Request == "" {
		v.Form.Request = v.Sent[0].Value()
	}
	v.Proposals = v.proposals()
	v.Story, v.MoreStory = newest(v.Story)
	v.Trace, v.MoreTrace = newest(v.Trace)
	v.Audit, v.MoreAudit = newest(v.Audit)
	return &page{Title: "Flow " + shown(v.Flow, longestName), Now: v.Now, View: v}, nil
}
