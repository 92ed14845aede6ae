package browsertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
)

// silent is a client whose provider refuses what its order names shut, and does not answer otherwise.
type silent struct{}

func (silent) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	if strings.HasPrefix(a.OrderID, "shut") {
		return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "10"}}, nil
	}
	return executor.Reply{}, context.DeadlineExceeded
}

// Query does not return before its time is up, so that the flow stays as the page showed it.
func (silent) Query(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
	<-ctx.Done()
	return executor.Reply{}, ctx.Err()
}

// desk is a console over a journal file with flows that wait.
type desk struct {
	url   string
	x     *executor.Executor
	flows map[string]string // by order id
}

// merchants have names that are short, long, written from right to left, and hostile.
var merchants = []string{"teahouse", "a-shop-whose-name-was-made-by-a-generator-and-has-no-space-in-it-at-all", "متجر الشاي", hostile}

// serveConsole serves the console of a journal with so many flows in doubt, and six that their provider refuses.
func serveConsole(t *testing.T, doubts int, cfg executor.Config) *desk {
	t.Helper()
	j, err := sqlite.Open(filepath.Join(t.TempDir(), "flows.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Journal, cfg.Clients = j, map[string]executor.Client{"momo": silent{}}
	x, err := executor.New(rules, &cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{x: x, flows: map[string]string{}}
	begin := func(merchant, order string) {
		q := executor.Request{Payment: policy.Payment{Provider: "momo", Merchant: merchant, Operation: policy.Pay, Key: "cart-" + order, Amount: 120_000, Currency: "VND"}, OrderID: order}
		h, err := x.Start(context.Background(), q, silent{})
		if err != nil {
			t.Fatal(err)
		}
		d.flows[order] = h.Flow()
	}
	for i := range doubts {
		begin(merchants[i%len(merchants)], fmt.Sprint("o-", i))
	}
	for i := range 6 { // which opens a breaker
		begin("teahouse", fmt.Sprint("shut-", i))
	}
	mux := http.NewServeMux()
	mux.Handle("/admin/", http.StripPrefix("/admin", x.AdminHandler()))
	server := httptest.NewServer(mux)
	d.url = server.URL + "/admin/"
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(x.Close(ctx), j.Close()); err != nil {
			t.Error(err)
		}
	})
	d.until(t, func() bool {
		counts, err := j.Count(context.Background(), journal.Filter{Standings: []string{"in_doubt"}})
		n := 0
		for _, c := range counts {
			n += c.Count
		}
		return err == nil && n >= doubts
	})
	return d
}

// until waits for what comes by itself.
func (d *desk) until(t *testing.T, holds func() bool) {
	t.Helper()
	for range 1200 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not come")
}

func (d *desk) flow(order string) string {
	return d.url + "flow?" + url.Values{"id": {d.flows[order]}}.Encode()
}

// TestConsole opens the pages of the admin handler in one browser.
func TestConsole(t *testing.T) {
	if testing.Short() {
		return
	}
	d, b := serveConsole(t, 130, executor.Config{AdminHosts: []string{"console.test"}}), open(t) // more flows than a page has
	for _, part := range []struct {
		name string
		test func(*testing.T, *tab, *desk)
	}{
		{"axe", consoleHasNoBarrier}, {"phone", consoleFitsAPhone}, {"keyboard", consoleByKeyboard}, {"texts", consoleShowsTexts}, {"frames", consoleIsNotFramed},
		{"another name", consoleAtAnotherName}, {"forged", consoleOfAnotherPage},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.test(t, b, d)
			b.forgive("the server responded with a status of 4") // which the pages say in words
			b.clean()
		})
	}
}

func (d *desk) pages() map[string]string {
	return map[string]string{"list": d.url, "flow": d.flow("o-1"), "providers": d.url + "providers", "trail": d.url + "trail", "fault": d.url + "flow?id=none"}
}

// forgive drops what the browser reported with a text in it.
func (b *tab) forgive(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = slices.DeleteFunc(b.faults, func(f string) bool { return strings.Contains(f, text) })
}

// visit opens a page of the console. Nothing but the console may be loaded.
func (b *tab) visit(at string) {
	b.t.Helper()
	b.mu.Lock()
	b.may = func(u string) bool {
		return strings.HasPrefix(u, at[:strings.LastIndexByte(at, '/')+1]) || u == "data:,"
	}
	b.mu.Unlock()
	b.do(chromedp.Navigate(at))
}

