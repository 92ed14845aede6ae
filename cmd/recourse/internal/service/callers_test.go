package service_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
)

// callers are some that no test replaces.
func callers(t testing.TB, l *access.List) *access.Live {
	t.Helper()
	live := new(access.Live)
	if err := live.Open(func() (*access.List, error) { return l, nil }); err != nil {
		t.Fatal(err)
	}
	return live
}

// Tokens of the callers that tests of several merchants have.
const (
	tokenA = "the token of merchant A"
	tokenB = "the token of merchant B"
	people = "the token of people of B"
)

// twoMerchants are programs of the merchants A and B, and people of B. first opens all.
func twoMerchants(t testing.TB) *access.Live {
	t.Helper()
	return callersOf(t, `
[[caller]]
name = "all"
token_sha256 = "`+digestOf(first)+`"
merchants = "*"
may = ["decide", "flows", "webhooks", "look", "settle", "metrics"]

[[caller]]
name = "A"
token_sha256 = "`+digestOf(tokenA)+`"
merchants = ["shop", "shop-eu"]
may = ["decide", "flows", "webhooks"]

[[caller]]
name = "B"
token_sha256 = "`+digestOf(tokenB)+`"
merchants = ["other"]
may = ["decide", "flows", "webhooks"]

[[caller]]
name = "people of B"
token_sha256 = "`+digestOf(people)+`"
merchants = ["other"]
may = ["look", "settle"]
`)
}

func digestOf(token string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(token))) }

