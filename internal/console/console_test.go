package console_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/console"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// hostile are texts that break pages.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</td></table></main><form action="https://evil.invalid/">`, `javascript:alert(1)`,
	"a\u202egnp.exe", "\u2066a\u2069\u200b\u00a0b\u3164", strings.Repeat("é", 5_000), "Z" + strings.Repeat("\u0301", 300), "a\x00b\nc\x1b[2J", "\xff\xfe", "../../flows", "..", "?#%2f&amp;'\"`",
	"{{.}}", "]]>", "مرحبا", strings.Repeat("W", 10_000),
}

// api is an admin handler whose every text is one and the same.
type api struct {
	text  string
	story string
	posts []map[string]any
	paths []string
	fails int
}

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.paths = append(a.paths, r.Method+" "+r.URL.String())
	t := a.text
	line := map[string]any{"flow": t, "standing": "in_doubt", "since": now.Add(-time.Hour), "version": 3, "provider": t, "merchant": t, "operation": "pay", "payment_key": t,
		"ends": []any{map[string]any{"order_id": t, "request_id": t, "what": "in doubt: " + t, "by": []string{"a query " + t}}}}
	trail := []any{map[string]any{"at": now, "verb": "resolve", "flow": t, "asked": map[string]any{"who": t, "why": t, "order_id": t, "request_id": t, "effect": "executed"}, "result": t}}
	answer := map[string]any{"now": now}
	switch {
	case r.Method == http.MethodPost:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		a.posts = append(a.posts, body)
		if a.fails != 0 {
			w.WriteHeader(a.fails)
			answer = map[string]any{"error": "no: " + t}
		}
	case r.URL.Path == "/flows":
		answer["flows"], answer["next"] = []any{line}, "7."+t
	case r.URL.Path == "/counts":
		answer["counts"] = []any{map[string]any{"standing": "in_doubt", "merchant": t, "provider": t, "count": 12345, "oldest": now.Add(-time.Hour)}}
	case r.URL.Path == "/breakers":
		answer["breakers"] = []any{map[string]any{"provider": t, "merchant": t, "operation": "pay", "state": "open", "until": now}}
		answer["accounts"] = []any{map[string]any{"provider": t, "merchant": t, "tokens": 3, "of": 500, "sends": 2}}
	case r.URL.Path == "/audit":
		answer["audit"], answer["next"] = trail, "7."+t
	default:
		answer = line
		answer["now"], answer["audit"] = now, trail
		answer["state"] = map[string]any{"stage": "waiting", "reason": t, "ledger": []any{map[string]any{"order_id": t, "request_id": t, "provider_id": t, "sends": 1, "effect": "unknown"}}}
		answer["story"] = []any{map[string]any{"at": now, "what": "sent " + t + a.story}}
		answer["trace"] = answer["story"]
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// element is one of a page.
type element struct {
	name  string
	attrs map[string]string
}

// parsed reads a page, strictly: every element is closed where it was opened.
func parsed(t *testing.T, page string) (all []element, text string) {
	t.Helper()
	page = strings.Map(func(c rune) rune { // a value of a form may have them, and XML may not
		if c < ' ' && c != '\n' || c == '\uffff' {
			return '?'
		}
		return c
	}, page)
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	open := []string{}
	var words strings.Builder
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be read: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			at := map[string]string{}
			for _, a := range e.Attr {
				at[a.Name.Local] = a.Value
			}
			all = append(all, element{e.Name.Local, at})
			if !slices.Contains([]string{"meta", "link", "input"}, e.Name.Local) {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if n := len(open); n == 0 || open[n-1] != e.Name.Local {
				t.Fatalf("</%s> closes %v", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			words.Write(e)
		}
	}
	if len(open) > 0 {
		t.Fatalf("%v stay open", open)
	}
	return all, words.String()
}

// known are the elements and attributes that the templates have.
var known = strings.Fields("html head meta title link body a header nav span main h1 h2 h3 p time section ul li details summary table caption thead tbody tr th td bdi form fieldset legend label input select option button dl div dt dd strong em")
var knownAttrs = strings.Fields("lang charset name content rel href class aria-label aria-current aria-labelledby id tabindex datetime title role scope data-label method action type value checked selected autocomplete dir required readonly maxlength")

func get(h http.Handler, at string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
	return w
}

// Whatever the texts are, a page has the elements that its template has, and no other; its links stay on this server; it is short.
func TestTextsStayTexts(t *testing.T) {
	plain := map[string]int{}
	for i, name := range append([]string{"acme"}, hostile...) {
		h := console.Handler(&api{text: name})
		for _, at := range []string{"/", "/?after=7.x", "/flow?id=f", "/providers", "/trail"} {
			w := get(h, at)
			if w.Code != http.StatusOK {
				t.Fatalf("%q at %s: %d %s", name[:min(len(name), 20)], at, w.Code, w.Body)
			}
			all, text := parsed(t, w.Body.String())
			if i == 0 {
				plain[at] = len(all)
			}
			if len(all) != plain[at] {
				t.Errorf("%.20q at %s: %d elements, not %d", name, at, len(all), plain[at])
			}
			for _, e := range all {
				checkElement(t, e)
			}
			if strings.ContainsAny(text, "\u202e\u2066\u200b\u3164\u00a0") || strings.Contains(text, strings.Repeat("\u0301", 5)) {
				t.Errorf("%.20q at %s: a character without a look is on the page", name, at)
			}
			if n := len(text); n > 50_000 {
				t.Errorf("%.20q at %s: %d bytes of text", name, at, n)
			}
		}
	}
}

func checkElement(t *testing.T, e element) {
	t.Helper()
	if !slices.Contains(known, e.name) {
		t.Errorf("there is a <%s>", e.name)
	}
	for name, value := range e.attrs {
		if !slices.Contains(knownAttrs, name) {
			t.Errorf("<%s> has %s", e.name, name)
		}
		if name == "href" && value != "data:," || name == "action" {
			u, err := url.Parse(value)
			if err != nil || u.IsAbs() || u.Host != "" || !slices.Contains([]string{"", "./", "flow", "providers", "trail", "console.css"}, u.Path) {
				t.Errorf("<%s %s=%q> leads elsewhere: %v", e.name, name, value, err)
			}
		}
	}
}

// Card numbers that a person wrote are masked; ids of the flow are not, though some look like card numbers.
func TestCardNumbersAreMasked(t *testing.T) {
	const card, spaced = "4111111111111111", "4111 1111 1111 1111"
	w := get(console.Handler(&api{text: "the shopper said " + card + " or " + spaced}), "/trail")
	if page := w.Body.String(); strings.Count(page, "…redacted… or …redacted…") != 3 {
		t.Errorf("the trail shows %s", page)
	}
	w = get(console.Handler(&api{text: card}), "/flow?id=f")
	if page := w.Body.String(); !strings.Contains(page, "<bdi>sent "+card+"</bdi>") {
		t.Errorf("the order's own id is masked: %s", page)
	}
	w = get(console.Handler(&api{text: "1", story: "the shopper said " + spaced}), "/flow?id=f") // an id that is part of the number
	if page := w.Body.String(); !strings.Contains(page, "said …redacted…</bdi>") || strings.Contains(page, spaced) {
		t.Errorf("the number is there: %s", page)
	}
}

// from is a request of a browser's page at an origin.
func from(origin, site string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://admin.internal/flow", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range map[string]string{"Origin": origin, "Sec-Fetch-Site": site} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

func orders() url.Values {
	return url.Values{"flow": {"f-1"}, "do": {"resolve"}, "version": {"3"}, "request": {`["o-1","r-1"]`}, "effect": {"executed"}, "who": {"ann"}, "why": {"seen"}}
}

// Only a form of a page of this server does anything, and it does what it says.
func TestFormsOfOtherPagesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		origin, site string
		status       int
	}{
		{"http://admin.internal", "same-origin", 303},
		{"http://admin.internal", "", 303}, // plain HTTP at another name than localhost
		{"", "same-origin", 303},
		{"http://evil.invalid", "cross-site", 403},
		{"http://evil.invalid", "", 403},
		{"null", "", 403},
		{"null", "cross-site", 403},
		{"http://admin.internal:8080", "same-site", 403},
		{"", "", 403},
	} {
		a := &api{text: "x"}
		w := httptest.NewRecorder()
		console.Handler(a).ServeHTTP(w, from(tt.origin, tt.site, orders()))
		if w.Code != tt.status || (len(a.posts) == 1) != (tt.status == 303) {
			t.Errorf("%+v: %d, and %v was done", tt, w.Code, a.posts)
		}
		if tt.status == 303 && (fmt.Sprint(a.posts[0]) != "map[effect:executed order_id:o-1 override:false request_id:r-1 version:3 who:ann why:seen]" ||
			w.Header().Get("Location") != "flow?done=resolve&id=f-1" || !slices.Contains(a.paths, "POST /flows/f-1/resolve")) {
			t.Errorf("%v at %v, then %s", a.posts, a.paths, w.Header().Get("Location"))
		}
	}
}

// No look changes anything, and no other method is taken.
func TestLooksChangeNothing(t *testing.T) {
	a := &api{text: "x"}
	h := console.Handler(a)
	for _, at := range []string{"/", "/flow?id=f", "/providers", "/trail", "/console.css"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodPost} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, at, nil))
			if ok := method == http.MethodGet || method == http.MethodHead; (w.Code == http.StatusOK) != ok {
				t.Errorf("%s %s: %d", method, at, w.Code)
			}
			for name, want := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s %s: %s is %q", method, at, name, got)
				}
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s %s: the policy is %q", method, at, csp)
			}
		}
	}
	if len(a.posts) > 0 || slices.ContainsFunc(a.paths, func(p string) bool { return !strings.HasPrefix(p, "GET ") }) {
		t.Errorf("it was done: %v %v", a.posts, a.paths)
	}
}

