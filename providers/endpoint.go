package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// Endpoint is one call of a provider's HTTP interface, as [[endpoint]] blocks describe it.
// It is read-only.
type Endpoint struct {
	Operations []policy.Operation // a send serves one; a query may serve several
	Phase      policy.Phase       // Send or Query
	Method     string             // in capitals
	Path       string             // a segment {NAME} stands for any
	Source     string             // FILE:LINE

	written string      // how the body is written
	wrap    string      // what stands around the body of an answer with a status; empty: nothing
	where   []condition // what the body has to say for this endpoint to be meant
	manual  []condition // what the body says when a hold is to end the payment
	fields  [requestFieldCount][]locator
}

// Request is what an HTTP request asks a provider for. Empty fields were not said.
type Request struct {
	Operations []policy.Operation // those it may be about; a send has one
	Phase      policy.Phase       // Send or Query
	OrderID    string
	RequestID  string // the idempotency key, where one was sent
	ProviderID string
	Keyed      bool  // the provider's optional idempotency key was sent
	Amount     int64 // ISO 4217 minor units; 0: not said; or policy.OddAmount
	Currency   string
	Capture    policy.CaptureMode
	NotifyURL  string // where the request wants its webhooks
}

// HTTPRequest is an HTTP request as far as it matters here.
type HTTPRequest struct {
	Method string
	Path   string
	Header func(name string) string // "" when absent; nil: there are none
	Query  func(name string) string // of the URL; likewise
	Body   []byte

	RawQuery string // the query string as it stands in the URL; for signatures
}

// RequestError says why a request cannot be read. It wraps [ErrUnreadable] where the body is
// no JSON object.
type RequestError struct {
	Status int // the HTTP status that fits: 404 no such path, 405 another method, 400 not readable
	Msg    string
	err    error
}

// Error says what is wrong.
func (e *RequestError) Error() string { return e.Msg }

// Unwrap is the cause, if there is one.
func (e *RequestError) Unwrap() error { return e.err }

type requestField int

const (
	requestOrderID requestField = iota
	requestRequestID
	requestProviderID
	requestAmount
	requestCurrency
	requestKey
	requestNotifyURL
	requestFieldCount
)

var requestFieldNames = [requestFieldCount]string{
	"order_id", "request_id", "provider_id", "amount", "currency", "idempotency_key", "notify_url",
}

// A locator says where a request carries a value.
type locator struct {
	part requestPart
	name string // of a header, of a parameter of the URL, of a segment of the path
	path path   // in the body

	before, after string // of a request: what stands around the value, as in a search
}

type requestPart uint8

const (
	inBody requestPart = iota
	inHeader
	inQuery
	inPath
	inStatus // of an answer: the HTTP status
)

var requestParts = map[string]requestPart{"header": inHeader, "query": inQuery, "path": inPath}

// A condition is a value that has to stand in the body.
type condition struct {
	at   path
	want string
}

// Endpoints lists the provider's HTTP interface; it is empty where the catalogue has none.
func (c *Catalog) Endpoints() []*Endpoint { return slices.Clone(c.endpoints) }

// Carries reports whether requests of the endpoint have a place for an identifier.
func (e *Endpoint) Carries(id policy.Identifier) bool {
	switch id {
	case policy.OrderID:
		return len(e.fields[requestOrderID]) > 0
	case policy.RequestID:
		return len(e.fields[requestRequestID]) > 0
	case policy.ProviderID:
		return len(e.fields[requestProviderID]) > 0
	}
	return false
}

// Wrapped is the body of an answer as the endpoint gives it: a search answers with a list of what it
// found.
func (e *Endpoint) Wrapped(a *policy.Answer, body []byte) []byte {
	if e.wrap == "" || a.Status == "" || a.Status == emptyList {
		return body
	}
	return []byte(strings.Replace(e.wrap, wrapped, string(body), 1))
}

// wrapped stands for the body in what stands around it.
const wrapped = "$body"

// OrderIDSpace names the field in which sends of an operation carry their order id.
// Operations that share it share one set of order ids. Without an endpoint the operation
// has a set of its own.
func (c *Catalog) OrderIDSpace(op policy.Operation) string {
	for _, e := range c.endpoints {
		if e.Phase == policy.Send && slices.Contains(e.Operations, op) {
			for _, l := range e.fields[requestOrderID] {
				return l.name + strings.Join(l.path, ".")
			}
		}
	}
	return "operation " + op.String()
}