func callersOf(t testing.TB, text string) *access.Live {
	t.Helper()
	file := filepath.Join(t.TempDir(), "access.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	live := new(access.Live)
	if err := live.Open(func() (*access.List, error) { return access.Read(file) }); err != nil {
		t.Fatal(err)
	}
	return live
}

// as makes a request with a token.
func (a *api) as(token, method, path, body string) (int, string) {
	a.t.Helper()
	was := a.token
	a.token = token
	defer func() { a.token = was }()
	kind := "application/json"
	if method == "GET" {
		kind = ""
	}
	return a.raw(method, path, kind, body)
}

// same holds two calls of one caller to the same answer, where names stand in for each other.
func (a *api) same(token, what string, names *strings.Replacer, one, other [3]string) {
	a.t.Helper()
	status, text := a.as(token, one[0], one[1], one[2])
	status2, text2 := a.as(token, other[0], other[1], other[2])
	if text, text2 = names.Replace(text), names.Replace(text2); status != status2 || text != text2 {
		a.t.Errorf("%s:\n%d %s, and of what does not exist\n%d %s", what, status, text, status2, text2)
	}
	if status < 400 {
		a.t.Errorf("%s: %d %s", what, status, text)
	}
}

// A flow of another merchant is answered as one that does not exist, whatever is asked about it.
func TestAnotherMerchantsFlowLooksLikeNone(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: twoMerchants(t)})
	status, text := a.as(tokenA, "POST", "/v1/flows", start("caller-01", "k1"))
	var step map[string]any
	if err := json.Unmarshal([]byte(text), &step); err != nil || status != 200 || step["do"] != "send" {
		t.Fatal(status, text)
	}
	theirs, none := step["flow"].(string), "f-AAAAAAAAAAAA-1"
	names := strings.NewReplacer(theirs, "F", none, "F")
	good := fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"timeout"}`, run("caller-01"), step["command"])
	for name, c := range map[string][3]string{
		"look":                   {"GET", "", ""},
		"look as the caller":     {"GET", "?wait_ms=0&caller=" + run("caller-01"), ""},
		"look as an old caller":  {"GET", "?caller=1700000000-0123456789abcdef", ""},
		"a wrong parameter":      {"GET", "?wait_ms=99999999", ""},
		"report":                 {"POST", "/reports", good},
		"report what is wrong":   {"POST", "/reports", strings.Replace(good, `"fault":"timeout"`, `"fault":"timeout","body":"x"`, 1)},
		"report nothing":         {"POST", "/reports", `{}`},
		"withdraw":               {"POST", "/withdraw?wait_ms=0", `{"why":"mine"}`},
		"withdraw without a why": {"POST", "/withdraw", `{"why":""}`},
	} {
		a.same(tokenB, name, names, [3]string{c[0], "/v1/flows/" + theirs + c[1], c[2]}, [3]string{c[0], "/v1/flows/" + none + c[1], c[2]})
	}
	for name, c := range map[string][3]string{
		"see":           {"GET", "", ""},
		"confirm":       {"POST", "/confirm", `{"proposal":"1","why":"mine"}`},
		"resolve":       {"POST", "/resolve", `{"effect":"executed","why":"mine"}`},
		"resolve badly": {"POST", "/resolve", `{"colour":1}`},
		"withdraw":      {"POST", "/withdraw", `{"why":"mine"}`},
	} {
		a.same(people, "people: "+name, names, [3]string{c[0], "/admin/flows/" + theirs + c[1], c[2]}, [3]string{c[0], "/admin/flows/" + none + c[1], c[2]})
	}
	// The command is still the first caller's, and its report counts.
	if status, text = a.as(tokenA, "POST", "/v1/flows/"+theirs+"/reports", good); status != 200 || !strings.Contains(text, `"wait"`) {
		t.Errorf("the report of its own: %d %s", status, text)
	}
	// A report that came is not repeated by another merchant: its answer says nothing of that command.
	_, text = a.as(tokenB, "POST", "/v1/flows", strings.Replace(start("caller-02", "k1"), `"shop"`, `"other"`, 1))
	var own map[string]any
	if err := json.Unmarshal([]byte(text), &own); err != nil || own["do"] != "send" || own["flow"] == theirs {
		t.Fatalf("the same key, order and caller of another merchant: %s", text)
	}
	path := "/v1/flows/" + own["flow"].(string) + "/reports"
	a.same(tokenB, "a command that was reported", strings.NewReplacer(), [3]string{"POST", path, good}, [3]string{"POST", path, strings.Replace(good, step["command"].(string), "none", 1)})
}

// A payment of another merchant is not begun, and the answer does not say whether there is such a merchant, key or order.
func TestAnotherMerchantsPaymentIsNotBegun(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "merchants"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "merchants", "shop.toml"), []byte("[merchant]\nproviders = [\"vnpay\"]\n[[rule]]\nid = \"secret\"\nwhen = 'code == \"41\"'\nthen = \"escalate\"\nreason = \"a secret of the shop\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: twoMerchants(t), PerMerchant: 0.001, Burst: 1})
	if status, text := a.as(tokenA, "POST", "/v1/flows", start("caller-01", "k1")); status != 200 {
		t.Fatal(status, text)
	}
	if err := a.rules.Open(func() (none [sha256.Size]byte) { return none }, func() (*ruleset.Engine, error) { return e, nil }); err != nil {
		t.Fatal(err)
	}
	merchant := func(name string) string {
		body := strings.Replace(start("caller-02", "k1"), `"merchant":"shop"`, name, 1)
		return strings.Replace(body, `,,`, `,`, 1)
	}
	none := [3]string{"POST", "/v1/flows?wait_ms=0", merchant(`"merchant":"no such merchant"`)}
	for name, body := range map[string]string{
		"that exists, with an open key": merchant(`"merchant":"shop"`),
		"that is limited":               strings.ReplaceAll(merchant(`"merchant":"shop"`), "k1", "k2"),
		"another amount under the key":  strings.Replace(merchant(`"merchant":"shop"`), "50000", "1", 1),
		"a provider it does not use":    merchant(`"merchant":"shop"`),
		"in capitals":                   merchant(`"merchant":"Other"`),
		"a Cyrillic letter":             merchant(`"merchant":"оther"`),
		"a combining mark":              merchant(`"merchant":"othe\u0301r"`),
		"an invisible letter":           merchant(`"merchant":"other\u200b"`),
		"a space":                       merchant(`"merchant":"other "`),
		"a zero":                        merchant(`"merchant":"other\u0000"`),
		"half a character":              merchant(`"merchant":"other\ud800"`),
		"a star":                        merchant(`"merchant":"*"`),
		"empty":                         merchant(`"merchant":""`),
		"missing":                       merchant(``),
	} {
		a.same(tokenB, "a merchant "+name, strings.NewReplacer(), [3]string{"POST", "/v1/flows?wait_ms=0", body}, none)
	}
	for name, body := range map[string]string{
		"twice":            merchant(`"merchant":"other","merchant":"shop"`),
		"twice, escaped":   merchant(`"merchant":"other","m\u0065rchant":"shop"`),
		"in other letters": merchant(`"merchant":"other","Merchant":"shop"`),
		"null":             merchant(`"merchant":null`),
		"a list":           merchant(`"merchant":["other","shop"]`),
	} {
		if status, text := a.as(tokenB, "POST", "/v1/flows?wait_ms=0", body); status < 400 || strings.Contains(text, "vnpay") {
			t.Errorf("a merchant %s: %d %s", name, status, text)
		}
	}
	if status, text := a.as(tokenB, "POST", "/v1/flows?merchant=shop", merchant(`"merchant":"other"`)); status != 200 || !strings.Contains(text, `"other"`) {
		t.Errorf("its own: %d %s", status, text)
	}
	for _, path := range []string{"/v1/decide", "/v1/explain"} {
		ask := func(name string) [3]string {
			return [3]string{"POST", path, `{"provider":"momo",` + name + `"operation":"pay","code":41}`}
		}
		none := ask(`"merchant":"no such merchant",`)
		for _, name := range []string{`"merchant":"shop",`, `"merchant":"Other",`, `"merchant":"",`, ``, `"merchant":"other\u0000",`} {
			a.same(tokenB, path+" "+name, strings.NewReplacer(), ask(name), none)
		}
		for _, name := range []string{`"merchant":"other","merchant":"shop",`, `"merchant":"other","MERCHANT":"shop",`} {
			if status, text := a.as(tokenB, "POST", path, ask(name)[2]); status < 400 || strings.Contains(text, "secret") {
				t.Errorf("%s %s: %d %s", path, name, status, text)
			}
		}
		if status, text := a.as(tokenB, "POST", path, ask(`"merchant":"other",`)[2]); status != 200 || strings.Contains(text, "secret") {
			t.Errorf("%s of its own: %d %s", path, status, text)
		}
	}
	if status, text := a.as(tokenB, "GET", "/v1/codes/momo", ""); status != 200 || strings.Contains(text, "secret") {
		t.Errorf("codes: %d %s", status, text)
	}
}

// Of a batch the lines of other merchants are refused, and no other.
func TestABatchOfSeveralMerchants(t *testing.T) {
	a := newAPI(t, service.Options{Access: twoMerchants(t)})
	a.token = tokenB
	line := func(merchant string) string {
		return fmt.Sprintf(`{"provider":"momo","merchant":%q,"operation":"pay","code":41}`, merchant)
	}
	_, text := a.raw("POST", "/v1/decide", "application/x-ndjson", strings.Join([]string{line("other"), line("shop"), line("none"), line(""), `{"provider":"momo","operation":"pay"}`, line("other")}, "\n"))
	got := strings.Split(strings.TrimSpace(text), "\n")
	if len(got) != 6 || strings.Contains(got[0], "error") || got[5] != got[0] {
		t.Fatalf("%q", got)
	}
	for i := 1; i < 5; i++ {
		if got[i] != got[2] || !strings.Contains(got[i], "may act for") {
			t.Errorf("line %d: %s", i+1, got[i])
		}
	}
}

// A webhook moves the flows of the merchants of its caller, and no other's: not by a name that it leaves out, and not by the URL.
func TestAnotherMerchantsWebhook(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: twoMerchants(t)})
	status, text := a.as(tokenA, "POST", "/v1/flows", start("caller-01", "k1"))
	var step map[string]any
	if err := json.Unmarshal([]byte(text), &step); err != nil || status != 200 {
		t.Fatal(status, text)
	}
	notice := func(merchant string, request any) string {
		said, err := json.Marshal(map[string]any{"partnerCode": "P", "orderId": "order-k1", "requestId": request, "amount": 50000, "transId": 77, "resultCode": 0, "message": "ok", "orderType": "momo_wallet"})
		if err != nil {
			t.Fatal(err)
		}
		body := map[string]any{"provider": "momo", "verified": true, "body": string(said)}
		if merchant != "none" {
			body["merchant"] = merchant
		}
		whole, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return string(whole)
	}
	for _, merchant := range []string{"shop", "no such", "", "none", "Other", "*"} {
		for _, path := range []string{"/v1/webhooks", "/v1/webhooks?merchant=other", "/v1/webhooks?merchant=shop"} {
			if status, text := a.as(tokenB, "POST", path, notice(merchant, step["request_id"])); status != http.StatusForbidden || strings.Contains(text, "shop") {
				t.Errorf("%s for %q: %d %s", path, merchant, status, text)
			}
		}
	}
	for _, request := range []any{step["request_id"], "no such request"} {
		if status, text := a.as(tokenB, "POST", "/v1/webhooks?merchant=shop", notice("other", request)); status != http.StatusNoContent || text != "" {
			t.Errorf("for its own: %d %s", status, text)
		}
	}
	path := "/v1/flows/" + step["flow"].(string)
	if _, text := a.as(tokenA, "GET", path+"?wait_ms=0", ""); !strings.Contains(text, `"busy"`) {
		t.Errorf("after webhooks of another merchant: %s", text)
	}
	if status, _ := a.as(tokenA, "POST", "/v1/webhooks", notice("shop", step["request_id"])); status != http.StatusNoContent {
		t.Error(status)
	}
	report := fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"timeout"}`, run("caller-01"), step["command"])
	a.as(tokenA, "POST", path+"/reports", report) // the command may be over by now
	if _, text := a.as(tokenA, "GET", path+"?wait_ms=20000", ""); !strings.Contains(text, `"succeeded"`) {
		t.Errorf("after its own: %s", text)
	}
}

