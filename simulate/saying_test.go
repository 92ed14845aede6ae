package simulate

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

var itsMessage = regexp.MustCompile(`("(?:message|ret_msg|failedMessage|error_description|msg)":")([^"]+)`)

// traced is half a day of the shipped recordings, in which each message has something of its own.
func traced(own string) input {
	var b bytes.Buffer
	for i, l := range halfADay() {
		b.Write(itsMessage.ReplaceAll([]byte(l), fmt.Appendf(nil, "${1}${2}"+own, i)))
		b.WriteByte('\n')
	}
	return raw("traced", b.Bytes())
}

// Messages that all differ cost no kinds and no patterns where nothing reads them, and change nothing of the report.
func TestMessagesThatAllDiffer(t *testing.T) {
	plain := newLore(false)
	want := simulate(t, Options{lore: plain}, traced(""))
	for _, own := range []string{" (trace %08x)", " (trace %[1]d, %[1]x)"} {
		o := Options{lore: newLore(false)}
		sameReport(t, want, o, traced(own))
		o.lore = newLore(false)
		simulate(t, o, traced(own))
		if kinds, known := len(o.lore.kinds.known), len(plain.kinds.known); kinds != known {
			t.Errorf("%d kinds, %d without traces", kinds, known)
		}
		if o.lore.size > plain.size*11/10 {
			t.Errorf("%d bytes of patterns, %d without traces", o.lore.size, plain.size)
		}
	}
}

// A line that has a pattern but for its message is read by it; where the message has bytes that may mean something else it is read in general.
func TestAMessageIsAHole(t *testing.T) {
	const begin = `{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","body":{"orderId":"o","resultCode":0,"message":"`
	for _, reads := range []bool{true, false} {
		e := defaults(t)
		r := newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(reads))
		r.kinds.most[nothing] = 0
		learn(t, r, []byte(begin+`ok"}}`))
		for message, known := range map[string]bool{"ok": true, "fine, and (trace 77)": true, "": false, "0": false, "[]": false, `tr\u0061ce`: false, "thành công": false} {
			if is := readsAlike(t, r, []byte(begin+message+`"}}`)); is != known {
				t.Errorf("%q, with messages that are read %t: known %t", message, reads, is)
			}
		}
	}
}

// Where a rule reads messages, it reads those that all differ, whatever is left out of the kinds of lines.
func TestRulesThatReadMessages(t *testing.T) {
	e := withRules(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id   = "odd-traces"
when = 'message startsWith "busy" and message endsWith "1)"'
then = "escalate"
`})
	if defaults(t).Mentions("message") || !e.Mentions("message") {
		t.Fatal("which rules read messages is not known")
	}
	var lines []string
	for i := range 400 {
		flow := fmt.Sprintf("f-%d", i)
		lines = append(lines, jsonLine(t, flow, 0, "send", fields{"order_id": "o-" + flow, "http_status": 200, "body": fields{"resultCode": 1006, "message": fmt.Sprintf("busy (trace %d)", i)}}))
	}
	for _, most := range [][4]int{newKinds(true).most, {4, 8, 8, 12}, {0, 0, 0, 12}} {
		o := Options{Decider: e, Catalogs: e.Catalogs, lore: newLore(true)}
		o.lore.kinds.most = most
		r := simulate(t, o, text("busy", lines...))
		if n := r.Simulated.Escalated; n != 40 {
			t.Errorf("at most %v kinds: %d flows are escalated", most, n)
		}
		if len(o.lore.kinds.known) > most[itsWords] {
			t.Errorf("%d kinds", len(o.lore.kinds.known))
		}
	}
	if r := simulate(t, Options{Decider: e, Catalogs: e.Catalogs}, text("busy", lines...)); r.Simulated.Escalated != 40 {
		t.Error("messages are left out, and a rule reads them")
	}
}

// A story shows the message of each answer, whatever the rules read.
func TestStoriesShowMessages(t *testing.T) {
	var lines []string
	for i := range 40 {
		flow := fmt.Sprintf("f-%d", i)
		lines = append(lines, jsonLine(t, flow, 0, "send", fields{"order_id": "o-" + flow, "http_status": 200, "body": fields{"resultCode": 10, "message": fmt.Sprintf("trace %d", i)}}))
	}
	for _, most := range [][4]int{newKinds(true).most, {4, 8, 8, 12}, {0, 0, 0, 12}} {
		o := Options{Flow: "f-33", lore: newLore(true)}
		o.lore.kinds.most = most
		r := simulate(t, o, text("traces", lines...))
		if story := asJSON(t, r.Stories()); !strings.Contains(story, `trace 33`) {
			t.Errorf("at most %v kinds:\n%s", most, story)
		}
	}
	if story := asJSON(t, simulate(t, Options{Flow: "f-33"}, text("traces", lines...)).Stories()); !strings.Contains(story, `trace 33`) {
		t.Error(story)
	}
}
