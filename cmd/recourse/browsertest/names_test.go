package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// names are texts that a browser, a script or a reader could take for something else.
var names = []string{
	"</script><!--<script>", "a\rb", "a\r\nb", "a\nb", "a\x00b", "%0d 100%", "x\u2028y\u2029z", "shop\u202egpj.exe", "\u2066left\u200fopen", "__proto__", "constructor", "toString", "other answers",
	"a.b.c", "{b|x}{c}", "'; rm -rf ~; '", "متجر الشاي", strings.Repeat("n", 4_000), "a" + strings.Repeat("\u0301", 200), "4111 1111 1111 1111",
}

const large = 900_000_000_000_001 // eleven of them are beyond 2^53

// namesRecording has each name in every field, with money that was paid and marked as failed.
func namesRecording(t *testing.T) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "names.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(file)
	for i := range len(names) * 11 {
		n := names[i%len(names)]
		flow, order, request := fmt.Sprint(n, "f", i), fmt.Sprint(i, "o"), fmt.Sprint(i, "r")
		amount := large + i/len(names)*(i%len(names))
		at := func(m int) string { return fmt.Sprintf("2026-01-%02dT%02d:%02d:05+07:00", 2+i/24, i%24, m) }
		for _, l := range []map[string]any{
			{
				"at": at(1), "phase": "send", "provider": "momo", "operation": "pay", "payment_key": fmt.Sprint(n, "k", i), "order_id": order, "request_id": request, "amount": amount, "currency": "VND",
				"latency_ms": 1000, "code": n[:min(len(n), 300)], "message": n, "tags": map[string]string{"x": n},
			},
			{"at": at(2), "phase": "end", "outcome": "failed"},
			{"at": at(3), "phase": "truth", "executions": []any{map[string]any{"order_id": order, "request_id": request, "amount": amount}}},
		} {
			l["v"], l["flow"], l["merchant"] = 1, flow, n
			if err := enc.Encode(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// TestHostileNames: whatever flows, merchants and answers are called, numbers lead to their flows, are those of the report
// beyond 2^53, and nothing reorders its line.
func TestHostileNames(t *testing.T) {
	if testing.Short() {
		return
	}
	file, raw := pageOf(t, namesRecording(t), "--outage", "momo:pay:1h")
	if info, err := os.Stat(file); err != nil || info.Size() > 8<<20 {
		t.Errorf("the page: %v, %v", info, err)
	}
	b := open(t)
	b.navigate(file)
	if got := eval[[]string](b, `[...document.querySelectorAll("[data-behind]")].filter(e => ![...document.getElementById("flows-behind").options].some(o => o.value === e.dataset.behind)).map(e => e.dataset.behind)`); len(got) > 0 {
		t.Errorf("numbers that lead nowhere: %q", got)
	}
	lists := eval[[]string](b, `[...document.querySelectorAll("[data-behind^='codes']")].map(e => { e.click(); return document.getElementById("flows-says").textContent.includes(" " + e.textContent + " flows stand") + "|" + document.querySelectorAll("#flows-table tbody tr").length; })`)
	if len(lists) < len(names) {
		t.Errorf("only %d codes lead to flows", len(lists))
	}
	for _, l := range lists {
		if l != "true|3" {
			t.Errorf("a list of flows: %.200q", l)
		}
	}
	wantExact(t, b, raw)
	tablesSort(t, b, nil)
	if got := eval[[]string](b, `(() => { const wrong = []; const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); document.querySelector("button.flow").click();
		while (walk.nextNode()) if (!walk.currentNode.parentElement.closest("script") && /[\u202a-\u202e\u200f]/.test(walk.currentNode.data)) wrong.push(walk.currentNode.data.slice(0, 100)); return wrong; })()`); len(got) > 0 {
		t.Errorf("texts that turn their line around: %q", got)
	}
	eval[any](b, `document.getElementById("story-close").click()`)
	starts := eval[[]string](b, `(() => { const c = document.getElementById("flows-behind"); c.value = ""; c.dispatchEvent(new Event("change")); document.querySelectorAll("#flows-table thead button")[1].click();
		return [...document.querySelectorAll("#flows-table tbody tr")].map(r => r.cells[1].textContent); })()`)
	if len(starts) != 50 || !slices.IsSorted(starts) && !slices.IsSortedFunc(starts, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("starts are not sorted: %q", starts)
	}
	if drawn := eval[string](b, `document.getElementById("chart-ways").textContent`); strings.Contains(drawn, "native code") || !strings.Contains(drawn, "constructor") && !strings.Contains(drawn, "proto") && !strings.Contains(drawn, "other answers") {
		t.Errorf("the chart of ways: %.2000s", drawn)
	}
	phoneFits(t, b, nil)
	b.clean()
}

// wantExact compares each number of the page with the report, digit by digit.
func wantExact(t *testing.T, b *tab, raw []byte) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var report map[string]any
	if err := d.Decode(&report); err != nil {
		t.Fatal(err)
	}
	beyond := 0
	for _, s := range eval[[][2]string](b, `[...document.querySelectorAll("[data-path]")].map(e => [e.dataset.path, e.dataset.raw])`) {
		sum := int64(0)
		for _, path := range strings.Fields(s[0]) {
			v := any(report)
			for _, key := range strings.Split(path, ".") {
				if i, err := strconv.Atoi(key); err == nil {
					v = v.([]any)[i]
				} else {
					v = v.(map[string]any)[key]
				}
			}
			if n, is := v.(json.Number); is {
				i, err := n.Int64()
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				sum += i
			}
		}
		if strconv.FormatInt(sum, 10) != s[1] {
			t.Errorf("%s is %d, and the page says %s", s[0], sum, s[1])
		}
		if sum > 1<<53 {
			beyond++
		}
	}
	if beyond == 0 {
		t.Error("no number is beyond 2^53")
	}
	type money struct{ Written, Amount string }
	risks := eval[[]money](b, `(() => { const o = echarts.getInstanceByDom(document.getElementById("chart-risk")).getOption(); return o.series[0].data.map((n, i) => ({Written: o.tooltip[0].formatter({name: "", dataIndex: i, value: n}), Amount: String(n)})); })()`)
	digits := func(text string) string {
		return strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c < '0' || c > '9' }), "")
	}
	for _, m := range risks {
		if !strings.Contains(string(raw), `"amount":`+digits(m.Written)) && !strings.Contains(string(raw), `"amount": `+digits(m.Written)) {
			t.Errorf("the chart says %q, which is no amount of the report", m.Written)
		}
	}
	if len(risks) == 0 {
		t.Error("the chart of money is empty")
	}
}