// A token opens what is listed for it, and nothing else, also where it may act for all merchants.
func TestVerbs(t *testing.T) {
	text := ""
	calls := map[string][][3]string{
		"decide":   {{"POST", "/v1/decide", `{"provider":"momo","operation":"pay","code":41}`}, {"POST", "/v1/explain", `{"provider":"momo","operation":"pay","code":41}`}, {"GET", "/v1/codes/momo", ""}},
		"flows":    {{"POST", "/v1/flows?wait_ms=0", start("caller-01", "k1")}, {"GET", "/v1/flows/f-1", ""}, {"POST", "/v1/flows/f-1/withdraw", `{"why":"x"}`}, {"POST", "/v1/flows/f-1/reports", `{"caller":"c","command":"c","fault":"timeout"}`}},
		"webhooks": {{"POST", "/v1/webhooks", `{"provider":"momo","body":"{}"}`}},
		"look":     {{"GET", "/admin/flows", ""}, {"GET", "/admin/flows/f-1", ""}, {"GET", "/admin/", ""}, {"GET", "/admin/export", ""}, {"GET", "/admin/audit", ""}},
		"settle":   {{"POST", "/admin/flows/f-1/resolve", `{"effect":"executed","why":"b"}`}, {"POST", "/admin/prune", `{"older_than":"9000h","why":"b"}`}},
		"metrics":  {{"GET", "/metrics", ""}},
	}
	for verb := range calls {
		text += fmt.Sprintf("[[caller]]\nname = %q\ntoken_sha256 = %q\nmerchants = \"*\"\nmay = %q\n", verb, digestOf("the token to "+verb), verb)
	}
	a := newAPI(t, service.Options{
		Journal: journal.NewMemory(), Access: callersOf(t, text+"[[caller]]\nname = \"all\"\ntoken = \""+strings.ReplaceAll(first, " ", "-")+"\"\nmerchants = \"*\"\nmay = \"decide\"\n[[caller]]\nname = \"first\"\ntoken_sha256 = \""+digestOf(first)+"\"\nmerchants = \"*\"\nmay = \"decide\"\n"),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) }),
	})
	for token := range calls {
		for verb, all := range calls {
			for _, c := range all {
				status, text := a.as("the token to "+token, c[0], c[1], c[2])
				if opened := status != http.StatusForbidden; opened != (token == verb) {
					t.Errorf("the token to %s: %s %s: %d %s", token, c[0], c[1], status, text)
				}
				if status, _ := a.as("the token of none", c[0], c[1], c[2]); status != http.StatusUnauthorized {
					t.Errorf("no token: %s %s: %d", c[0], c[1], status)
				}
			}
		}
	}
}

