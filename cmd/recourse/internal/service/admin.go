package service

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/journal"
)

// administer serves the executor's admin handler to who may look and settle. It knows no callers: of one that may act for some merchants
// the calls are let through that are about those alone.
func (s *Service) administer(w http.ResponseWriter, r *http.Request, c *access.Caller) {
	verb := access.Look
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		verb = access.Settle
	}
	if c.Unknown() {
		unauthorized(w)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/admin")
	why := ""
	switch {
	case !c.May(verb):
		why = mayNot(verb)
	case c.OfAll():
	case path == "/flows":
		if named := r.URL.Query()["merchant"]; len(named) != 1 || named[0] == "" || !c.Of(named[0]) { // an empty name is any merchant's
			why = "this caller may not see the flows of all merchants: ?merchant= must name one of its own; flows without a merchant are seen one by one"
		}
	default:
		id, isFlow := flowOf(path)
		if !isFlow || r.URL.RawPath != "" { // an escaped slash is read in two ways
			why = "that is about all merchants, and this caller may act for some"
			break
		}
		row, err := s.o.Journal.Get(r.Context(), id)
		if err != nil && !errors.Is(err, journal.ErrNotFound) {
			adminError(w, http.StatusServiceUnavailable, s.failed(err).Error())
			return
		}
		if err != nil || row.Damaged != nil || !c.Of(row.Key.Merchant) {
			adminError(w, http.StatusNotFound, "there is no flow "+id)
			return
		}
	}
	if why != "" {
		s.refusal(c, "admin")
		adminError(w, http.StatusForbidden, why)
		return
	}
	s.admin.ServeHTTP(w, s.with(r, c))
}

// person is who asks, for the audit trail: the name of the caller in the file of callers.
func person(r *http.Request) (string, error) { return callerOf(r.Context()).Name(), nil }

// flowOf is the flow that a path of the admin handler is about.
func flowOf(path string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/flows/")
	id, do, _ := strings.Cut(rest, "/")
	return id, ok && id != "" && (do == "" || do == "resolve" || do == "confirm" || do == "withdraw") && !strings.HasSuffix(rest, "/")
}

// adminError is an error in the form of the admin handler's.
func adminError(w http.ResponseWriter, status int, why string) {
	text, err := json.Marshal(map[string]string{"error": why})
	if err != nil {
		panic(err) // texts
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
