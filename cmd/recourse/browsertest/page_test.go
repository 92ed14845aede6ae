package browsertest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/axe/axe.min.js
var axe string

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// TestPage opens one page in one browser, and goes through all that it has to do.
func TestPage(t *testing.T) {
	if testing.Short() {
		return
	}
	file, raw := pageOf(t, twoRuleSets(t)...)
	report := decoded(t, raw)
	b := open(t)
	b.navigate(file)
	for _, part := range []struct {
		name string
		test func(*testing.T, *tab, map[string]any)
	}{
		{"numbers", numbersEqual}, {"charts", chartsEqual}, {"lists", listsEqual}, {"sort", tablesSort}, {"keyboard", keyboardReaches}, {"axe", axeFindsNothing},
		{"phone", phoneFits}, {"paper", paperIsLight},
	} {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.test(t, b, report)
			b.clean()
		})
	}
}

// numbersEqual: each number that the page shows is the report's.
func numbersEqual(t *testing.T, b *tab, report map[string]any) {
	type shown struct{ Path, Raw, Unit, Text string }
	all := eval[[]shown](b, `[...document.querySelectorAll("[data-path]")].map(e => ({Path: e.dataset.path, Raw: e.dataset.raw, Unit: e.dataset.unit, Text: e.innerText || e.textContent}))`)
	if len(all) < 1000 {
		t.Errorf("only %d numbers", len(all))
	}
	digits := regexp.MustCompile(`\D`)
	for _, s := range all {
		want, err := number(report, s.Path)
		if err != nil || strconv.FormatInt(want, 10) != s.Raw {
			t.Errorf("%s is %d, and the page says %s (%v)", s.Path, want, s.Raw, err)
		}
		if text := strings.TrimLeft(digits.ReplaceAllString(s.Text, ""), "0"); s.Unit != "ms" && text != strings.TrimLeft(s.Raw, "0") {
			t.Errorf("%s is %s, and is written %q", s.Path, s.Raw, s.Text)
		}
	}
	if cells := eval[[]string](b, `[...document.querySelectorAll("main td.n, .card td")].filter(e => /\d/.test(e.textContent) && !e.querySelector("[data-path]") && !e.closest("#flows")).map(e => e.textContent)`); len(cells) > 0 {
		t.Errorf("numbers that are not the report's: %q", cells)
	}
}

