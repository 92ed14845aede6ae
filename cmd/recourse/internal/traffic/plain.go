package traffic

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// misfit says of an entry that is of another shape what stands where. The error of encoding/json names types of this program.
func misfit(err error) string {
	var e *json.UnmarshalTypeError
	if !as(err, &e) {
		return "broken: " + err.Error()
	}
	found, _, _ := strings.Cut(e.Value, " ")
	return fmt.Sprintf("broken: %s is %s, where %s belongs (character %d of the entry)", cmp.Or(e.Field, "the entry"), cmp.Or(kindsOfJSON[found], found), wanted(e.Type), e.Offset)
}

var kindsOfJSON = map[string]string{"string": "a text", "number": "a number", "object": "an object", "array": "a list", "bool": "true or false"}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Pointer:
		return wanted(t.Elem())
	default:
		return "a whole number"
	}
}

// misquoted says what is wrong with the quotation marks of a row.
func misquoted(e *csv.ParseError) string {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return fmt.Sprintf("broken: a quotation mark stands within a value that does not begin with one, in line %d at byte %d", e.Line, e.Column)
	case errors.Is(e.Err, csv.ErrQuote):
		return fmt.Sprintf("broken: a value that begins with a quotation mark goes on behind another one, or never ends: read up to line %d, byte %d", e.Line, e.Column)
	}
	return "broken: " + e.Err.Error()
}

// ragged says of a row that it has another number of columns than the header.
func ragged(n, named int, separator rune) string {
	if n > named {
		return fmt.Sprintf("broken: %d columns, and the header has %d: a %q within a value needs quotation marks around the value", n, named, separator)
	}
	return fmt.Sprintf("broken: %d columns, and the header has %d", n, named)
}
