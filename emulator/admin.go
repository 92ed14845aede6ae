package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

const adminPath = "/_emulator/"

func isAdmin(path string) bool { return strings.HasPrefix(path, adminPath) }

// listed is an endpoint as /_emulator/endpoints shows it.
type listed struct {
	Method     string             `json:"method"`
	Path       string             `json:"path"`
	Phase      policy.Phase       `json:"phase"`
	Operations []policy.Operation `json:"operations"`
}

// adminHandler serves the ledger, the orders and the endpoints as JSON.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+adminPath+"ledger", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, s.provider.core.Account(time.Now()))
	})
	mux.HandleFunc("GET "+adminPath+"orders/{id...}", func(w http.ResponseWriter, r *http.Request) {
		o, ok := s.provider.core.Order(time.Now(), r.PathValue("id"))
		if !ok {
			problem(w, http.StatusNotFound, "no call named this order: "+r.PathValue("id"))
			return
		}
		writeJSON(w, o)
	})
	mux.HandleFunc("GET "+adminPath+"endpoints", func(w http.ResponseWriter, _ *http.Request) {
		all := []listed{}
		for _, e := range s.provider.catalog.Endpoints() {
			all = append(all, listed{e.Method, e.Path, e.Phase, e.Operations})
		}
		writeJSON(w, all)
	})
	mux.HandleFunc("GET "+adminPath, func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "there are "+adminPath+"ledger, "+adminPath+"orders/ORDER and "+adminPath+"endpoints")
	})
	return mux
}

func writeJSON(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(what) // the client may have left
}