// chartsEqual: what the charts draw adds up to the report's numbers, whatever is chosen.
func chartsEqual(t *testing.T, b *tab, report map[string]any) {
	const set = `(id, value) => { const e = document.getElementById(id); e.type === "checkbox" ? e.checked = value : e.value = value; e.dispatchEvent(new Event("change")); }`
	const drawn = `id => echarts.getInstanceByDom(document.getElementById(id)).getOption().series`
	column := func(side, name string) int64 {
		if side == "against" {
			side = "against.simulated"
		}
		n, err := number(report, side+"."+name)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	sides := []string{"recorded", "simulated", "against"}
	for _, side := range sides {
		got := eval[int64](b, `(`+set+`)("ways-direct", false), (`+set+`)("ways-side", "`+side+`"), (`+drawn+`)("chart-ways")[0].links.filter(l => l.source[0] === "A").reduce((n, l) => n + l.value, 0)`)
		if want := column(side, "flows"); got != want {
			t.Errorf("the chart of ways has %d flows of %s, not %d", got, side, want)
		}
	}
	for what, names := range map[string][]string{"calls": {"sends", "queries"}, "sends": {"sends"}, "queries": {"queries"}, "escalated": {"escalated"}, "succeeded": {"succeeded"}} {
		got := eval[[]int64](b, `(`+set+`)("time-what", "`+what+`"), (`+drawn+`)("chart-time").map(s => s.data.reduce((n, p) => n + p[1], 0))`)
		for i, side := range sides {
			want := int64(0)
			for _, name := range names {
				want += column(side, name)
			}
			if i >= len(got) || got[i] != want {
				t.Errorf("the chart of %s has %d for %s, not %d", what, got, side, want)
			}
		}
	}
	for i, got := range eval[[]int64](b, `(`+drawn+`)("chart-spans").map(s => s.data.reduce((n, x) => n + x, 0))`) {
		if want := column(sides[i], "succeeded") + column(sides[i], "failed") + column(sides[i], "escalated") - column(sides[i], "refused"); got != want {
			t.Errorf("the chart of times has %d flows of %s, not %d", got, sides[i], want)
		}
	}
	money := map[string]int64{}
	codes, _ := report["details"].(map[string]any)["money_by_code"].([]any)
	for i := range codes {
		for k, m := range codes[i].(map[string]any)["money"].([]any) {
			n, err := number(report, fmt.Sprintf("details.money_by_code.%d.money.%d.amount", i, k))
			if err != nil {
				t.Error(err)
			}
			money[m.(map[string]any)["currency"].(string)] += n
		}
	}
	for _, currency := range eval[[]string](b, `[...document.getElementById("risk-currency").options].map(o => o.value)`) {
		got := eval[int64](b, `(`+set+`)("risk-currency", `+strconv.Quote(currency)+`), (`+drawn+`)("chart-risk")[0].data.reduce((n, x) => n + x, 0)`)
		if got <= 0 || got > money[currency] {
			t.Errorf("the chart of money has %d %s, of %d", got, currency, money[currency])
		}
	}
}

// listsEqual: behind each number that leads to flows stand as many as the report says, and the page says how many it shows.
func listsEqual(t *testing.T, b *tab, report map[string]any) {
	flows, _ := report["details"].(map[string]any)["flows_behind"].(map[string]any)
	type list struct {
		Name, Says string
		Rows       int
	}
	lists := eval[[]list](b, `[...document.getElementById("flows-behind").options].filter(o => o.value).map(o => { const c = document.getElementById("flows-behind"); c.value = o.value; c.dispatchEvent(new Event("change"));
		return {Name: o.value, Says: document.getElementById("flows-says").textContent, Rows: document.querySelectorAll("#flows-table tbody tr").length}; })`)
	listed := map[string]bool{}
	for _, l := range lists {
		listed[l.Name] = true
	}
	for name := range flows {
		if kind, _, _ := strings.Cut(name, "."); (kind == "recorded" || kind == "simulated") && !listed[name] {
			t.Errorf("%s has no list", name)
		}
	}
	for _, l := range lists {
		count, _ := flows[l.Name].(float64)
		n := int64(count)
		grouped := fmt.Sprint(n)
		if n >= 1000 {
			grouped = fmt.Sprintf("%d,%03d", n/1000, n%1000)
		}
		most := 20
		if strings.HasPrefix(l.Name, "codes") || strings.HasPrefix(l.Name, "rules") {
			most = 3
		}
		if l.Rows != min(int(n), most) || !strings.Contains(l.Says, " "+grouped+" flows stand behind the number") {
			t.Errorf("%s: %d rows of %d, %q", l.Name, l.Rows, n, l.Says)
		}
	}
	lost := eval[[]string](b, `[...document.querySelectorAll("[data-behind]")].map(e => e.dataset.behind).filter(n => ![...document.getElementById("flows-behind").options].some(o => o.value === n))`)
	if len(lost) > 0 {
		t.Errorf("numbers that lead nowhere: %q", lost)
	}
	type search struct{ All, Found, Wrong int }
	s := eval[search](b, `(() => { const c = document.getElementById("flows-behind"), q = document.getElementById("flows-search"); c.value = ""; c.dispatchEvent(new Event("change"));
		const rows = () => [...document.querySelectorAll("#flows-table tbody tr")], all = rows().length; q.value = "teahouse timeout"; q.dispatchEvent(new Event("input"));
		const found = rows(), wrong = found.filter(r => !/teahouse/.test(r.textContent) || !/timeout/i.test(r.textContent)); q.value = ""; q.dispatchEvent(new Event("input"));
		return {All: all, Found: found.length, Wrong: wrong.length}; })()`)
	if s.Found == 0 || s.Wrong > 0 || s.All != 50 {
		t.Errorf("search: %+v", s)
	}
}

// tablesSort: a click on a heading sorts by numbers as numbers, and says so.
func tablesSort(t *testing.T, b *tab, _ map[string]any) {
	got := eval[[]string](b, `[...document.querySelectorAll("table.sortable")].filter(t => t.tBodies[0].rows.length > 1).flatMap(t => [...t.tHead.rows[0].cells].flatMap((th, i) => {
		th.querySelector("button").click();
		const value = c => { const n = c.querySelector("[data-raw]"); return n ? BigInt(n.dataset.raw) : c.classList.contains("n") ? -1n : c.textContent; };
		const all = [...t.tBodies[0].rows].map(r => value(r.cells[i])), up = th.getAttribute("aria-sort") === "ascending" ? 1 : -1;
		const wrong = all.some((v, k) => k && (typeof v === "bigint" ? (up > 0 ? all[k - 1] > v : all[k - 1] < v) : up * all[k - 1].localeCompare(v, "en") > 0));
		return wrong || !th.getAttribute("aria-sort") ? [t.id + ": " + th.textContent] : []; }))`)
	if len(got) > 0 {
		t.Errorf("not sorted: %q", got)
	}
}

// keyboardReaches: Tab goes through the page in order with a visible mark, Enter opens flows and stories, Escape comes back.
func keyboardReaches(t *testing.T, b *tab, _ map[string]any) {
	const active = `(() => { const e = document.activeElement, s = getComputedStyle(e); return {Is: e.tagName + "#" + e.id + "." + e.className, Place: [...document.querySelectorAll("*")].indexOf(e), Marked: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0}; })()`
	type focus struct {
		Is     string
		Place  int
		Marked bool
	}
	eval[any](b, `scrollTo(0, 0), document.activeElement.blur(), getSelection().setPosition(document.body, 0)`)
	before := focus{}
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		now := eval[focus](b, active)
		if now.Place <= before.Place || !now.Marked {
			t.Errorf("after %s the focus is on %s (%d, %d), marked: %v", before.Is, now.Is, before.Place, now.Place, now.Marked)
		}
		before = now
	}
	if lost := eval[[]string](b, `[...document.querySelectorAll("button, select, input, summary, a[href]")].filter(e => e.tabIndex < 0 || e.disabled).map(e => e.outerHTML)`); len(lost) > 0 {
		t.Errorf("out of the keyboard's reach: %q", lost)
	}
	eval[any](b, `document.querySelector('[data-behind="recorded.failed"]').focus()`)
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, `document.activeElement.id + " " + document.getElementById("flows-behind").value`); got != "h-flows recorded.failed" {
		t.Errorf("Enter on a number leads to %q", got)
	}
	eval[any](b, `document.querySelector("button.flow").focus()`)
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, `document.activeElement.id + " " + document.getElementById("story").open + " " + document.querySelectorAll("#story li").length`); !strings.HasPrefix(got, "story-title true ") || strings.HasSuffix(got, " 0") {
		t.Errorf("Enter on a flow leads to %q", got)
	}
	axeRun(t, b, "a story")
	b.do(chromedp.KeyEvent(kb.Escape))
	if got := eval[string](b, `document.activeElement.className + " " + document.getElementById("story").open`); got != "flow false" {
		t.Errorf("Escape leads to %q", got)
	}
}

