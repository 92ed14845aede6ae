package executor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// pageAt gets a page, and checks its status and words.
func pageAt(t *testing.T, h http.Handler, at string, status int, words ...string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
	wantPage(t, w, at, status, words...)
	return w.Body.String()
}

func wantPage(t *testing.T, w *httptest.ResponseRecorder, at string, status int, words ...string) {
	t.Helper()
	if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && w.Code != http.StatusSeeOther {
		t.Errorf("%s: %d %s, want %d: %s", at, w.Code, w.Header().Get("Content-Type"), status, w.Body)
	}
	for _, word := range words {
		if !strings.Contains(w.Body.String(), word) {
			t.Errorf("%s: there is no %q in %s", at, word, w.Body)
		}
	}
}

// submitted sends a form as a browser does from the page that holds it.
func submitted(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/flow", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// versionOf is that of a flow, as its page has it.
func versionOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="version" value="`)
	version, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the page has no version: %s", page)
	}
	return version
}

func TestConsoleShowsAndSettlesAFlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		console := x.AdminHandler()
		h, _ := inDoubt(t, x, "k")
		at := "/flow?id=" + h.Flow()
		pageAt(t, console, "/", 200, h.Flow(), "in doubt", "a query by order_id", "momo", `<span class="figure">1</span> in doubt`)
		pageAt(t, console, "/?standing=escalated", 200, "No flow is so")
		pageAt(t, console, "/?older_than=1h", 200, "No flow is so")
		page := pageAt(t, console, at, 200, "sent as order o-k, request r-k", "What would end the wait", "Resolve a request", "Withdraw the flow", "in more detail")
		form := url.Values{
			"flow": {h.Flow()}, "do": {"resolve"}, "version": {versionOf(t, page)}, "request": {`["o-k","r-k"]`}, "effect": {"not_executed"},
			"who": {"ann"}, "why": {"<b>the bank's file</b> of 4111111111111111"},
		}
		with := func(name, value string) url.Values {
			changed := url.Values{}
			for k, v := range form {
				changed[k] = v
			}
			changed[name] = []string{value}
			return changed
		}
		for name, value := range map[string]string{"who": " ", "why": "", "effect": "pending", "request": ""} {
			wantPage(t, submitted(console, with(name, value)), name, 400, "must", "Not done")
		}
		wantPage(t, submitted(console, with("version", "1")), "an old version", 409, "has changed since version 1", `value="ann"`)
		wantPage(t, submitted(console, with("flow", "none")), "another flow", 404)
		if h.State().Outcome != policy.Open {
			t.Fatal("it was resolved")
		}
		w := submitted(console, form)
		wantPage(t, w, "resolve", 303)
		page = pageAt(t, console, "/"+w.Header().Get("Location"), 200, "Done: resolve", "ann", "&lt;b&gt;", "failed", "against the proof")
		if strings.Contains(page, "4111111111111111") || strings.Contains(page, "Withdraw the flow") {
			t.Errorf("the page shows %s", page)
		}
		pageAt(t, console, "/trail", 200, "ann", "resolve", "has changed since version 1")
		time.Sleep(time.Hour)
		if page := pageAt(t, console, "/"+w.Header().Get("Location"), 200); strings.Contains(page, "Done: resolve") {
			t.Error("an old link says that it was done just now")
		}
	})
}

func TestConsoleWithdraws(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		console := x.AdminHandler()
		h, _ := inDoubt(t, x, "k")
		page := pageAt(t, console, "/flow?id="+h.Flow(), 200)
		form := url.Values{"flow": {h.Flow()}, "do": {"withdraw"}, "version": {versionOf(t, page)}, "who": {"ann"}, "why": {"the shopper left"}}
		wantPage(t, submitted(console, form), "withdraw", 303)
		pageAt(t, console, "/flow?id="+h.Flow()+"&done=withdraw", 200, "Done: withdraw", "withdrawn: ann: the shopper left")
		if s := h.State(); s.Withdrawn == "" || s.Outcome != policy.Open {
			t.Errorf("the flow is %+v", s)
		}
	})
}

var elements = regexp.MustCompile(`<[^>]*>`)

