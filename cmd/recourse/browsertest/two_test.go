package browsertest

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// TestTwoPersons: one person proposes, and cannot confirm; another confirms, or rejects. Both have a keyboard and no script,
// and who they are is known, not typed.
func TestTwoPersons(t *testing.T) {
	if testing.Short() {
		return
	}
	var who atomic.Value
	who.Store("ann")
	d := serveConsole(t, 4, executor.Config{TwoPersons: true, AdminWho: func(*http.Request) (string, error) { return who.Load().(string), nil }})
	b := open(t)
	b.scripts(false)
	for _, end := range []struct {
		order, button string
		stands        policy.Outcome
	}{{"o-0", "confirm", policy.Succeeded}, {"o-2", "reject", policy.Open}} {
		who.Store("ann")
		proposeByKeyboard(t, b, d, end.order)
		press := func(button, why string) {
			b.reach(`[name=why]`) // the first: of the proposal or of what was typed there before
			b.do(chromedp.KeyEvent(why))
			b.reach(`button[value=` + button + `]`)
			b.do(chromedp.KeyEvent(kb.Enter))
		}
		twoPersonsPage(t, b, end.order+", to who proposed it")
		press("confirm", "I am certain")
		d.until(t, func() bool { return d.arrived(b, ".fault") })
		if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "a second person confirms") || d.state(t, end.order).Outcome != policy.Open {
			t.Fatalf("who proposed it confirms it: the flow is %s, the page says %s", d.state(t, end.order).Outcome, text)
		}
		who.Store("bob")
		b.visit(d.flow(end.order))
		twoPersonsPage(t, b, end.order+", to the second person")
		if shown := eval[string](b, `document.querySelector("[aria-labelledby=proposals]").innerText`); !strings.Contains(shown, "ann proposed") || !strings.Contains(shown, "settlement file, line 7") || !strings.Contains(shown, end.order) {
			t.Errorf("the proposal is shown as %s", shown)
		}
		press(end.button, "the portal says so")
		d.until(t, func() bool {
			if d.arrived(b, ".fault") { // the flow has changed meanwhile
				press(end.button, "")
			}
			return d.arrived(b, ".done")
		})
		twoPersonsPage(t, b, end.order+", done")
		if got := d.state(t, end.order); got.Outcome != end.stands {
			t.Errorf("after %s the flow is %s", end.button, got.Outcome)
		}
		if left := eval[int](b, `document.querySelectorAll("button[value=confirm]").length`); left > 0 {
			t.Errorf("after %s it waits still", end.button)
		}
		if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "ann") || !strings.Contains(text, "bob") || !strings.Contains(text, "the portal says so") {
			t.Errorf("the trail is %s", text)
		}
	}
	b.forgive("the server responded with a status of 409")
	b.clean()
}

// scripts lets those of the page run, or not.
func (b *tab) scripts(run bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// arrived reports whether a page has come, and has what a selector names.
func (d *desk) arrived(b *tab, selector string) bool {
	b.t.Helper()
	return eval[bool](b, `document.readyState === "complete" && !!document.querySelector("`+selector+`")`)
}

// proposeByKeyboard goes from the list to the flow, and proposes that it executed.
func proposeByKeyboard(t *testing.T, b *tab, d *desk, order string) {
	t.Helper()
	b.visit(d.flow(order))
	b.reach(`form [name=effect]`)
	b.do(chromedp.KeyEvent(" "))
	b.reach(`[name=who]`)
	b.do(chromedp.KeyEvent("eve")) // which cannot be typed over
	if got := eval[string](b, `document.activeElement.value + " " + document.activeElement.readOnly`); got != "ann true" {
		t.Errorf("who is %q", got)
	}
	b.reach(`[name=why]`)
	b.do(chromedp.KeyEvent("settlement file, line 7"), chromedp.KeyEvent(kb.Enter))
	d.until(t, func() bool {
		if d.arrived(b, ".fault") {
			b.reach(`form [name=effect]`)
			b.reach(`[name=why]`)
			b.do(chromedp.KeyEvent(kb.Enter))
		}
		return d.arrived(b, ".done")
	})
	if d.state(t, order).Outcome != policy.Open {
		t.Fatal("one person resolved it")
	}
}

// twoPersonsPage: axe-core finds nothing on the page, dark or light, wide or narrow.
func twoPersonsPage(t *testing.T, b *tab, where string) {
	t.Helper()
	b.scripts(true) // axe is one
	defer b.scripts(false)
	b.media("", "dark")
	axeRun(t, b, where+", dark")
	b.media("", "light")
	b.screen(390, 844, true)
	if wide := eval[int](b, `document.documentElement.scrollWidth - 390`); wide > 0 {
		t.Errorf("%s: %d pixels wider than a phone", where, wide)
	}
	axeRun(t, b, where+", phone")
	b.screen(1280, 900, false)
}