// A form that is not one of the pages is refused before anything is asked for.
func TestFormsAreJudged(t *testing.T) {
	for what, change := range map[string]func(url.Values){
		"a version and more": func(v url.Values) { v.Set("version", "3; 4") },
		"no version":         func(v url.Values) { v.Del("version") },
		"version 0":          func(v url.Values) { v.Set("version", "0") },
		"another verb":       func(v url.Values) { v.Set("do", "prune") },
		"a field twice":      func(v url.Values) { v.Add("effect", "not_executed") },
		"another field":      func(v url.Values) { v.Set("force", "yes") },
		"a broken choice":    func(v url.Values) { v.Set("request", "o-1") },
		"one id":             func(v url.Values) { v.Set("request", `["o-1"]`) },
		"too long":           func(v url.Values) { v.Set("why", strings.Repeat("a", 100_000)) },
		"no flow":            func(v url.Values) { v.Set("flow", "") },
	} {
		a, form := &api{text: "x"}, orders()
		change(form)
		w := httptest.NewRecorder()
		console.Handler(a).ServeHTTP(w, from("http://admin.internal", "same-origin", form))
		if w.Code != http.StatusBadRequest || len(a.posts) > 0 {
			t.Errorf("%s: %d, %v was done", what, w.Code, a.posts)
		}
		parsed(t, w.Body.String())
	}
	r := from("http://admin.internal", "same-origin", orders())
	r.Header.Set("Content-Type", "text/plain")
	a, w := &api{text: "x"}, httptest.NewRecorder()
	if console.Handler(a).ServeHTTP(w, r); w.Code != http.StatusUnsupportedMediaType || len(a.posts) > 0 {
		t.Errorf("text/plain: %d", w.Code)
	}
}