// People of one merchant see and settle its flows, and no path leads to another's.
func TestPeopleOfOneMerchant(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: twoMerchants(t)})
	flows := map[string]string{}
	for merchant, token := range map[string]string{"shop": tokenA, "other": tokenB} {
		_, text := a.as(token, "POST", "/v1/flows", strings.Replace(start("caller-01", "k1"), `"shop"`, fmt.Sprintf("%q", merchant), 1))
		var step map[string]any
		if err := json.Unmarshal([]byte(text), &step); err != nil {
			t.Fatal(err)
		}
		flows[merchant] = step["flow"].(string)
	}
	for path, want := range map[string]int{
		"/flows?merchant=other":                                   200,
		"/flows/" + flows["other"]:                                200,
		"/flows":                                                  403,
		"/flows?merchant=shop":                                    403,
		"/flows?merchant=":                                        403,
		"/flows?merchant=other&merchant=shop":                     403,
		"/flows?merchant=other;merchant=shop":                     403,
		"/flows?Merchant=other":                                   403,
		"/flows?merchant=other&Merchant=shop":                     400,
		"/flows/" + flows["shop"]:                                 404,
		"/flows/" + flows["other"] + "%2F..%2F" + flows["shop"]:   403,
		"/flows/" + flows["other"] + "/..%2F" + flows["shop"]:     403,
		"/flows/" + flows["other"] + "/%2e%2e/" + flows["shop"]:   403,
		"/flows/" + flows["other"] + "/resolve/../" + "/export":   403,
		"//flows/" + flows["shop"]:                                403,
		"/":                                                       403,
		"/flow?id=" + flows["other"]:                              403,
		"/export?merchant=other":                                  403,
		"/counts?merchant=other":                                  403,
		"/breakers?merchant=other":                                403,
		"/audit":                                                  403,
		"/backup":                                                 403,
		"/flows/" + flows["other"] + "?x=/../../" + flows["shop"]: 400,
	} {
		status, text := a.as(people, "GET", "/admin"+path, "")
		if status != want && !(want == 400 && status == 200) || strings.Contains(text, flows["shop"]) && status == 200 || strings.Contains(text, `"shop"`) {
			t.Errorf("%s: %d %s, want %d", path, status, text, want)
		}
	}
	settle := `{"why":"mine"}`
	if status, text := a.as(people, "POST", "/admin/flows/"+flows["other"]+"/withdraw", `{"who":"ann","why":"mine"}`); status != http.StatusForbidden {
		t.Errorf("by another name than the token's: %d %s", status, text)
	}
	if status, text := a.as(people, "POST", "/admin/flows/"+flows["other"]+"/withdraw", settle); status != 200 {
		t.Errorf("its own: %d %s", status, text)
	}
	if _, text := a.as(people, "GET", "/admin/flows/"+flows["other"], ""); !strings.Contains(text, `"people of B"`) {
		t.Errorf("the audit trail does not name the caller: %s", text)
	}
	if status, _ := a.as(people, "POST", "/admin/prune", `{"older_than":"9000h","who":"b","why":"mine"}`); status != http.StatusForbidden {
		t.Errorf("prune: %d", status)
	}
}

