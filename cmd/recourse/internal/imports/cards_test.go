package imports

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const cardNumber = "4111111111111111"

// Whatever column a mapping takes for whatever field, no card number is in what is written or in what is said.
func TestNoFieldOfARowIsACard(t *testing.T) {
	fields := []string{
		"flow", "at", "phase", "merchant", "provider", "operation", "payment_key", "order_id", "request_id", "provider_id", "amount", "currency", "capture", "verified",
		"latency_ms", "fault", "http_status", "code", "sub_code", "status", "sub_status", "message", "outcome",
	}
	good := map[string]string{
		"at": "2026-01-02T03:04:05Z", "phase": "send", "provider": "momo", "operation": "pay", "order_id": "o-1", "amount": "7", "currency": "VND",
		"body": `{"orderId":4111111111111111,"requestId":"r","amount":7,"resultCode":0}`,
	}
	for _, field := range fields {
		for _, written := range []string{cardNumber, "4111 1111 1111 1111", "x/4111-1111-1111-1111"} {
			toml, row := "[fields]\n", map[string]string{}
			for _, f := range append(fields, "body") {
				toml += fmt.Sprintf("%s = %q\n", f, f)
				row[f] = good[f]
			}
			row[field] = written
			m, err := ReadMapping("m.toml", []byte(toml))
			if err != nil {
				t.Fatal(err)
			}
			var names, values []string
			for _, f := range append(fields, "body") {
				names, values = append(names, f), append(values, `"`+strings.ReplaceAll(row[f], `"`, `""`)+`"`)
			}
			dir := t.TempDir()
			write(t, dir, "a.csv", strings.Join(names, ",")+"\n"+strings.Join(values, ",")+"\n")
			recording, left, sum, err := imported(t, &Options{Mapping: m}, filepath.Join(dir, "a.csv"))
			readable(t, recording)
			if all := strings.ReplaceAll(recording+left+fmt.Sprint(sum.LeftOut, err), dir, ""); strings.Contains(all, "1111") {
				t.Errorf("%s: %s", field, all)
			}
		}
	}
}

// A number stands for the same payment wherever it stands, and two numbers for two.
func TestACardThatIsAName(t *testing.T) {
	m, err := ReadMapping("m.toml", []byte("[set]\nprovider = 'momo'\noperation = 'pay'\n[fields]\nat = 'at'\nphase = 'phase'\norder_id = 'order'\nbody = 'body'\namount = 'amount'\n[values.phase]\nP = 'send'\n'*' = 'query'\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	row := func(second int, phase, order, said string) string {
		return fmt.Sprintf(`{"at":"2026-01-02T03:04:%02dZ","phase":%q,"order":%q,"amount":7,"body":{"orderId":%s,"requestId":"r","amount":7,"resultCode":0,"transId":77}}`+"\n", second, phase, order, said)
	}
	write(t, dir, "a.jsonl", row(1, "P", cardNumber, cardNumber)+row(2, "Q", cardNumber, `"`+cardNumber+`"`)+row(3, "P", "5555555555554444", `"5555555555554444"`))
	recording, left, sum, err := imported(t, &Options{Mapping: m}, filepath.Join(dir, "a.jsonl"))
	if err != nil || sum.Flows != 2 || sum.Queries != 1 || sum.Cards != 3 {
		t.Fatalf("%v, %+v: %s%s", err, sum, recording, left)
	}
	readable(t, recording)
	for line := range strings.Lines(recording) {
		found := regexp.MustCompile(`"order_id":"(card-[a-p]{20})"`).FindStringSubmatch(line)
		if found == nil || !strings.Contains(line, `"flow":"momo/pay/`+found[1]+`"`) || !strings.Contains(line, `"orderId":"`+found[1]+`"`) {
			t.Errorf("not one name: %s", line)
		}
	}
}
