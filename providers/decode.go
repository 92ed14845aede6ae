package providers

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// A decoder holds, for one operation and phase, where each field stands in a body, and what a body
// has to carry.
type decoder struct {
	at        [fieldCount][]locator
	carries   []carried
	written   string // how the body is written; empty: JSON
	within    path   // where something stands here, the fields are read in it and nowhere else
	beside    bool   // something is read that does not stand in the body
	keys      keys   // that are read
	queryKeys keys   // of the query string, likewise
	source    string // FILE:LINE of the first block about it; empty: none
}

// carried are fields of which an answer that proves something bears at least one.
type carried []field

// A path is the keys from the body's root to a value. A string on the way is read
// as JSON inside JSON. A key that ends in "]" selects from a list.
type path []string

type field int

const (
	fieldCode field = iota
	fieldSubCode
	fieldStatus
	fieldSubStatus
	fieldMessage
	fieldOrderID
	fieldRequestID
	fieldProviderID
	fieldAmount
	fieldCurrency
	fieldEvent    // the name of what a notice is about
	fieldNotAbout // a value here says that the body is about something else
	fieldPayURL   // from here on: what the shopper has to do next
	fieldDeeplink
	fieldQRCode
	fieldRedirectURL
	fieldToken
	fieldCount
)

var fieldNames = [fieldCount]string{
	"code", "sub_code", "status", "sub_status", "message",
	"order_id", "request_id", "provider_id", "amount", "currency", "event", "not_about",
	"pay_url", "deeplink", "qr_code", "redirect_url", "token",
}

// amountUnit is how a provider writes amounts.
type amountUnit string

const (
	unitUnknown    amountUnit = ""           // never compared
	unitMinor      amountUnit = "minor"      // ISO 4217 minor units
	unitMajor      amountUnit = "major"      // whole units, perhaps with decimals
	unitHundredths amountUnit = "hundredths" // a hundredth of the unit, whatever the currency
)

// ErrUnreadable says that a body is no JSON object.
var ErrUnreadable = errors.New("body is not a readable JSON object")

var parsers fastjson.ParserPool

// Decode reads a raw body into a's fields. A body that is no JSON object (or no form, where the provider
// writes forms), or in which a key that is read stands twice with different values, gives [ErrUnreadable]
// and the fault unreadable in a; fields that are already set and that the body does not hold are kept.
// Set Currency to the payment's beforehand: where neither the body nor the catalogue names one, an amount
// cannot be read without it.
//
// A body that is no evidence, whatever it says, has SetAside in a, and neither code nor status.
func (c *Catalog) Decode(op policy.Operation, phase policy.Phase, body []byte, a *policy.Answer) error {
	return c.DecodeMessage(op, phase, &policy.Message{HTTPStatus: a.HTTPStatus, Body: body}, a)
}

// DecodeMessage is [Catalog.Decode] for a body together with what came beside it.
func (c *Catalog) DecodeMessage(op policy.Operation, phase policy.Phase, m *policy.Message, a *policy.Answer) error {
	return c.DecodeValue(op, phase, m, nil, a)
}

// DecodeValue is [Catalog.DecodeMessage] for a body that was parsed already. A JSON string is read as the
// raw body that it holds.
func (c *Catalog) DecodeValue(op policy.Operation, phase policy.Phase, m *policy.Message, v *fastjson.Value, a *policy.Answer) error {
	_, err := c.decode(op, phase, m, v, a)
	return err
}

func (c *Catalog) decode(op policy.Operation, phase policy.Phase, m *policy.Message, v *fastjson.Value, a *policy.Answer) (policy.ShopperAction, error) {
	a.Phase = phase
	if m.HTTPStatus > 0 {
		a.HTTPStatus = m.HTTPStatus
	}
	d := &c.decoders[op][phase]
	read, release, err := d.open(m, v)
	if err != nil {
		a.Fault = policy.Unreadable
		return policy.ShopperAction{}, err
	}
	defer release()
	if d.text(&read, fieldNotAbout) != "" {
		a.SetAside = "it is about something else than a " + op.String()
		return policy.ShopperAction{}, nil
	}
	r := reading{c: c, d: d, op: op, m: &read, a: a}
	r.fields()
	r.amount()
	r.event()
	r.lacks()
	if r.wrong != "" {
		a.SetAside = r.wrong + said(a)
		a.Code, a.SubCode, a.Status, a.SubStatus = "", "", "", ""
	}
	return d.shopper(&read), nil
}