// A caller that is allowed payments without a merchant sees no others by leaving the name empty: to the journal an empty one means any.
func TestPeopleOfPaymentsWithoutAMerchant(t *testing.T) {
	const nameless = "the token of people of none"
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: callersOf(t, `
[[caller]]
name = "all"
token_sha256 = "`+digestOf(first)+`"
merchants = "*"
may = ["flows"]

[[caller]]
name = "people of payments without a merchant"
token_sha256 = "`+digestOf(nameless)+`"
merchants = ["", "other"]
may = ["look", "settle"]
`)})
	flows := map[string]string{}
	for _, merchant := range []string{"shop", "other", ""} {
		_, text := a.as(first, "POST", "/v1/flows", strings.Replace(start("caller-01", "k1"), `"shop"`, fmt.Sprintf("%q", merchant), 1))
		var step map[string]any
		if err := json.Unmarshal([]byte(text), &step); err != nil || step["flow"] == nil {
			t.Fatal(text)
		}
		flows[merchant], _ = step["flow"].(string)
	}
	for path, want := range map[string]int{
		"/flows?merchant=&standing=any":      403,
		"/flows?merchant":                    403,
		"/flows?standing=any":                403,
		"/flows?merchant=other&standing=any": 200,
		"/flows/" + flows[""]:                200,
		"/flows/" + flows["other"]:           200,
		"/flows/" + flows["shop"]:            404,
	} {
		status, text := a.as(nameless, "GET", "/admin"+path, "")
		if status != want || status == 200 && (strings.Contains(text, flows["shop"]) || strings.Contains(text, `"shop"`)) {
			t.Errorf("%s: %d %s, want %d", path, status, text, want)
		}
	}
}

