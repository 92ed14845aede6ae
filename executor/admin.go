package executor

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/console"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
)

// Bounds of the admin handler.
const (
	largestBody   = 64 << 10 // bytes of a request
	longestWord   = 2000     // bytes of who and why
	adminPage     = 100      // flows in a list, unless it asks for another number
	largestPage   = 1000
	heavyAtOnce   = 2                // exports and backups at a time
	adminTimeout  = 30 * time.Second // of a write
	youngestPrune = 24 * time.Hour   // no younger flow is pruned by hand
)

// AdminHandler serves the flows of the journal to people, as pages, and to their tools, as JSON. It
// checks no identity: serve it on a port that only they reach, behind what knows who they are.
// docs/operate.md describes pages, requests and answers.
//
//	GET  /                        the console: pages without a script, which show and do what follows
//	GET  /flows                   unsettled flows, by ?standing= &merchant= &provider= &older_than= &after= &limit=
//	GET  /flows/{id}              one, with its story, what would end its doubt, and who did what to it
//	POST /flows/{id}/resolve      {"order_id","request_id","effect","who","why","override","version","propose"}
//	POST /flows/{id}/confirm      {"proposal","who","why","reject","version"}, of a second person
//	POST /flows/{id}/withdraw     {"who","why","version"}
//	GET  /export                  flows as JSON lines, by the same filter
//	GET  /counts                  unsettled flows, by standing, merchant and provider
//	GET  /breakers                breakers that are not closed, budgets that are not full, and calls under way
//	GET  /audit                   who did what, the first first
//	POST /prune                   {"older_than","who","why"}
//	GET  /backup                  a copy of the journal, if it can make one
//
// Who and why stand in the journal before anything is done, and are never deleted. A resolution that
// contradicts a proof is refused with the proof, unless it overrides it. version is that of the row that
// the person has seen: if the flow has changed since, nothing is done.
//
// Config.TwoPersons makes of a resolve a proposal, which a second person confirms. Config.AdminHosts says which names
// the handler is reached by, and Config.AdminWho who asks.
func (x *Executor) AdminHandler() http.Handler {
	a := &admin{x: x, heavy: make(chan struct{}, heavyAtOnce)}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]struct {
		method string
		with   func(*http.Request) (any, error)
	}{
		"/flows":               {http.MethodGet, a.list},
		"/flows/{id}":          {http.MethodGet, a.show},
		"/flows/{id}/resolve":  {http.MethodPost, a.resolve},
		"/flows/{id}/withdraw": {http.MethodPost, a.withdraw},
		"/flows/{id}/confirm":  {http.MethodPost, a.confirm},
		"/counts":              {http.MethodGet, a.counts},
		"/breakers":            {http.MethodGet, a.breakers},
		"/audit":               {http.MethodGet, a.audit},
		"/prune":               {http.MethodPost, a.prune},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !allowed(w, r, serve.method) {
				return
			}
			answer, err := serve.with(r)
			if err != nil {
				a.refuse(w, err)
				return
			}
			status := http.StatusOK
			if _, waits := answer.(*proposed); waits {
				status = http.StatusAccepted // it is not done
			}
			writeAdmin(w, status, answer)
		})
	}
	mux.HandleFunc("/export", a.heavily(a.export))
	mux.HandleFunc("/backup", a.heavily(a.backup))
	pages := console.Handler(mux)
	for _, path := range console.Paths {
		mux.Handle(path, pages)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeRefusal(w, refusal(http.StatusNotFound, "there is no %s; there are / (a page for people), /flows, /flows/{id}, /flows/{id}/resolve, /flows/{id}/confirm, /flows/{id}/withdraw, /export, /counts, /breakers, /audit, /prune and /backup", r.URL.Path))
	})
	return a.door(mux)
}

// admin is the handler's state.
type admin struct {
	x     *Executor
	heavy chan struct{}
}

// allowed answers a request of another method.
func allowed(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.Method == method {
		return true
	}
	w.Header().Set("Allow", method)
	writeRefusal(w, refusal(http.StatusMethodNotAllowed, "%s %s: the method must be %s", r.Method, r.URL.Path, method))
	return false
}