// axeRun fails the test where axe-core finds a serious violation.
func axeRun(t *testing.T, b *tab, where string) {
	t.Helper()
	if !eval[bool](b, `typeof axe === "object"`) {
		eval[any](b, axe+"; 0")
	}
	found := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.help + " " + v.nodes.length + " × " + v.nodes[0].html)))`)
	var list []string
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		t.Errorf("%s: %s", where, v)
	}
}

func axeFindsNothing(t *testing.T, b *tab, _ map[string]any) {
	axeRun(t, b, "light")
	b.media("", "dark")
	axeRun(t, b, "dark")
	b.media("", "light")
	if headings := eval[[]int](b, `[...document.querySelectorAll("h1, h2, h3, h4, h5")].filter(h => !h.closest("dialog")).map(h => Number(h.tagName[1]))`); len(headings) == 0 || headings[0] != 1 {
		t.Errorf("headings: %v", headings)
	} else {
		for i, h := range headings[1:] {
			if h > headings[i]+1 {
				t.Errorf("a heading of level %d follows one of level %d", h, headings[i])
			}
		}
	}
	if alone := eval[[]string](b, `[...document.querySelectorAll(".chart")].filter(c => !c.closest("section").querySelector("table") || !c.getAttribute("aria-label")).map(c => c.id)`); len(alone) > 0 {
		t.Errorf("charts without a table or a name: %q", alone)
	}
}

// phoneFits: nothing but tables scrolls to the side.
func phoneFits(t *testing.T, b *tab, _ map[string]any) {
	b.screen(390, 844, true)
	defer b.screen(1280, 900, false)
	if wide := eval[int](b, `Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll(".card *, h2, nav a, .controls *")].map(e => Math.ceil(e.getBoundingClientRect().right))) - 390`); wide > 0 {
		t.Errorf("the page is %d pixels wider than a phone", wide)
	}
	axeRun(t, b, "phone")
}

// paperIsLight: on paper the charts have the colours of a light page, and the controls are gone.
func paperIsLight(t *testing.T, b *tab, _ map[string]any) {
	amountsFit(t, b, 1280)
	b.media("print", "dark")
	if got := eval[string](b, `getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.querySelector(".controls")).display`); got != "rgb(255, 255, 255) none" {
		t.Errorf("on paper: %s", got)
	}
	if got := eval[string](b, `echarts.getInstanceByDom(document.getElementById("chart-time")).getOption().textStyle.color`); got != "#000" {
		t.Errorf("a chart on paper is written in %s", got)
	}
	amountsFit(t, b, 688) // of A4, without its margins
	b.screen(1280, 900, false)
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
	if err != nil || len(pdf) < 10_000 {
		t.Errorf("a PDF of %d bytes: %v", len(pdf), err)
	}
	b.media("", "light")
}

// amountsFit: the amounts of a hundred thousand flows, in a currency of small units, are not cut off.
func amountsFit(t *testing.T, b *tab, width int64) {
	t.Helper()
	b.screen(width, 900, false)
	cut := eval[int](b, `(() => {
		const cells = [...document.querySelectorAll("#money-table td.n")], texts = cells.map(c => c.innerHTML);
		cells.forEach((c, i) => { if (i % 7 !== 1) c.textContent = i % 7 === 6 ? "14,646,690,527.00" : "1,521,877,533.00"; });
		const table = document.getElementById("money-table"), cut = Math.ceil(table.getBoundingClientRect().right - table.parentElement.getBoundingClientRect().right);
		cells.forEach((c, i) => { c.innerHTML = texts[i]; });
		return cut;
	})()`)
	if cut > 0 {
		t.Errorf("%d pixels wide, the amounts by currency are cut by %d", width, cut)
	}
}

// hostile is a text that would do harm where it is not escaped.
const hostile = `</script><script>hostile=1</script><img src=x onerror="hostile=1"><a href="javascript:hostile=1">x</a>{b|x}`

// A text of a recording is shown as it is, whatever is in it, and nothing of it runs.
func TestHostileTexts(t *testing.T) {
	if testing.Short() {
		return
	}
	var lines []byte
	for i, fields := range []map[string]any{
		{
			"phase": "send", "provider": "momo", "operation": "pay", "payment_key": hostile, "order_id": hostile + "o", "request_id": hostile + "r", "amount": 5, "currency": "VND",
			"latency_ms": 10, "code": hostile + "c", "status": hostile + "s", "message": hostile,
		},
		{"phase": "end", "outcome": "failed"},
		{"phase": "truth", "executions": []any{map[string]any{"order_id": hostile + "o", "request_id": hostile + "r", "amount": 5}}},
	} {
		fields["v"], fields["flow"], fields["merchant"], fields["at"] = 1, hostile+"f", hostile+"m", fmt.Sprintf("2026-01-02T03:04:0%dZ", i)
		line, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	recording := filepath.Join(t.TempDir(), "hostile.jsonl")
	if err := os.WriteFile(recording, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	file, _ := pageOf(t, recording)
	b := open(t)
	b.navigate(file)
	type seen struct {
		Ran      bool
		Merchant string
		Story    string
		Elements int
	}
	s := eval[seen](b, `(document.querySelector("button.flow").click(), {Ran: typeof hostile !== "undefined", Merchant: document.querySelector("#by-merchant tbody th").textContent,
		Story: document.getElementById("story").textContent, Elements: document.querySelectorAll("img, a[href^=javascript]").length})`)
	if s.Ran || s.Elements > 0 || s.Merchant != hostile+"m" || !strings.Contains(s.Story, hostile) {
		t.Errorf("%+v", s)
	}
	b.clean()
}

// Without scripts the tables are there.
func TestWithoutScripts(t *testing.T) {
	if testing.Short() {
		return
	}
	file, _ := pageOf(t, filepath.Join("..", "..", "..", "testdata", "recordings", "opi.jsonl.gz"))
	b := open(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.navigate(file)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	if got := eval[string](b, `document.querySelectorAll("main tbody tr").length > 50 && document.querySelector("#columns td.n").textContent || "nothing"`); got == "nothing" {
		t.Error("no tables")
	}
	b.clean()
}
