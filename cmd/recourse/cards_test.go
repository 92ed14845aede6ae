package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Whatever name, code or message of a recording is a card number, none is shown, and the names of one report stay apart.
func TestNoReportShowsACard(t *testing.T) {
	const first, second = "4111111111111111", "5555555555554444"
	recorded := func(card string) string {
		return strings.ReplaceAll(`{"v":1,"flow":"f-CARD","at":"2026-01-02T03:04:05.000Z","phase":"send","merchant":"m-CARD","provider":"momo","operation":"pay","payment_key":"k-CARD","order_id":"o-CARD","request_id":"r-CARD","amount":1000,"currency":"VND","http_status":200,"code":"CARD","status":"CARD","message":"card CARD"}
{"v":1,"flow":"f-CARD","at":"2026-01-02T03:04:06.000Z","phase":"send","merchant":"m-CARD","provider":"momo","operation":"refund","order_id":"o-CARD","request_id":"r-CARD","amount":1000,"currency":"VND","http_status":200,"code":"1"}
{"v":1,"flow":"f-CARD","at":"2026-01-02T03:04:07.000Z","phase":"end","merchant":"m-CARD","outcome":"failed"}
{"v":1,"flow":"f-CARD","at":"2026-01-02T03:05:07.000Z","phase":"truth","merchant":"m-CARD","executions":[{"order_id":"o-CARD","request_id":"r-CARD","amount":1000,"at":"2026-01-02T03:04:06.000Z"}]}
`, "CARD", card)
	}
	dir := t.TempDir()
	name, page := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "p.html")
	if err := os.WriteFile(name, []byte(recorded(first)+recorded(second)), 0o600); err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("card-[a-p]{20}")
	for _, args := range []string{
		"simulate", "simulate --json", "simulate --by merchant", "simulate --against embedded --json", "simulate --list recorded.failed", "simulate --list recorded.failed --json",
		"simulate --flow f-" + first, "simulate --json --flow f-" + first, "simulate --html " + page, "audit", "audit --json",
	} {
		_, out, errs := command(append(strings.Fields(args), name)...)
		if strings.Contains(args, "--html") {
			data, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			out += string(data)
		}
		if all := out + errs; strings.Contains(all, first) || strings.Contains(all, second) {
			t.Errorf("%s: %s", args, regexp.MustCompile(".{0,60}("+first+"|"+second+").{0,20}").FindString(all))
		}
		different := map[string]bool{}
		for _, n := range named.FindAllString(out, -1) {
			different[n] = true
		}
		if want := 2; len(different) != want && !strings.Contains(args, "--flow") && (strings.Contains(args, "--list") || strings.Contains(args, "audit")) {
			t.Errorf("%s: %d names for two cards: %s", args, len(different), out)
		}
	}
}
