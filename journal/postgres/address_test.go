package postgres

import (
	"context"
	"strings"
	"testing"
)

// A wrong address is no reason to repeat what stands in it: a password put into the wrong place is one yet.
func TestAWrongAddressIsNotRepeated(t *testing.T) {
	server := server.URL()
	for address, want := range map[string]string{
		"postgres://u:p@h/x?sslmode=secret":                    "the parameter sslmode is wrong",
		"postgres://u:p@h/x?connect_timeout=secret&a=1":        "the parameter connect_timeout is wrong",
		"postgres://u:p@h/x?pool_max_conns=secret":             "the parameter pool_max_conns is wrong",
		"postgres://u:p@h/x?target_session_attrs=secret":       "the parameter target_session_attrs is wrong",
		"postgres://u:p@h/x?default_query_exec_mode=secret":    "the parameter default_query_exec_mode is wrong",
		"postgres://u:p@h/x?min_protocol_version=secret":       "the parameter min_protocol_version is wrong",
		"postgres://u:p@h/x?sslrootcert=/secret&sslmode=allow": "the parameter sslrootcert is wrong: no such file",
		"postgres://u:p@h:secret/x":                            "is not repeated",
		"postgres://u:secret@secret@h:x/x":                     "is not repeated",
		"postgres://u:sec%ret@h/x":                             "is not repeated",
		"host=h password = secret port=secret":                 "is not repeated",
		"service=secret":                                       "is not repeated",
		server + "&statement_timeout=secret":                   "statement_timeout",
		server + "&options=-c%20statement_timeout%3Dsecret":    "statement_timeout",
		server + "&search_path=public&TimeZone=utc&x=secret":   `"x"`,
	} {
		j, err := Open(context.Background(), address, &Options{Schema: "nowhere"})
		if err == nil {
			_ = j.Close()
			t.Errorf("%s was opened", address)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(strings.ReplaceAll(err.Error(), `"x"`, ""), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
