// Package console is the admin handler as web pages: a few kilobytes of HTML and one style sheet, without a script. It asks the
// handler for its JSON as any tool does, so a page shows and does what the handler shows and does.
package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Paths are those that the pages are served at. They link to each other relatively, so they may stand under a prefix.
var Paths = []string{"/{$}", "/flow", "/providers", "/trail", "/console.css"}

// Pages are the paths of requests that are judged here, and not by the handler.
var Pages = []string{"/", "/flow", "/providers", "/trail", "/console.css"}

// Bounds of the pages.
const (
	pageSize    = 100
	longestForm = 64 << 10 // bytes
)

//go:embed parts
var parts embed.FS

// templates are parsed when the first page is served: a program that serves none does not pay for them.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions()).ParseFS(parts, "parts/*.html"))
})

var style = sync.OnceValue(func() []byte {
	text, err := parts.ReadFile("parts/console.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return text
})

// pages serves the pages over a handler.
type pages struct {
	over  http.Handler
	cross *http.CrossOriginProtection
}

// page is what every page shows.
type page struct {
	Title string
	Here  string // the path of the page
	Now   time.Time
	Fault *fault // why what was asked for was not done
	View  any
}

// Handler serves the pages. over answers what they are made of: the admin handler.
func Handler(over http.Handler) http.Handler {
	p := &pages{over: over, cross: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	for at, serve := range map[string]func(*http.Request) (*page, error){"/{$}": p.list, "/flow": p.flow, "/providers": p.providers, "/trail": p.trail} {
		mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodGet, r.Method == http.MethodHead:
				shown, err := serve(r)
				p.answer(w, r, shown, err)
			case r.Method == http.MethodPost && at == "/flow":
				p.act(w, r)
			default:
				p.answer(w, r, nil, onlyLooks(w, r))
			}
		})
	}
	mux.HandleFunc("/console.css", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			p.answer(w, r, nil, onlyLooks(w, r))
			return
		}
		guard(w.Header())
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(style()) // the client may be gone
	})
	return mux
}

// onlyLooks refuses a method.
func onlyLooks(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Allow", "GET, HEAD")
	return &fault{Status: http.StatusMethodNotAllowed, Message: fmt.Sprintf("%s %s: the method must be GET or HEAD", r.Method, r.URL.Path)}
}

// guard sets what holds for all pages: nothing runs in them, nothing from elsewhere is loaded, no page frames them, and no
// copy of them stays in a cache. Referrer-Policy is not no-referrer: browsers then send a form with the origin "null".
func guard(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// answer writes a page, or one that says why there is none.
func (p *pages) answer(w http.ResponseWriter, r *http.Request, shown *page, err error) {
	status := http.StatusOK
	if err != nil {
		f := asFault(err)
		shown = &page{Title: http.StatusText(f.Status), Fault: f}
	}
	if shown.Fault != nil {
		status = shown.Fault.Status
	}
	name := "failed"
	if shown.View != nil {
		name = map[string]string{"/": "list", "/flow": "flow", "/providers": "providers", "/trail": "trail"}[r.URL.Path]
	}
	shown.Here = r.URL.Path
	var text bytes.Buffer
	guard(w.Header())
	if err := templates().ExecuteTemplate(&text, name, shown); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // the client may be gone
}

// act does what a form says, and shows the flow again: as it then is, or with what was typed and why it was refused.
func (p *pages) act(w http.ResponseWriter, r *http.Request) {
	f, err := p.readForm(w, r)
	if err != nil {
		p.answer(w, r, nil, err)
		return
	}
	var done struct {
		Proposal string
	}
	if err = p.ask(r, http.MethodPost, f.path(), nil, f.body(), &done); err == nil {
		what := f.verb()
		if done.Proposal != "" {
			what = "propose"
		}
		guard(w.Header())
		w.Header().Set("Location", "flow?"+url.Values{"id": {f.Flow}, "done": {what}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	refused := asFault(err)
	shown, err := p.flowPage(r, f.Flow, f)
	if err == nil {
		shown.Fault = refused
	} else {
		err = refused
	}
	p.answer(w, r, shown, err)
}

// readForm reads the form of a page of ours. A browser says with each form where it comes from; a form that does not is
// refused, too.
func (p *pages) readForm(w http.ResponseWriter, r *http.Request) (*form, error) {
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return nil, &fault{Status: http.StatusForbidden, Message: "the request has neither Origin nor Sec-Fetch-Site, which every browser sends with a form; " +
			"a program uses POST /flows/{id}/resolve and /withdraw, with JSON"}
	}
	if err := p.cross.Check(r); err != nil {
		return nil, &fault{Status: http.StatusForbidden, Message: "the form does not come from a page of this server: " + err.Error()}
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return nil, &fault{Status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("Content-Type is %q; it must be application/x-www-form-urlencoded", kind)}
	}
	r.Body = http.MaxBytesReader(w, r.Body, longestForm)
	if err := r.ParseForm(); err != nil {
		return nil, &fault{Status: http.StatusBadRequest, Message: "the form cannot be read: " + err.Error()}
	}
	return formOf(r.PostForm)
}
