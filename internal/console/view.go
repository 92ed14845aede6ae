package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// flowLine is a flow in the handler's list.
type flowLine struct {
	Flow      string
	Standing  string
	Since     time.Time
	Version   int64
	Provider  string
	Merchant  string
	Operation string
	Key       string `json:"payment_key"`
	Due       time.Time
	Damaged   string
	Ends      []waits
}

// waits is what would end a wait.
type waits struct {
	OrderID   string `json:"order_id"`
	RequestID string `json:"request_id"`
	What      string
	By        []string
}

// Ids are those that a line about the wait names.
func (w waits) Ids() []string { return []string{w.OrderID, w.RequestID} }

// First is the evidence that is named first.
func (w waits) First() string { return append(w.By, w.What)[0] }

// Others are the rest of it.
func (w waits) Others() []string { return w.By[min(1, len(w.By)):] }

// choice is a value of a filter.
type choice struct {
	Value, Label string
	Chosen       bool
}

// listView is the first page.
type listView struct {
	Totals             []total
	Groups             []group
	More               int // groups that are not shown
	Standings          []choice
	Ages               []choice
	Merchant, Provider string
	Flows              []flowLine
	First              bool
	Start, Next        string // links to the first and to the next page; no next: this is the last
}

// total is how many flows stand in one way.
type total struct {
	Standing, Link string
	Count          int
	Oldest         time.Time
}

// group is the flows of one merchant at one provider.
type group struct {
	Merchant, Provider, Link string
	Open, InDoubt, Escalated int
	Oldest                   time.Time
}

// filters are the parameters of the list.
var filters = []string{"standing", "merchant", "provider", "older_than", "after"}

// parameters reads those of a page. An empty one, as a form sends it, is not given.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	q := url.Values{}
	for name, values := range r.URL.Query() {
		if !slices.Contains(known, name) {
			return nil, &fault{Status: http.StatusBadRequest, Message: fmt.Sprintf("there is no parameter %q; there are %s", name, strings.Join(known, ", "))}
		}
		for _, v := range values {
			if v != "" {
				q.Add(name, v)
			}
		}
	}
	return q, nil
}

func (p *pages) list(r *http.Request) (*page, error) {
	q, err := parameters(r, filters...)
	if err != nil {
		return nil, err
	}
	v := &listView{Merchant: q.Get("merchant"), Provider: q.Get("provider"), First: q.Get("after") == ""}
	for _, s := range []string{"open", "in_doubt", "escalated", "succeeded", "failed", "unclassified"} {
		v.Standings = append(v.Standings, choice{s, strings.ReplaceAll(s, "_", " "), slices.Contains(q["standing"], s)})
	}
	if len(q["standing"]) == 0 {
		for i := range v.Standings[:3] {
			v.Standings[i].Chosen = true
		}
	}
	v.Ages = ages(q.Get("older_than"))
	var flows struct {
		Now   time.Time
		Flows []flowLine
		Next  string
	}
	asked := maps.Clone(q)
	asked.Set("limit", fmt.Sprint(pageSize))
	asked.Set("ends", "true")
	if err := p.ask(r, http.MethodGet, "/flows", asked, nil, &flows); err != nil {
		return nil, err
	}
	v.Flows = flows.Flows
	if flows.Next != "" {
		v.Next = with(q, "after", flows.Next)
	}
	v.Start = with(q, "after", "")
	if v.First {
		if err := p.counts(r, v); err != nil {
			return nil, err
		}
	}
	return &page{Title: "Payments that wait", Now: flows.Now, View: v}, nil
}

// ages are the choices of the least age.
func ages(chosen string) []choice {
	all := []choice{{Label: "any age"}, {Value: "10m", Label: "10 minutes"}, {Value: "1h", Label: "1 hour"}, {Value: "6h", Label: "6 hours"}, {Value: "24h", Label: "1 day"}, {Value: "168h", Label: "7 days"}}
	known := false
	for i := range all {
		all[i].Chosen = all[i].Value == chosen
		known = known || all[i].Chosen
	}
	if !known {
		all = append(all, choice{chosen, chosen, true})
	}
	return all
}

// with is a link to the list with one parameter changed.
func with(q url.Values, name, value string) string {
	q = maps.Clone(q)
	if q.Del(name); value != "" {
		q.Set(name, value)
	}
	return "./?" + q.Encode()
}

// mostGroups bounds the table of merchants and providers.
const mostGroups = 30

