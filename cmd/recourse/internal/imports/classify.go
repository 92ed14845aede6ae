package imports

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// classifier finds out which call of which provider an HTTP call is.
type classifier struct {
	catalogs []*providers.Catalog
	redact   *redact.Redactor
	merchant string
	mapping  *Mapping // may be nil
	catalog  func(p *policy.Payment) (*providers.Catalog, error)
}

// match is what one catalogue takes a call for.
type match struct {
	cat *providers.Catalog
	req providers.Request
}

// maxPrefix is how many segments may stand before a path, as a gateway adds them.
const maxPrefix = 3

// find finds the endpoint of a call.
func (c *classifier) find(call *traffic.Call) (match, error) {
	u, err := url.Parse(call.URL)
	if err != nil {
		return match{}, errors.New("broken: its url cannot be read")
	}
	query := u.Query()
	h := providers.HTTPRequest{Method: call.Method, Path: u.Path, Header: call.Header.Get, Query: query.Get, Body: call.Body, RawQuery: u.RawQuery}
	var here []match
	var refused error
	for range maxPrefix + 1 {
		for _, cat := range c.catalogs {
			_, req, err := cat.ReadRequest(&h)
			var why *providers.RequestError
			switch {
			case err == nil:
				here = append(here, match{cat, req})
			case errors.As(err, &why) && why.Status == http.StatusBadRequest:
				refused = fmt.Errorf("%s: %w", cat.Name, err)
			}
		}
		if len(here) > 0 {
			return c.one(here, u.Hostname())
		}
		i := strings.Index(strings.TrimPrefix(h.Path, "/"), "/")
		if i < 0 {
			break
		}
		h.Path = h.Path[i+1:]
	}
	switch {
	case refused != nil && call.BodyIn != "":
		return match{}, errors.New("broken: " + call.BodyIn)
	case refused != nil && len(call.Body) == 0:
		return match{}, fmt.Errorf("broken: it has no request body (%w)", refused)
	case refused != nil:
		return match{}, fmt.Errorf("broken: %w", refused)
	}
	return match{}, errNoEndpoint
}

var errNoEndpoint = errors.New("no provider's endpoint")

