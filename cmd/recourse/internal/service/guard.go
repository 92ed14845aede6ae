package service

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/internal/origin"
)

// bodyTime is how long a request's body may take, of a batch each part of it. A program that sends a byte a minute must not
// keep a connection, least of all one without a token.
const bodyTime = 10 * time.Second

// probes are the paths that need no token.
var probes = map[string]bool{"/healthz": true, "/readyz": true}

// ServeHTTP serves the interface.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Cache-Control"] = noStore
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a recorder has none
	}
	var c *access.Caller
	if !probes[r.URL.Path] {
		if why := s.fromPage(r); why != "" {
			writeProblem(w, http.StatusForbidden, why)
			return
		}
		if c = s.caller(r); c == nil {
			unauthorized(w)
			return
		}
	}
	switch {
	case r.URL.Path == "/v1/decide": // the one that is called most: not through reflection
		s.decide(w, r, c)
		return
	case strings.HasPrefix(r.URL.Path, "/admin/") && s.admin != nil && s.o.Access.Now().Any(access.Look|access.Settle):
		s.administer(w, r, c)
		return
	case !strings.HasPrefix(r.URL.Path, "/v1/"):
	case r.Method == http.MethodHead: // it would take a command, and could not hand it over
		s.elsewhere(w, r)
		return
	case r.Method == http.MethodPost && kindOf(r) != "application/json":
		writeProblem(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
		return
	}
	if c != nil {
		r = s.with(r, c)
	}
	s.mux.ServeHTTP(w, r)
}

const noToken = "the request has no token, or another one"

// unauthorized answers who has not shown who it is.
func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	writeProblem(w, http.StatusUnauthorized, noToken)
}

// noStore keeps caches from answering: a step that is given twice is carried out twice.
var noStore = []string{"no-store"}

// kindOf is the type of a request's body, without parameters.
func kindOf(r *http.Request) string {
	kind := r.Header.Get("Content-Type")
	if kind != "application/json" && kind != lines {
		kind, _, _ = mime.ParseMediaType(kind)
	}
	return kind
}

// fromPage says why a request may come from a web page, which a browser on this machine lets call loopback as well: it could
// hand in a webhook as verified. Empty: it does not. A page of another origin is named by the browser. One whose name resolves to loopback looks
// like ours, but for the name; where callers show a token or a certificate it has none.
func (s *Service) fromPage(r *http.Request) string {
	if origin.OfAnotherSite(r) {
		return "the request is a web page's"
	}
	if s.o.Access.Now().Open() && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0) && !origin.Local(r.Host) {
		return "Host must be localhost or an IP address where callers have no token; --token-file allows other names"
	}
	return ""
}

// elsewhere answers what no path and method match.
func (s *Service) elsewhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if _, pattern := s.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		writeProblem(w, http.StatusNotFound, "there is no "+r.URL.Path)
		return
	}
	methods := strings.Join(allowed, ", ")
	w.Header().Set("Allow", methods)
	writeProblem(w, http.StatusMethodNotAllowed, r.Method+" "+r.URL.Path+": the method must be "+methods)
}