// counts adds how many flows wait, in all and by merchant and provider: those whose oldest has waited longest first.
func (p *pages) counts(r *http.Request, v *listView) error {
	var answer struct {
		Counts []struct {
			Standing, Merchant, Provider string
			Count                        int
			Oldest                       time.Time
		}
	}
	if err := p.ask(r, http.MethodGet, "/counts", nil, nil, &answer); err != nil {
		return err
	}
	totals := map[string]*total{}
	for _, s := range []string{"open", "in_doubt", "escalated"} {
		totals[s] = &total{Standing: s, Link: "./?" + url.Values{"standing": {s}}.Encode()}
	}
	groups := map[[2]string]*group{}
	for _, c := range answer.Counts {
		t := totals[c.Standing]
		if t == nil {
			continue
		}
		t.Count += c.Count
		t.Oldest = earlier(t.Oldest, c.Oldest)
		of := [2]string{c.Merchant, c.Provider}
		g := groups[of]
		if g == nil {
			g = &group{Merchant: c.Merchant, Provider: c.Provider, Link: "./?" + url.Values{"merchant": {c.Merchant}, "provider": {c.Provider}}.Encode()}
			groups[of] = g
		}
		g.Oldest = earlier(g.Oldest, c.Oldest)
		switch c.Standing {
		case "open":
			g.Open += c.Count
		case "in_doubt":
			g.InDoubt += c.Count
		default:
			g.Escalated += c.Count
		}
	}
	for _, s := range []string{"escalated", "in_doubt", "open"} {
		v.Totals = append(v.Totals, *totals[s])
	}
	for _, g := range groups {
		v.Groups = append(v.Groups, *g)
	}
	slices.SortFunc(v.Groups, func(a, b group) int {
		return cmp.Or(a.Oldest.Compare(b.Oldest), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Provider, b.Provider))
	})
	v.More = max(0, len(v.Groups)-mostGroups)
	v.Groups = v.Groups[:len(v.Groups)-v.More]
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// trailLine is a line of the audit trail.
type trailLine struct {
	At     time.Time
	Verb   string
	Flow   string
	Asked  asked
	Result string
	ID     string
	Waits  bool // for a second person
	Until  time.Time
}

// asked is what a person asked for.
type asked struct {
	Who, Why  string
	OrderID   string `json:"order_id"`
	RequestID string `json:"request_id"`
	Effect    string
	Override  bool
	OlderThan string `json:"older_than"`
}

func (p *pages) trail(r *http.Request) (*page, error) {
	q, err := parameters(r, "after")
	if err != nil {
		return nil, err
	}
	var v struct {
		Audit []trailLine
		Next  string
		First bool `json:"-"`
	}
	v.First = len(q) == 0
	q.Set("limit", fmt.Sprint(pageSize))
	if err := p.ask(r, http.MethodGet, "/audit", q, nil, &v); err != nil {
		return nil, err
	}
	if v.Next != "" {
		v.Next = "trail?" + url.Values{"after": {v.Next}}.Encode()
	}
	return &page{Title: "Audit trail", View: &v}, nil
}

func (p *pages) providers(r *http.Request) (*page, error) {
	q, err := parameters(r, "merchant", "provider")
	if err != nil {
		return nil, err
	}
	type account struct {
		Provider, Merchant string
		Tokens, Of         float64
		Sends, Queries     int64
		SendsInLine        int64 `json:"sends_in_line"`
		QueriesInLine      int64 `json:"queries_in_line"`
		Off                bool
	}
	var v struct {
		Now      time.Time
		Breakers []struct {
			Provider, Merchant, Operation string
			Query                         bool
			State                         string
			Until                         time.Time
		}
		Accounts                   []account
		MoreBreakers, MoreAccounts int    `json:"-"`
		Merchant, Provider         string `json:"-"`
	}
	if err := p.ask(r, http.MethodGet, "/breakers", q, nil, &v); err != nil {
		return nil, err
	}
	v.MoreBreakers, v.MoreAccounts = max(0, len(v.Breakers)-pageSize), max(0, len(v.Accounts)-pageSize)
	v.Breakers, v.Accounts = v.Breakers[:len(v.Breakers)-v.MoreBreakers], v.Accounts[:len(v.Accounts)-v.MoreAccounts]
	v.Merchant, v.Provider = q.Get("merchant"), q.Get("provider")
	return &page{Title: "Breakers and budgets", Now: v.Now, View: &v}, nil
}

// sent is a request that a flow sent.
type sent struct {
	OrderID    string `json:"order_id"`
	RequestID  string `json:"request_id"`
	ProviderID string `json:"provider_id"`
	Sends      int
	FirstSent  time.Time `json:"first_sent"`
	Effect     string
}

// Value is the request in a form.
func (s sent) Value() string {
	text, _ := json.Marshal([]string{s.OrderID, s.RequestID}) // strings only
	return string(text)
}

// Settled reports whether it is known what became of the request.
func (s sent) Settled() bool { return s.Effect == "executed" || s.Effect == "not_executed" }
