package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// strictCasing makes names of properties count as they are spelled. Else "AMOUNT" is taken for "amount", and of both the last one counts.
var strictCasing = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

// jsonFormat reads and writes JSON as the library does, but for objects that have a name twice.
var jsonFormat = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}

func unmarshal(data []byte, v any) error {
	if err := huma.DefaultJSONFormat.Unmarshal(data, v); err != nil { // it bounds the depth, too
		return err
	}
	if _, first := v.(*any); !first { // the library reads a body twice
		return nil
	}
	return namedOnce(json.NewDecoder(bytes.NewReader(data)), true)
}

// namedOnce refuses an object that has a name twice: which of two amounts counts would depend on who reads it. A provider's
// body is its own matter.
func namedOnce(d *json.Decoder, top bool) error {
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') && open != json.Delim('[') {
		return nil
	}
	seen := map[any]bool{}
	for d.More() {
		if open == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if seen[name] {
				return fmt.Errorf("%q is there twice", name)
			}
			seen[name] = true
			if top && name == "body" {
				var skipped json.RawMessage
				if err := d.Decode(&skipped); err != nil {
					return err
				}
				continue
			}
		}
		if err := namedOnce(d, false); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// spelled refuses names that two programs could take for one or for two: letters that were lost on the way, as of text that is not
// UTF-8, would make one payment of two; a line break that only one run of a program leaves behind would make two of one.
func (b *StartBody) spelled() error {
	var wrong []error
	for _, name := range []struct{ field, text string }{
		{"merchant", b.Merchant}, {"payment_key", b.PaymentKey}, {"order_id", b.OrderID}, {"request_id", b.RequestID}, {"provider_id", b.ProviderID},
	} {
		var why string
		switch {
		case strings.ContainsRune(name.text, utf8.RuneError):
			why = "holds U+FFFD, which stands for what could not be read; it must be UTF-8"
		case strings.ContainsFunc(name.text, unicode.IsControl):
			why = "holds a control character, such as a line break"
		case strings.TrimSpace(name.text) != name.text:
			why = "begins or ends with a space"
		default:
			continue
		}
		wrong = append(wrong, &huma.ErrorDetail{Message: why, Location: "body." + name.field, Value: name.text})
	}
	if len(wrong) == 0 {
		return nil
	}
	return huma.Error422UnprocessableEntity("validation failed", wrong...)
}

// shortened keeps an error from repeating what it was sent: programs log errors, and the rest of a request is none of theirs.
func shortened(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	for _, detail := range e.Errors {
		detail.Message = cut(detail.Message, 500)
		switch value := detail.Value.(type) {
		case string:
			if detail.Value = cut(value, 100); detail.Location == "body" {
				detail.Value = nil
			}
		case map[string]any, []any, json.RawMessage:
			detail.Value = nil
		}
	}
	return e, nil
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