// What is refused is shown with the reason and with what was typed. An override is not ticked again.
func TestRefusalsKeepWhatWasTyped(t *testing.T) {
	form := orders()
	form.Set("who", `"><b>`)
	form.Set("override", "yes")
	w := httptest.NewRecorder()
	console.Handler(&api{text: "o", fails: http.StatusConflict}).ServeHTTP(w, from("http://admin.internal", "same-origin", form))
	all, text := parsed(t, w.Body.String())
	if w.Code != http.StatusConflict || !strings.Contains(text, "no: o") {
		t.Errorf("%d %s", w.Code, text)
	}
	typed := 0
	for _, e := range all {
		if e.name == "input" && e.attrs["name"] == "who" && e.attrs["value"] == `"><b>` || e.attrs["value"] == "executed" && e.attrs["checked"] != "" {
			typed++
		}
		if _, checked := e.attrs["checked"]; e.attrs["name"] == "override" && checked {
			t.Error("the override is ticked")
		}
	}
	if typed != 3 {
		t.Errorf("%d of what was typed is there", typed)
	}
}

// A page says what it cannot show, with the handler's status.
func TestFaultsArePages(t *testing.T) {
	down := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"error":"the journal <fails>"}`)
	})
	for _, at := range []string{"/", "/flow?id=f", "/providers", "/trail"} {
		w := get(console.Handler(down), at)
		if _, text := parsed(t, w.Body.String()); w.Code != http.StatusServiceUnavailable || !strings.Contains(text, "the journal <fails>") {
			t.Errorf("%s: %d %s", at, w.Code, text)
		}
	}
	for at, status := range map[string]int{"/?color=red": 400, "/flow": 400, "/flow?id=": 400, "/trail?x=1": 400, "/providers?after=1": 400} {
		if w := get(console.Handler(&api{text: "x"}), at); w.Code != status {
			t.Errorf("%s: %d", at, w.Code)
		}
	}
}

// The links of a page lead to what they name.
func TestLinksLead(t *testing.T) {
	for _, name := range append([]string{"acme"}, hostile...) {
		a := &api{text: name}
		h := console.Handler(a)
		all, _ := parsed(t, get(h, "/?merchant=m&standing=open&standing=failed").Body.String())
		follow := func(rel, want string, wanted url.Values) {
			t.Helper()
			for _, e := range all {
				if e.attrs["rel"] == rel && strings.HasPrefix(e.attrs["href"], want) {
					u, err := url.Parse(e.attrs["href"])
					if got := u.Query(); err != nil || got.Encode() != wanted.Encode() {
						t.Errorf("%.20q: %q is %v, not %v", name, e.attrs["href"], got, wanted)
					}
					return
				}
			}
			t.Errorf("%.20q: there is no link to %s", name, want)
		}
		follow("next", "./?", url.Values{"merchant": {"m"}, "standing": {"open", "failed"}, "after": {"7." + decoded(name)}})
		follow("", "flow?", url.Values{"id": {decoded(name)}})
		all, _ = parsed(t, get(h, "/trail").Body.String())
		follow("next", "trail?", url.Values{"after": {"7." + decoded(name)}})
		if get(h, "/flow?"+url.Values{"id": {name}}.Encode()); !slices.Contains(a.paths, "GET /flows/"+url.PathEscape(name)) {
			t.Errorf("%.20q: the flow is not asked for", name)
		}
	}
}

// decoded is a text as JSON has it.
func decoded(s string) string { return string([]rune(s)) }

// A flow with which much was tried, and whose every line is long, has a short page; what waits for a second person is on it.
func TestPagesOfLongFlowsAreShort(t *testing.T) {
	long, lines := strings.Repeat("W", 10_000), testkit.Size(1_000, 5_000, 5_000)
	many := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var story, trail []any
		for i := range lines {
			story = append(story, map[string]any{"at": now, "what": fmt.Sprint(i, long)})
			trail = append(trail, map[string]any{"at": now, "verb": "propose", "flow": "f", "id": fmt.Sprint("p-", i), "asked": map[string]any{"who": fmt.Sprint(i, long), "why": long, "order_id": long, "effect": "executed"},
				"result": long, "waits": i%2 == 0, "until": now.Add(time.Hour)})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"flow": "f", "standing": "in_doubt", "since": now, "version": 3, "now": now, "state": map[string]any{"stage": "waiting"}, "story": story, "trace": story, "audit": trail})
	})
	w := get(console.Handler(many), "/flow?id=f")
	page := w.Body.String()
	all, _ := parsed(t, page)
	for _, e := range all {
		checkElement(t, e)
	}
	if n := len(page); w.Code != http.StatusOK || n > 3<<20 {
		t.Errorf("%d, %d bytes", w.Code, n)
	}
	earlier := map[int]string{1_000: "800", 5_000: "4,800"}[lines]
	for _, want := range []string{earlier + " earlier lines are not shown", earlier + " earlier lines are on the", fmt.Sprintf(`value="p-%d"`, lines-2)} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q", want)
		}
	}
}