// consoleHasNoBarrier: axe-core finds nothing, light, dark or on a phone; headings come in order, and every table has a header for each column.
func consoleHasNoBarrier(t *testing.T, b *tab, d *desk) {
	for name, at := range d.pages() {
		b.visit(at)
		for _, scheme := range []string{"dark", "light"} {
			b.media("", scheme)
			axeRun(t, b, name+", "+scheme)
		}
		if wrong := eval[[]string](b, `[...document.querySelectorAll("h1, h2, h3")].map(h => Number(h.tagName[1])).flatMap((h, i, all) => h > (i ? all[i-1] : 0) + 1 ? ["a heading of level " + h] : [])
			.concat([...document.querySelectorAll("table")].flatMap(t => [...t.querySelectorAll("tbody tr")].some(r => r.cells.length !== t.querySelectorAll("thead th[scope=col]").length || !r.querySelector("th[scope=row]")) ? ["a table without headers"] : []))
			.concat(document.scripts.length ? ["a script"] : []).concat(document.querySelectorAll("[style]").length ? ["a style"] : [])`); len(wrong) > 0 {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}

// consoleFitsAPhone: nothing scrolls to the side, and what is touched is large enough.
func consoleFitsAPhone(t *testing.T, b *tab, d *desk) {
	b.screen(390, 844, true)
	defer b.screen(1280, 900, false)
	for name, at := range d.pages() {
		b.visit(at)
		if wide := eval[int](b, `document.documentElement.scrollWidth - 390`); wide > 0 {
			t.Errorf("%s is %d pixels wider than a phone", name, wide)
		}
		if small := eval[[]string](b, `[...document.querySelectorAll("button, select, input:not([type=hidden], [type=radio], [type=checkbox]), header a")].filter(e => e.getBoundingClientRect().height < 40).map(e => e.outerHTML)`); len(small) > 0 {
			t.Errorf("%s: too small to touch: %q", name, small)
		}
		axeRun(t, b, name+", phone")
	}
}

// reach goes by the Tab key to what a selector names. The focus is seen on all that it passes.
func (b *tab) reach(selector string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := eval[string](b, `(() => { const e = document.activeElement, s = getComputedStyle(e); return e.matches(`+"`"+selector+"`"+`) ? "there" : s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 ? "" : e.outerHTML; })()`)
		if at == "there" {
			return
		}
		if at != "" {
			b.t.Fatalf("the focus is not seen on %s", at)
		}
	}
	b.t.Fatalf("the keyboard does not reach %s", selector)
}

// consoleByKeyboard: a person without a mouse and without scripts goes from the list to a flow and resolves it.
func consoleByKeyboard(t *testing.T, b *tab, d *desk) {
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	defer call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})
	const order = "o-4"
	b.visit(d.flow(order))
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.className + " " + (document.activeElement.getBoundingClientRect().left >= 0)`); got != "skip true" {
		t.Errorf("the first stop is %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.reach(`form [name=effect]`)
	b.do(chromedp.KeyEvent(" "))
	b.reach(`[name=who]`)
	b.do(chromedp.KeyEvent("ann"))
	b.do(chromedp.KeyEvent(kb.Enter)) // without a reason the browser does not send it, and leads to what is missing
	if at := eval[string](b, `document.activeElement.name + " of " + document.activeElement.form.elements.do.value`); at != "why of resolve" || d.state(t, order).Outcome != policy.Open {
		t.Fatalf("without a reason: the focus is on %s, the flow is %s", at, d.state(t, order).Outcome)
	}
	b.do(chromedp.KeyEvent("settlement file, line 7"), chromedp.KeyEvent(kb.Enter))
	d.until(t, func() bool {
		if eval[bool](b, `document.readyState === "complete" && !!document.querySelector(".fault")`) { // the flow has changed meanwhile: what was typed is there
			b.reach(`[name=why]`)
			b.do(chromedp.KeyEvent(kb.Enter))
		}
		return eval[bool](b, `!!document.querySelector(".done")`)
	})
	if d.state(t, order).Outcome != policy.Succeeded {
		t.Error("it is not resolved")
	}
	if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "settlement file, line 7") || !strings.Contains(text, "Done: resolve") {
		t.Errorf("the page says %s", text)
	}
}

func (d *desk) state(t *testing.T, order string) flow.State {
	t.Helper()
	h, err := d.x.Handle(context.Background(), d.flows[order])
	if err != nil {
		t.Fatal(err)
	}
	return h.State()
}

// consoleShowsTexts: a hostile name is a text, and the pages of the list hold every flow once.
func consoleShowsTexts(t *testing.T, b *tab, d *desk) {
	seen := map[string]bool{}
	at := d.url + "?standing=any"
	for pages := 0; at != ""; pages++ {
		b.visit(at)
		ids := eval[[]string](b, `[...document.querySelectorAll(".flows tbody th")].map(e => e.innerText)`)
		if len(ids) == 0 || len(ids) > 100 || pages > 3 {
			t.Fatalf("%d flows are on page %d", len(ids), pages)
		}
		for _, id := range ids {
			seen[id] = true
		}
		at = eval[string](b, `(document.querySelector("a[rel=next]") || {href: ""}).href`)
	}
	if len(seen) != len(d.flows) {
		t.Errorf("%d of %d flows were listed", len(seen), len(d.flows))
	}
	b.visit(d.url + "?" + url.Values{"merchant": {hostile}}.Encode())
	got := eval[[]string](b, `[...new Set([...document.querySelectorAll("[data-label=Merchant]")].map(e => e.innerText))].concat([String(typeof window.hostile), document.querySelector("[name=merchant]").value])`)
	if want := hostile; len(got) < 3 || got[len(got)-2] != "undefined" || got[len(got)-1] != want {
		t.Errorf("the merchant is shown as %q", got)
	}
}

// consoleIsNotFramed: no page shows the console within itself, where a person could be led to press its buttons.
func consoleIsNotFramed(t *testing.T, b *tab, d *desk) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>x</title><link rel="icon" href="data:,"><iframe src="%s"></iframe>`, d.flow("o-1"))
	}))
	defer page.Close()
	b.mu.Lock()
	b.may = func(string) bool { return true }
	b.mu.Unlock()
	b.do(chromedp.Navigate(page.URL))
	d.until(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return strings.Contains(strings.Join(b.faults, "\n"), "frame")
	})
	b.forgive("frame")
}

