package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// configOf reads the address of a database. Errors of pgx repeat it, but for what they know as a password, and a wrong value of a parameter may
// be one: so the error says which parameter is wrong, and no value.
func configOf(address string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err == nil {
		return config, nil
	}
	why := "pgxpool.ParseConfig says why, and repeats a part of it"
	if at, wrong := url.Parse(address); wrong == nil {
		for _, name := range slices.Sorted(maps.Keys(at.Query())) {
			without := at.Query()
			without.Del(name)
			rest := *at
			rest.RawQuery = without.Encode()
			if _, still := pgxpool.ParseConfig(rest.String()); still == nil {
				why = "the parameter " + name + " is wrong"
				break
			}
		}
	}
	if file := (*fs.PathError)(nil); errors.As(err, &file) {
		why += ": " + file.Err.Error()
	}
	return nil, fmt.Errorf("postgres: the address of the database cannot be read, and is not repeated, for a password may stand in it; %s", why)
}

// shortestSecret is the length from which on a value may be one. A shorter one stands in many a word.
const shortestSecret = 4

// withoutValues is an error without the values of the address's parameters, which the server repeats where it refuses one.
func withoutValues(err error, address string) error {
	at, wrong := url.Parse(address)
	if err == nil || wrong != nil {
		return err
	}
	text := err.Error()
	for _, values := range at.Query() {
		for _, value := range values {
			for field := range strings.FieldsSeq(value) { // -c name=value
				if _, set, isSet := strings.Cut(field, "="); isSet {
					text = concealedIn(text, set)
				}
			}
			text = concealedIn(text, value)
		}
	}
	return &concealed{text, err}
}

func concealedIn(text, value string) string {
	if len(value) < shortestSecret {
		return text
	}
	return strings.ReplaceAll(text, value, "…")
}

// concealed is an error with another text.
type concealed struct {
	text  string
	cause error
}

// Error implements error.
func (e *concealed) Error() string { return e.text }

// Unwrap gives the cause.
func (e *concealed) Unwrap() error { return e.cause }