// A row that cannot be read is an error to its merchant, and nothing to another.
func TestAnotherMerchantsDamagedFlowLooksLikeNone(t *testing.T) {
	j := journal.NewMemory()
	row := journal.Row{ID: "f-damaged-1", Version: 1, Key: journal.Key{Merchant: "shop", Operation: 1, Payment: "k"}, Provider: "momo", State: []byte("{not a state"), At: time.Now(), Standing: "failed"}
	if err := j.Put(t.Context(), &row, journal.Synced); err != nil {
		t.Fatal(err)
	}
	a := newAPI(t, service.Options{Journal: j, Access: twoMerchants(t)})
	if status, text := a.as(tokenA, "GET", "/v1/flows/f-damaged-1", ""); status != http.StatusServiceUnavailable {
		t.Errorf("to its own merchant: %d %s", status, text)
	}
	a.same(tokenB, "damaged", strings.NewReplacer("f-damaged-1", "F", "f-damaged-2", "F"), [3]string{"GET", "/v1/flows/f-damaged-1", ""}, [3]string{"GET", "/v1/flows/f-damaged-2", ""})
	a.same(people, "damaged, to people", strings.NewReplacer("f-damaged-1", "F", "f-damaged-2", "F"), [3]string{"GET", "/admin/flows/f-damaged-1", ""}, [3]string{"GET", "/admin/flows/f-damaged-2", ""})
}

// Callers are replaced while the service runs, also those of a connection that stays open.
func TestCallersAreReplaced(t *testing.T) {
	var log lockedBuffer
	live := new(access.Live)
	l := access.Simple(first, "")
	wrong := errors.New("a mistake")
	var err error
	if e := live.Open(func() (*access.List, error) { return l, err }); e != nil {
		t.Fatal(e)
	}
	a := newAPI(t, service.Options{Access: live, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	get := func(token string, want int) {
		t.Helper()
		if status, text := a.as(token, "GET", "/v1/codes/momo", ""); status != want {
			t.Errorf("%d %s, want %d", status, text, want)
		}
	}
	get(first, 200)
	l, err = nil, wrong
	if live.Reload() == nil {
		t.Error("a mistake is no error")
	}
	get(first, 200)
	l, err = access.Simple("the token that is new", ""), nil
	if err := live.Reload(); err != nil {
		t.Fatal(err)
	}
	get(first, 401)
	get("the token that is new", 200)
}