// ReadRequest finds the endpoint that a request means, and reads it. The error is a
// [*RequestError]. With status 400 the endpoint is returned nevertheless, the first of its
// path, because its provider answers such a request too.
func (c *Catalog) ReadRequest(h *HTTPRequest) (*Endpoint, Request, error) {
	var here []*Endpoint
	otherMethod := ""
	for _, e := range c.endpoints {
		switch _, fits := e.segments(h.Path); {
		case !fits:
		case e.Method != h.Method:
			otherMethod = e.Method
		default:
			here = append(here, e)
		}
	}
	switch {
	case len(here) == 0 && otherMethod != "":
		return nil, Request{}, &RequestError{Status: 405, Msg: fmt.Sprintf("the endpoint takes another method: %s %s wants %s", h.Method, h.Path, otherMethod)}
	case len(here) == 0:
		return nil, Request{}, &RequestError{Status: 404, Msg: fmt.Sprintf("no endpoint has this path: %s %s", h.Method, h.Path)}
	}
	body, release, err := here[0].open(h)
	if err != nil {
		return here[0], Request{}, &RequestError{Status: 400, Msg: "the endpoint cannot read this request: " + ErrUnreadable.Error(), err: ErrUnreadable}
	}
	defer release()
	for _, e := range here {
		if fulfilled(e.where, body) {
			return e, c.request(e, h, body), nil
		}
	}
	first := here[0].where[0]
	return here[0], Request{}, &RequestError{Status: 400, Msg: fmt.Sprintf("the endpoint cannot read this request: %s is %q", strings.Join(first.at, "."), first.at.text(body))}
}

// open reads the body of a request; a GET needs none.
func (e *Endpoint) open(h *HTTPRequest) (body *fastjson.Value, release func(), err error) {
	switch {
	case e.written == bodyForm:
		body, release, err = parseForm(string(h.Body))
	case e.written == bodyXML:
		body, release, err = parseXML(string(h.Body), nil)
	case h.Method == "GET" && len(strings.TrimSpace(string(h.Body))) == 0:
		body, release, err = parse([]byte("{}"))
	default:
		body, release, err = parseObject(h.Body)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := e.checkKeys(body); err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

// checkKeys refuses a request in which a field that is read stands twice and says two things.
func (e *Endpoint) checkKeys(v *fastjson.Value) error {
	var read keys
	for _, fields := range e.fields {
		for _, l := range fields {
			if l.part == inBody {
				read.add(l.path)
			}
		}
	}
	return read.check(v)
}

func fulfilled(conditions []condition, body *fastjson.Value) bool {
	for _, c := range conditions {
		if c.at.text(body) != c.want {
			return false
		}
	}
	return true
}

func (c *Catalog) request(e *Endpoint, h *HTTPRequest, body *fastjson.Value) Request {
	named, _ := e.segments(h.Path)
	value := func(f requestField) string {
		for _, l := range e.fields[f] {
			if s := l.within(l.text(h, named, body)); s != "" {
				return s
			}
		}
		return ""
	}
	r := Request{
		Operations: e.Operations, Phase: e.Phase, OrderID: value(requestOrderID), RequestID: value(requestRequestID),
		ProviderID: value(requestProviderID), Currency: strings.ToUpper(value(requestCurrency)), NotifyURL: value(requestNotifyURL),
	}
	if r.Currency == "" {
		r.Currency = c.Currency
	}
	if key := value(requestKey); key != "" {
		r.RequestID, r.Keyed = key, true
	}
	if len(e.manual) > 0 && fulfilled(e.manual, body) {
		r.Capture = policy.Manual
	}
	if said := value(requestAmount); said != "" {
		r.Amount = c.asked(said, r.Currency)
	}
	return r
}

// asked reads the amount of a request. Where the catalogue does not know the unit, a whole
// number is taken as it stands and one with decimals as whole units.
func (c *Catalog) asked(said, currency string) int64 {
	unit := c.unitOf(currency)
	if unit == unitUnknown {
		unit = unitMinor
		if strings.Contains(said, ".") {
			unit = unitMajor
		}
	}
	if minor, ok := unit.minor(said, currency); ok && minor > 0 {
		return minor
	}
	return policy.OddAmount
}

func (l *locator) text(h *HTTPRequest, segments map[string]string, body *fastjson.Value) string {
	switch l.part {
	case inHeader:
		if h.Header != nil {
			return h.Header(l.name)
		}
	case inQuery:
		if h.Query != nil {
			return h.Query(l.name)
		}
	case inPath:
		return segments[l.name]
	case inBody:
		return l.path.text(body)
	case inStatus: // of answers only
	}
	return ""
}

// within is what stands between the texts around a value; empty where they do not stand there.
func (l *locator) within(text string) string {
	rest, begins := strings.CutPrefix(text, l.before)
	value, ends := strings.CutSuffix(rest, l.after)
	if !begins || !ends {
		return ""
	}
	return value
}

// segments matches a path, and returns what stands in its named segments.
func (e *Endpoint) segments(in string) (named map[string]string, fits bool) {
	want, got := strings.Split(e.Path, "/"), strings.Split(in, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, w := range want {
		name, isNamed := segmentName(w)
		switch {
		case isNamed && got[i] != "":
			if named == nil {
				named = map[string]string{}
			}
			named[name] = got[i]
		case w != got[i]:
			return nil, false
		}
	}
	return named, true
}

// segmentName reads "{name}".
func segmentName(segment string) (name string, ok bool) {
	name, ok = strings.CutPrefix(segment, "{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, "}")
}