// one chooses among several providers by the host's name.
func (c *classifier) one(here []match, host string) (match, error) {
	if len(here) == 1 {
		return here[0], nil
	}
	var named []match
	names := make([]string, len(here))
	for i, m := range here {
		names[i] = m.cat.Name
		if strings.Contains(host, m.cat.Name) {
			named = append(named, m)
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	return match{}, fmt.Errorf("it is an endpoint of %s; --provider says whose", strings.Join(names, " and of "))
}

// entry makes an entry of a call.
func (c *classifier) entry(call *traffic.Call) (*entry, error) {
	m, err := c.find(call)
	if err != nil {
		return nil, err
	}
	r := &m.req
	if len(r.Operations) == 0 {
		return nil, errors.New("its endpoint serves no operation")
	}
	e := &entry{Ops: r.Operations}
	if u, err := url.Parse(call.URL); err == nil && isTestHost(u.Hostname()) {
		e.Scope = testScope
	}
	l := &e.Line
	l.Phase, l.Latency = recorded.Phase(r.Phase), min(max(call.Latency, 0), recorded.MaxLatency)
	l.OrderID, l.RequestID, l.ProviderID = r.OrderID, r.RequestID, r.ProviderID
	l.Payment = policy.Payment{
		Provider: m.cat.Name, Merchant: c.merchant, Operation: r.Operations[0], Amount: max(r.Amount, 0), Currency: r.Currency, Capture: r.Capture,
	}
	if r.Amount > recorded.MaxAmount {
		return nil, errors.New("its amount is out of range")
	}
	c.own(call, &l.Payment)
	if e.Scope == testScope && l.Payment.Key != "" {
		l.Payment.Key = testName + l.Payment.Key
	}
	if l.Phase == recorded.Query {
		l.Payment.Amount, l.Payment.Currency = 0, ""
	}
	if err := severalNames(l); err != nil {
		return nil, err
	}
	if l.OrderID+l.RequestID+l.ProviderID == "" && l.Phase == recorded.Query {
		return nil, errors.New("it asks for a payment and names none")
	}
	cat, err := c.catalog(&l.Payment)
	if err != nil {
		return nil, err
	}
	c.answer(cat, call, e)
	return e, nil
}

// rounded is how spreadsheets write a long number: with its first digits only.
var rounded = regexp.MustCompile(`^[0-9](\.[0-9]+)?[Ee]\+[0-9]+$`)

// severalNames says which name of a line other payments may have as well, though theirs was another one.
func severalNames(l *recorded.Line) error {
	for _, name := range []string{l.Flow, l.Payment.Merchant, l.Payment.Key, l.OrderID, l.RequestID, l.ProviderID} {
		switch {
		case strings.ContainsRune(name, '\uFFFD'): // in place of any bytes, or they are written so
			return errors.New("an identifier in it is not valid UTF-8")
		case rounded.MatchString(name):
			return fmt.Errorf("the identifier %s is a number that a spreadsheet rounded", name)
		}
	}
	return nil
}

// testScope is added to the scope of calls to a test host: the same identifiers there are another payment.
const testScope = "\x00test"

// testName begins the names of what was sent to a test host.
const testName = "test/"

// isTestHost reports whether a host is named as one that moves no money.
func isTestHost(host string) bool {
	for label := range strings.FieldsFuncSeq(strings.ToLower(host), func(c rune) bool { return c == '.' || c == '-' || c == '_' }) {
		if slices.Contains(testWords, label) {
			return true
		}
	}
	return false
}

var testWords = []string{"test", "testing", "sandbox", "sbx", "sit", "uat", "stage", "staging", "dev", "mock", "localhost"}

// own fills what only the merchant's mapping knows.
func (c *classifier) own(call *traffic.Call, p *policy.Payment) {
	if c.mapping == nil {
		return
	}
	value := func(key string) string {
		where, ok := c.mapping.call[key]
		if !ok {
			return ""
		}
		switch where.part {
		case "header":
			return call.Header.Get(where.name)
		case "query":
			if u, err := url.Parse(call.URL); err == nil {
				return u.Query().Get(where.name)
			}
			return ""
		}
		return inBody(call.Body, where.name)
	}
	if m := value("merchant"); m != "" {
		p.Merchant = m
	}
	if key := value("payment_key"); key != "" {
		p.Key = key
	}
}

// inBody is a value in a body that is JSON or a form.
func inBody(body []byte, path string) string {
	if v, err := fastjson.ParseBytes(body); err == nil {
		x := v.Get(strings.Split(path, ".")...)
		switch {
		case x == nil || x.Type() == fastjson.TypeNull:
			return ""
		case x.Type() == fastjson.TypeString:
			return string(x.GetStringBytes())
		}
		return string(x.MarshalTo(nil))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	if s := form.Get(path); s != "" {
		return s
	}
	steps := strings.Split(path, ".")
	return form.Get(steps[0] + "[" + strings.Join(steps[1:], "][") + "]")
}

// answer fills in what came back, without its secrets.
func (c *classifier) answer(cat *providers.Catalog, call *traffic.Call, e *entry) {
	l := &e.Line
	l.Answer.Fault = call.Fault
	if call.Fault != policy.NoFault {
		return
	}
	l.Answer.HTTPStatus = call.Status
	header := map[string]string{}
	for name := range call.ReplyHeader {
		header[name] = strings.Join(call.ReplyHeader.Values(name), ", ")
	}
	l.Header = cat.Headers(l.Payment.Operation, policy.Phase(l.Phase), header)
	c.read(cat, call.Reply, e)
}

// read decodes a message, keeps what the answer names, and cuts what the catalogue does not read.
func (c *classifier) read(cat *providers.Catalog, body []byte, e *entry) {
	l := &e.Line
	said := l.Answer
	said.Currency = l.Payment.Currency
	m := policy.Message{HTTPStatus: l.Answer.HTTPStatus, Header: l.Header, Query: l.Query, Body: body}
	empty := len(body)+len(m.Header)+len(m.Query) == 0
	var unreadable error
	if !empty {
		unreadable = cat.DecodeMessage(l.Payment.Operation, policy.Phase(l.Phase), &m, &said)
	}
	e.Answered = said.ProviderID
	if l.Phase == recorded.Webhook && l.OrderID+l.RequestID+l.ProviderID == "" {
		l.OrderID, l.RequestID, l.ProviderID = said.OrderID, said.RequestID, said.ProviderID
	}
	k := &redact.Known{
		IDs:     []string{l.Payment.Key, l.OrderID, l.RequestID, l.ProviderID, said.OrderID, said.RequestID, said.ProviderID},
		Amounts: []int64{l.Payment.Amount, said.Amount},
	}
	l.Header, l.Query, l.Body = nil, "", nil
	if unreadable != nil {
		l.Answer.Fault = policy.Unreadable
		if len(body) > 0 {
			l.Body = c.redact.Unreadable(body, k)
		}
		return
	}
	if !empty {
		if rest, written, ok := c.redact.Cut(cat, &l.Payment, &m, &said, k); ok {
			l.Header, l.Query, l.Body = rest.Header, rest.Query, rest.Body
			if len(rest.Body) > 0 && written != "json" {
				l.Body = recorded.AppendString(nil, string(rest.Body))
			}
			return
		}
	}
	l.Answer = c.redact.Written(&said, k)
	if foreign(l, &said) {
		a := &l.Answer
		a.Code, a.SubCode, a.Status, a.SubStatus, a.Message = "", "", "", "", ""
	}
}

// foreign reports whether an answer names another order, request or amount than the line. A line without the body cannot say
// so, and must not prove anything by it.
func foreign(l *recorded.Line, a *policy.Answer) bool {
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	return a.SetAside != "" || differs(a.OrderID, l.OrderID) || differs(a.ProviderID, l.ProviderID) || l.Phase == recorded.Send && differs(a.RequestID, l.RequestID) ||
		a.Amount != 0 && l.Payment.Amount != 0 && a.Amount != l.Payment.Amount || differs(a.Currency, l.Payment.Currency)
}