// Names that break pages go through the executor, its journal and the console.
func TestConsoleOfHostileNames(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		console := x.AdminHandler()
		for i, name := range []string{"<script>alert(1)</script>", "\u202egnp.exe", strings.Repeat("x", 10_000), `"' onfocus=alert(1) x="`} {
			q := of(name, payment(fmt.Sprint(name, i)))
			q.OrderID, q.RequestID = fmt.Sprint(name, i), fmt.Sprint(name, "r", i)
			h, err := x.Start(within(t, time.Second), q, &bank{sends: []reply{silence}, asks: []reply{working}})
			if err != nil {
				t.Logf("%.30q is refused: %v", name, err)
				continue
			}
			time.Sleep(2 * time.Minute)
			page := pageAt(t, console, "/flow?id="+h.Flow(), 200)
			form := url.Values{"flow": {h.Flow()}, "do": {"resolve"}, "version": {versionOf(t, page)}, "effect": {"executed"}, "who": {name[:min(len(name), 500)]}, "why": {"<i>x</i>"}}
			id := &h.State().Ledger[0]
			form.Set("request", fmt.Sprintf("[%q,%q]", id.OrderID, id.RequestID))
			if name[0] != '<' && name[0] != '"' {
				form.Set("who", "ann")
			}
			page = pageAt(t, console, "/", 200) + pageAt(t, console, "/providers", 200)
			wantPage(t, submitted(console, form), "resolve", 303)
			page += pageAt(t, console, "/flow?id="+h.Flow(), 200) + pageAt(t, console, "/trail", 200)
			if strings.Contains(page, "<script") || strings.Contains(page, "<i>") || strings.Contains(elements.ReplaceAllString(page, ""), "\u202e") || strings.Contains(page, `" onfocus`) || len(page) > 200_000 {
				t.Errorf("%.30q: %d bytes: %.3000s", name, len(page), page)
			}
		}
	})
}

// A list is bounded, and its pages hold every flow once.
func TestConsolePages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		console := x.AdminHandler()
		const n = 230
		for i := range n {
			begin(t, x, payment(fmt.Sprint("k", i)), &bank{sends: []reply{silence}, asks: []reply{working}})
		}
		time.Sleep(5 * time.Minute)
		seen, at, pages := map[string]bool{}, "/?merchant=", 0
		for ; at != ""; pages++ {
			page := pageAt(t, console, at, 200)
			rows := strings.Split(page, `<a href="flow?id=`)[1:]
			if len(rows) > 100 {
				t.Errorf("%d flows are on a page", len(rows))
			}
			for _, r := range rows {
				id, _, _ := strings.Cut(r, `"`)
				seen[id] = true
			}
			_, next, _ := strings.Cut(page, `<a rel="next" href=".`)
			at, _, _ = strings.Cut(strings.ReplaceAll(next, "&amp;", "&"), `"`)
		}
		if len(seen) != n || pages != 3 {
			t.Errorf("%d of %d flows were on %d pages", len(seen), n, pages)
		}
	})
}

// The page of providers shows breakers, budgets and calls; looking takes no token.
func TestConsoleShowsBreakersAndBudgets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), Budget: executor.Budget{Tokens: 50, Every: time.Hour}})
		console := x.AdminHandler()
		pageAt(t, console, "/providers", 200, "All are closed", "All are at rest")
		for i := range 6 {
			begin(t, x, of("acme", payment(fmt.Sprint("k", i))), &bank{sends: []reply{shut}})
		}
		time.Sleep(10 * time.Second)
		pageAt(t, console, "/providers", 200, "acme", "sends of pay")
		pageAt(t, console, "/providers?merchant=other", 200, "All are closed")
		wantAnswer(t, console, "GET", "/breakers?merchant=other", "", 200, `"breakers":[]`, `"accounts":[]`)
		time.Sleep(3 * time.Minute)
		first := pageAt(t, console, "/providers", 200, " of 50")
		if again := pageAt(t, console, "/providers", 200); again != first {
			t.Errorf("a look changed the page:\n%s\n%s", first, again)
		}
	})
}

func TestConsoleWithoutAJournal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{})
		for _, at := range []string{"/", "/flow?id=f", "/trail"} {
			pageAt(t, x.AdminHandler(), at, 501, "Config.Journal is nil")
		}
		pageAt(t, x.AdminHandler(), "/providers", 200)
	})
}

// The console stands under a prefix, too: its links and forms are relative.
func TestConsoleUnderAPrefix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		h, _ := inDoubt(t, x, "k")
		mux := http.NewServeMux()
		mux.Handle("/admin/", http.StripPrefix("/admin", x.AdminHandler()))
		page := pageAt(t, mux, "/admin/", 200, `href="console.css"`, `href="flow?id=`)
		if strings.Contains(page, `="/`) {
			t.Errorf("a link leads out of the prefix: %s", page)
		}
		pageAt(t, mux, "/admin/flow?id="+h.Flow(), 200, `action="flow"`, `href="./"`)
	})
}
