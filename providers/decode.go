package providers

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// A decoder holds, for one operation and phase, where each field stands in a body.
type decoder [fieldCount][]path

// A path is the keys from the body's root to a value. A string on the way is read
// as JSON inside JSON.
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
	"order_id", "request_id", "provider_id", "amount", "currency", "not_about",
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
var ErrUnreadable = errors.New("body is not a JSON object")

var parsers fastjson.ParserPool

// Decode reads a raw body into a's fields. A body that is no JSON object gives
// [ErrUnreadable] and the fault unreadable in a; fields that are already set and
// that the body does not hold are kept. Set Currency to the payment's beforehand: where
// neither the body nor the catalogue names one, an amount cannot be read without it.
func (c *Catalog) Decode(op policy.Operation, phase policy.Phase, body []byte, a *policy.Answer) error {
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(body)
	if err != nil {
		a.Phase, a.Fault = phase, policy.Unreadable
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return c.DecodeValue(op, phase, v, a)
}

// DecodeValue is [Catalog.Decode] for a body that was parsed already. A JSON string
// is read as the raw body that it holds.
func (c *Catalog) DecodeValue(op policy.Operation, phase policy.Phase, v *fastjson.Value, a *policy.Answer) error {
	if v.Type() == fastjson.TypeString {
		return c.Decode(op, phase, v.GetStringBytes(), a)
	}
	a.Phase = phase
	if v.Type() != fastjson.TypeObject {
		a.Fault = policy.Unreadable
		return ErrUnreadable
	}
	d := &c.decoders[op][phase]
	if d.text(v, fieldNotAbout, "") != "" {
		return nil // it says nothing of this operation
	}
	a.Code = d.text(v, fieldCode, a.Code)
	a.SubCode = d.text(v, fieldSubCode, a.SubCode)
	a.Status = d.text(v, fieldStatus, a.Status)
	a.SubStatus = d.text(v, fieldSubStatus, a.SubStatus)
	a.Message = d.text(v, fieldMessage, a.Message)
	a.OrderID = d.text(v, fieldOrderID, a.OrderID)
	a.RequestID = d.text(v, fieldRequestID, a.RequestID)
	a.ProviderID = d.text(v, fieldProviderID, a.ProviderID)
	a.Currency = d.text(v, fieldCurrency, a.Currency)
	if said := d.text(v, fieldAmount, ""); said != "" && c.unit != unitUnknown {
		currency := a.Currency
		if currency == "" {
			currency = c.Currency
		}
		switch minor, ok := c.unit.minor(said, currency); {
		case ok && minor > 0 && (currency != "" || c.unit == unitMinor):
			a.Amount = minor
		case !ok || minor <= 0:
			a.Amount = policy.OddAmount
		}
	}
	return nil
}

// text returns the first value that is there and not empty, else otherwise.
func (d *decoder) text(v *fastjson.Value, f field, otherwise string) string {
	for _, p := range d[f] {
		if s := p.text(v); s != "" {
			return s
		}
	}
	return otherwise
}

func (p path) text(v *fastjson.Value) string {
	for i, key := range p {
		if v = v.Get(key); v == nil {
			return ""
		}
		if rest := p[i+1:]; len(rest) > 0 && v.Type() == fastjson.TypeString {
			return rest.nested(v.GetStringBytes())
		}
	}
	switch v.Type() {
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		return string(v.MarshalTo(nil))
	default:
		return ""
	}
}

// nested reads JSON that stands in a string.
func (p path) nested(raw []byte) string {
	parser := parsers.Get()
	defer parsers.Put(parser)
	v, err := parser.ParseBytes(raw)
	if err != nil {
		return ""
	}
	return p.text(v)
}

// minor turns an amount in the provider's unit into minor units. ok is false when
// the text is no amount, or no whole number of minor units.
func (u amountUnit) minor(text, currency string) (minor int64, ok bool) {
	decimals := 0
	switch exp := policy.Exponent(currency); u {
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
	exp := policy.Exponent(currency)
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