// said is what a body said that is set aside, for people.
func said(a *policy.Answer) string {
	var parts []string
	for _, p := range []struct{ name, value string }{
		{"status ", a.Status}, {"", a.SubStatus}, {"code ", a.Code}, {"", a.SubCode},
	} {
		if p.value != "" {
			parts = append(parts, p.name+p.value)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (it says " + strings.Join(parts, ", ") + ")"
}

// reading is one body on its way into an answer.
type reading struct {
	c       *Catalog
	d       *decoder
	op      policy.Operation
	m       *message
	a       *policy.Answer
	carried [fieldCount]bool
	wrong   string // why the body is no evidence; the first reason counts
}

func (r *reading) aside(format string, args ...any) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// read returns the value of a field: of its paths the first at which one stands. A value of a kind
// that cannot be compared sets the body aside.
func (r *reading) read(f field, otherwise string) string {
	for _, p := range r.d.at[f] {
		s := p.scalar(r.m, r.a.OrderID)
		switch {
		case s.odd != "":
			if f != fieldMessage {
				r.aside("its %s is %s, which cannot be compared", fieldNames[f], s.odd)
			}
			return otherwise
		case !utf8.ValidString(s.text): // one reader keeps such bytes, and the next replaces them
			if f == fieldMessage {
				return strings.ToValidUTF8(s.text, "\ufffd")
			}
			r.aside("its %s holds bytes that are no UTF-8, which cannot be compared", fieldNames[f])
			return otherwise
		case s.text == emptyList && f != fieldStatus && f != fieldSubStatus: // that a list is empty is a status, and no name
		case s.text != "":
			r.carried[f] = true
			return s.text
		}
	}
	return otherwise
}

// id is read for identifiers: 0 and "0" are none.
func (r *reading) id(f field, otherwise string) string {
	text := r.read(f, "")
	if text == "" || text == "0" {
		r.carried[f] = false
		return otherwise
	}
	return text
}

func (r *reading) fields() {
	a := r.a
	a.OrderID = r.id(fieldOrderID, a.OrderID) // first: lists are selected by it
	a.RequestID = r.id(fieldRequestID, a.RequestID)
	a.ProviderID = r.id(fieldProviderID, a.ProviderID)
	a.Code = r.read(fieldCode, a.Code)
	a.SubCode = r.read(fieldSubCode, a.SubCode)
	a.Status = r.read(fieldStatus, a.Status)
	a.SubStatus = r.read(fieldSubStatus, a.SubStatus)
	if a.Status == emptyList && a.SubStatus == emptyList {
		a.SubStatus = "" // it is said once
	}
	a.Message = r.read(fieldMessage, a.Message)
	if said := r.read(fieldCurrency, ""); !strings.EqualFold(said, a.Currency) && said != "" {
		a.Currency = strings.ToUpper(said)
	}
}

// amount reads the amount in minor units. Where no currency is known it is not read, unless it
// stands in minor units.
func (r *reading) amount() {
	text := r.read(fieldAmount, "")
	if text == "" || r.c.unit == unitUnknown {
		return
	}
	if text == "0" && r.wrong == "" {
		text = r.asked(text)
	}
	currency := cmp.Or(r.a.Currency, r.c.Currency)
	if _, known := policy.Decimals(currency); currency != "" && !known {
		r.aside("its amount is in %q, which is no currency of ISO 4217", currency)
		return
	}
	if minor := r.c.Minor(text, currency); minor != 0 {
		r.a.Amount = minor
	}
}

// Minor reads an amount as the provider writes it in a body, but for 0, whose meaning depends on the rest of the body: in ISO 4217 minor units, or
// [policy.OddAmount]. It is 0 where the amount cannot be read: of no known currency, or in a unit that is not known.
func (c *Catalog) Minor(text, currency string) int64 {
	currency = cmp.Or(currency, c.Currency)
	if _, known := policy.Decimals(currency); c.unit == unitUnknown || currency != "" && !known {
		return 0
	}
	unit := c.unitOf(currency)
	switch minor, ok := unit.minor(text, currency); {
	case !ok || minor <= 0:
		return policy.OddAmount
	case currency != "" || unit == unitMinor:
		return minor
	}
	return 0
}

// asked is for a body that says first that nothing was paid: unless it reports a success, the amount
// that was asked for is the one to compare. It stands at a later path.
func (r *reading) asked(paid string) string {
	for _, mode := range policy.All[policy.CaptureMode]() {
		f := r.c.Judge(&policy.Payment{Operation: r.op, Capture: mode}, r.a)
		if f.Effect == policy.Executed && f.Class != policy.Authorized { // of a hold nothing is paid yet
			return paid
		}
	}
	for _, p := range r.d.at[fieldAmount] {
		if s := p.scalar(r.m, r.a.OrderID); s.odd == "" && s.text != "" && s.text != "0" {
			return s.text
		}
	}
	return paid
}

// lacks sets a body aside that proves something and does not carry what the catalogue says that it
// must. Two answers to our own send may be nameless, for the call pairs them: a refusal at the door,
// and a bare code of a provider whose resources bear a status.
func (r *reading) lacks() {
	if r.wrong != "" || len(r.d.carries) == 0 {
		return
	}
	bare := r.a.Status == "" && len(r.c.Statuses) > 0
	needed := false
	for _, mode := range policy.All[policy.CaptureMode]() { // the payment's is not known here
		f := r.c.Judge(&policy.Payment{Operation: r.op, Capture: mode}, r.a)
		needed = needed || f.Effect != policy.Unknown && !(r.a.Phase == policy.Send && (f.Stage == policy.Door || bare))
	}
	if !needed {
		return
	}
	for _, fields := range r.d.carries {
		if !slices.ContainsFunc(fields, func(f field) bool { return r.carried[f] }) {
			r.aside("it carries no %s", fields)
		}
	}
}

// String lists the fields, for a sentence.
func (c carried) String() string {
	var names []string
	for _, f := range c {
		names = append(names, fieldNames[f])
	}
	return strings.Join(names, " or ")
}

// text returns the first value that is there and not empty, else the empty text.
func (d *decoder) text(m *message, f field) string {
	for _, l := range d.at[f] {
		if s := l.scalar(m, "").text; s != "" {
			return s
		}
	}
	return ""
}

// unitOf is how the provider writes amounts of a currency.
func (c *Catalog) unitOf(currency string) amountUnit {
	if u, departs := c.units[strings.ToUpper(currency)]; departs {
		return u
	}
	return c.unit
}

// minor turns an amount in the provider's unit into minor units. ok is false when
// the text is no amount, or no whole number of minor units.
func (u amountUnit) minor(text, currency string) (minor int64, ok bool) {
	decimals := 0
	exp, known := policy.Decimals(currency)
	if !known {
		exp = 2 // of no currency that is known; the result is not compared
	}
	switch u {
	case unitMajor:
		decimals = exp
	case unitHundredths:
		decimals = exp - 2
	default: // minor units already
	}
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	digits := whole + fraction
	shift := decimals - len(fraction)
	for ; shift < 0; shift++ {
		if !strings.HasSuffix(digits, "0") {
			return 0, false
		}
		digits = digits[:len(digits)-1]
	}
	for _, r := range digits {
		if r < '0' || r > '9' || minor > (math.MaxInt64-9)/10 {
			return 0, false
		}
		minor = minor*10 + int64(r-'0')
	}
	for ; shift > 0; shift-- {
		if minor > math.MaxInt64/10 {
			return 0, false
		}
		minor *= 10
	}
	return minor, digits != ""
}

// units is the reverse of minor, for bodies that we write ourselves.
func (u amountUnit) units(minor int64, currency string) string {
	exp, _ := policy.Decimals(currency)
	switch u {
	case unitHundredths:
		for ; exp < 2; exp++ {
			minor *= 10
		}
		for ; exp > 2; exp-- {
			minor /= 10
		}
	case unitMajor:
		unit := int64(1)
		for range exp {
			unit *= 10
		}
		if exp > 0 {
			return fmt.Sprintf("%d.%0*d", minor/unit, exp, minor%unit)
		}
	default: // minor units already
	}
	return fmt.Sprint(minor)
}