func writeAdmin(w http.ResponseWriter, status int, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		status, text = http.StatusInternalServerError, fmt.Appendf(nil, `{"error":%q}`, err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone
}

// journal is the executor's, or an error where it has none.
func (a *admin) journal() (journal.Journal, error) {
	if j := a.x.cfg.Journal; j != nil {
		return j, nil
	}
	return nil, refusal(http.StatusNotImplemented, "Config.Journal is nil: flows are in memory only, and nothing would remember who did what")
}

// heavily serves a request that reads the whole journal, a few at a time.
func (a *admin) heavily(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !allowed(w, r, http.MethodGet) {
			return
		}
		select {
		case a.heavy <- struct{}{}:
			defer func() { <-a.heavy }()
		default:
			w.Header().Set("Retry-After", "10")
			writeRefusal(w, refusal(http.StatusTooManyRequests, "%d exports or backups are under way; at most that many run at a time", heavyAtOnce))
			return
		}
		if err := serve(w, r); err != nil {
			a.refuse(w, err)
		}
	}
}

// readBody reads that of a POST. Unknown keys, text after the object and other types than JSON are
// refused. The type keeps pages of a browser out: they cannot send it to another site unasked.
func readBody(r *http.Request, into any) error {
	if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		return refusal(http.StatusUnsupportedMediaType, "Content-Type is %q; it must be application/json", got)
	}
	if len(r.URL.RawQuery) > 0 {
		return refusal(http.StatusBadRequest, "a POST takes no parameters in its URL, but has %q", r.URL.RawQuery)
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, largestBody+1))
	switch {
	case err != nil:
		return refusal(http.StatusBadRequest, "the body cannot be read: %s", err)
	case len(text) > largestBody:
		return refusal(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", largestBody)
	}
	if err := stored.Strictly(text, into); err != nil {
		return refusal(http.StatusBadRequest, "the body must be one JSON object: %s", err)
	}
	return nil
}

// query is a filter of flows and a page of them, as a URL has it.
type query struct {
	journal.Filter
	after journal.Cursor
	limit int
	ends  bool // with what would end each wait
}

// standingWords are the values of ?standing=.
var standingWords = append(slices.Clone(standings), "unclassified", "any")

// readQuery reads the parameters of a list. All mistakes are reported at once.
func (a *admin) readQuery(r *http.Request, known ...string) (q query, err error) {
	q.limit = adminPage
	var wrong []string
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for key, values := range r.URL.Query() {
		switch {
		case !slices.Contains(known, key):
			mistake("there is no parameter %q; there are %s", key, strings.Join(known, ", "))
			continue
		case len(values) > 1 && key != "standing":
			mistake("%s is given %d times", key, len(values))
		}
		a.setParameter(&q, key, values, mistake)
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return q, refusal(http.StatusBadRequest, "%s", strings.Join(wrong, "; "))
	}
	if len(q.Standings) == 0 {
		q.Standings = unsettled
	}
	return q, nil
}

// setParameter takes one parameter of a list.
func (a *admin) setParameter(q *query, key string, values []string, mistake func(format string, args ...any)) {
	switch value := values[0]; key {
	case "standing":
		for _, word := range values {
			if !q.addStanding(word) {
				mistake("standing is %q; it must be one of %s", word, strings.Join(standingWords, ", "))
			}
		}
	case "merchant":
		q.Merchant = value
	case "provider":
		q.Provider = value
	case "older_than":
		age, err := time.ParseDuration(value)
		if err != nil || age < 0 {
			mistake("older_than is %q; it must be a duration such as 90m or 36h", value)
		}
		q.Before = a.x.clock.stamp().Add(-age)
	case "after":
		if err := q.readCursor(value); err != nil {
			mistake("after is %q; it must be the next of an earlier list", value)
		}
	case "ends":
		if q.ends = value == "true"; !q.ends && value != "false" {
			mistake("ends is %q; it must be true or false", value)
		}
	case "limit":
		if n, err := strconv.Atoi(value); err != nil || n < 1 || n > largestPage {
			mistake("limit is %q; it must be a number from 1 to %d", value, largestPage)
		} else {
			q.limit = n
		}
	}
}

func (q *query) addStanding(word string) bool {
	switch {
	case word == "any":
		q.Standings = append(append(q.Standings, standings...), standsUnknown)
	case word == "unclassified":
		q.Standings = append(q.Standings, standsUnknown)
	case slices.Contains(standings, word):
		q.Standings = append(q.Standings, word)
	default:
		return false
	}
	return true
}

// A cursor in a URL is "MICROSECONDS.ID".
func (q *query) readCursor(text string) error {
	var micros int64
	if _, err := fmt.Sscanf(text, "%d.%s", &micros, &q.after.ID); err != nil {
		return err
	}
	q.after.Due = time.UnixMicro(micros).UTC()
	return nil
}

func writeCursor(r *journal.Row) string { return fmt.Sprintf("%d.%s", r.Since.UnixMicro(), r.ID) }