// consoleAtAnotherName: over plain HTTP at a name that is not localhost a browser sends no Sec-Fetch-Site, and the forms work all the same.
func consoleAtAnotherName(t *testing.T, b *tab, d *desk) {
	_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(d.url, "http://"), "/admin/"))
	if err != nil {
		t.Fatal(err)
	}
	b.visit("http://console.test:" + port + "/admin/flow?id=" + d.flows["o-8"])
	d.until(t, func() bool {
		if !eval[bool](b, `document.readyState === "complete" && location.host.startsWith("console.test")`) {
			return false
		}
		if eval[bool](b, `!!document.querySelector(".done")`) {
			return true
		}
		eval[any](b, `(() => { const f = [...document.forms].find(f => f.elements.do && f.elements.do.value === "withdraw"); f.elements.who.value = "bob"; f.elements.why.value = "the shopper left"; f.requestSubmit(); })()`)
		return false
	})
	if why := d.state(t, "o-8").Withdrawn; why != "bob: the shopper left" {
		t.Errorf("it is withdrawn: %q", why)
	}
}

// consoleOfAnotherPage: the page of another origin sends a form to the console, as a person opens it, and nothing is done.
func consoleOfAnotherPage(t *testing.T, b *tab, d *desk) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>x</title><link rel="icon" href="data:,"><form method="post" action="%sflow"><input name="flow" value="%s"><input name="do" value="withdraw"><input name="version" value="5">
			<input name="who" value="eve"><input name="why" value="x"></form><script>document.forms[0].submit()</script>`, d.url, d.flows["o-12"])
	}))
	defer page.Close()
	b.mu.Lock()
	b.may = func(string) bool { return true }
	b.mu.Unlock()
	b.do(chromedp.Navigate(page.URL))
	d.until(t, func() bool { return eval[bool](b, `!!document.querySelector(".fault")`) })
	if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "does not come from a page of this server") {
		t.Errorf("the page says %s", text)
	}
	if d.state(t, "o-12").Withdrawn != "" {
		t.Error("it was withdrawn")
	}
}
