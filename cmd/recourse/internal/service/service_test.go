package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
)

// api is a service under test. Every answer is held against the description of the interface.
type api struct {
	t       *testing.T
	service *service.Service
	url     string
	token   string
	rules   *ruleset.Live
	doc     map[string]any
	schemas *jsonschema.Compiler
}

// first is the token by which a test that has callers begins.
const first = "the token of programs"

func newAPI(t *testing.T, o service.Options) *api {
	t.Helper()
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	o.Rules = liveRules(t, e)
	s, err := service.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	a := &api{t: t, service: s, url: server.URL, rules: o.Rules, schemas: jsonschema.NewCompiler()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Close(ctx) // a test may leave a command with its caller
		server.Close()
	})
	if o.Access != nil && o.Access.Now().Find("Bearer "+first, nil) != nil {
		a.token = first
	}
	status, text := a.raw(http.MethodGet, "/openapi.json", "", "")
	if status != http.StatusOK {
		t.Fatalf("openapi.json: %d %s", status, text)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	a.doc = doc.(map[string]any)
	if v := a.doc["openapi"]; !strings.HasPrefix(v.(string), "3.1.") {
		t.Errorf("the description is of OpenAPI %v", v)
	}
	a.schemas.DefaultDraft(jsonschema.Draft2020)
	if err := a.schemas.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *api) raw(method, path, kind, body string) (int, string) {
	a.t.Helper()
	r, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// do sends JSON, wants a status, and holds the answer against the description.
func (a *api) do(want int, method, path, body string) map[string]any {
	a.t.Helper()
	status, text := a.raw(method, path, "application/json", body)
	if status != want {
		a.t.Fatalf("%s %s: %d %s, want %d", method, path, status, text, want)
	}
	if text == "" {
		return nil
	}
	answer, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		a.t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	a.conforms(method, path, status, answer)
	object, _ := answer.(map[string]any)
	return object
}

// conforms holds an answer against the schema of its operation.
func (a *api) conforms(method, path string, status int, answer any) {
	a.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for template, item := range a.doc["paths"].(map[string]any) {
		if !regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(template, "[^/]+") + "$").MatchString(path) {
			continue
		}
		operation, _ := item.(map[string]any)[strings.ToLower(method)].(map[string]any)
		response, ok := operation["responses"].(map[string]any)[fmt.Sprint(status)].(map[string]any)
		if !ok {
			a.t.Errorf("%s %s answers with %d, which the description does not name", method, template, status)
			return
		}
		content, _ := response["content"].(map[string]any)
		for kind := range content {
			at := "openapi.json#/paths/" + escaped(template) + "/" + strings.ToLower(method) + "/responses/" + fmt.Sprint(status) + "/content/" + escaped(kind) + "/schema"
			schema, err := a.schemas.Compile(at)
			if err != nil {
				a.t.Fatal(err)
			}
			if err := schema.Validate(answer); err != nil {
				a.t.Errorf("%s %s: the answer is not as described: %v", method, template, err)
			}
			return
		}
		a.t.Errorf("%s %s: the description has no content for %d", method, template, status)
		return
	}
	a.t.Errorf("the description has no %s %s", method, path)
}

// escaped is a key in a JSON pointer in a URL.
func escaped(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}

var began = time.Now().Unix()

// run is a caller that was made when the test began.
func run(name string) string {
	return fmt.Sprintf("%d-%s", began, strings.ReplaceAll(name, "-", "")+"0123456789abcdef")
}

func start(caller, key string) string {
	caller = run(caller)
	return fmt.Sprintf(`{"caller":%q,"provider":"momo","merchant":"shop","operation":"pay","payment_key":%q,"order_id":%q,"amount":50000,"currency":"VND"}`, caller, key, "order-"+key)
}

// A payment that times out, is asked for, and is found paid.
func TestFlowFromStartToEnd(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	if step["do"] != "send" {
		t.Fatalf("%v", step)
	}
	flow := "/v1/flows/" + step["flow"].(string)
	if got := a.do(200, "GET", flow+"?wait_ms=0", ""); got["do"] != "busy" {
		t.Errorf("a look while the command is out: %v", got)
	}
	report := fmt.Sprintf(`{"caller":"`+run("caller-01")+`","command":%q,"fault":"timeout"}`, step["command"])
	wait := a.do(200, "POST", flow+"/reports", report)
	if wait["do"] != "wait" || wait["next"] != "query_status" || wait["until"] == nil {
		t.Fatalf("after silence: %v", wait)
	}
	if again := a.do(200, "POST", flow+"/reports", report); again["do"] != "wait" {
		t.Errorf("the report once more: %v", again)
	}
	a.do(409, "POST", flow+"/reports", fmt.Sprintf(`{"caller":"`+run("caller-01")+`","command":%q,"http_status":200,"body":{}}`, step["command"]))
	if joined := a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-02", "k1")); joined["flow"] != step["flow"] || joined["do"] == "send" {
		t.Errorf("a second program with the same key: %v", joined)
	}
	a.do(409, "POST", "/v1/flows", strings.Replace(start("caller-02", "k1"), "50000", "50001", 1))
	query := a.do(200, "GET", flow+"?wait_ms=20000&caller="+run("caller-02"), "")
	if query["do"] != "query" || query["order_id"] != "order-k1" {
		t.Fatalf("another program takes the query: %v", query)
	}
	paid := fmt.Sprintf(`{"caller":"`+run("caller-02")+`","command":%q,"http_status":200,"body":{"orderId":"order-k1","requestId":%q,"amount":50000,"transId":77,"resultCode":0,"message":"ok"}}`, query["command"], query["query_id"])
	end := a.do(200, "POST", flow+"/reports", paid)
	if end["do"] != "end" || end["outcome"] != "succeeded" {
		t.Errorf("%v", end)
	}
	if repeated := a.do(200, "POST", "/v1/flows", start("caller-03", "k1")); repeated["do"] != "end" || repeated["outcome"] != "succeeded" {
		t.Errorf("the key that is paid: %v", repeated)
	}
}

// A shop's webhook ends a wait that a caller holds.
func TestWebhookWakesWhoWaits(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	flow := "/v1/flows/" + step["flow"].(string)
	a.do(200, "POST", flow+"/reports", fmt.Sprintf(`{"caller":"`+run("caller-01")+`","command":%q,"fault":"reset"}`, step["command"]))
	go func() {
		time.Sleep(50 * time.Millisecond)
		notice, err := json.Marshal(map[string]any{
			"provider": "momo", "merchant": "shop", "verified": true,
			"body": fmt.Sprintf(`{"partnerCode":"P","orderId":"order-k1","requestId":%q,"amount":50000,"transId":77,"resultCode":0,"message":"ok","orderType":"momo_wallet"}`, step["request_id"]),
		})
		if err != nil {
			t.Error(err)
		}
		a.do(204, "POST", "/v1/webhooks", string(notice))
	}()
	if end := a.do(200, "GET", flow+"?wait_ms=20000&caller="+run("caller-01"), ""); end["do"] != "end" && end["do"] != "query" {
		t.Errorf("%v", end)
	}
}

func TestWithdraw(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	flow := "/v1/flows/" + step["flow"].(string)
	a.do(422, "POST", flow+"/withdraw", `{"why":""}`)
	if got := a.do(200, "POST", flow+"/withdraw?wait_ms=0", `{"why":"the shopper left"}`); got["do"] != "busy" {
		t.Errorf("a send is under way: %v", got)
	}
	end := a.do(200, "POST", flow+"/reports", fmt.Sprintf(`{"caller":"`+run("caller-01")+`","command":%q,"fault":"not_sent"}`, step["command"]))
	if end["do"] != "end" || end["outcome"] != "failed" {
		t.Errorf("withdrawn, and certainly not sent: %v", end)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	flow, command := "/v1/flows/"+step["flow"].(string), step["command"].(string)
	for _, c := range []struct {
		status             int
		method, path, body string
		says               string
	}{
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), `"payment_key":"k2",`, "", 1), "payment_key"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), run("caller-01"), "checkout-service", 1), "caller"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), run("caller-01"), "1700000000-0123456789abcdef", 1), "make a caller for each payment"},
		{422, "GET", flow + "?caller=1700000000-0123456789abcdef", "", "make a caller for each payment"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), "momo", "momx", 1), "momx"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), "VND", "vnd", 1), "Currency"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), "50000", "0", 1), "Amount"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), `"pay"`, `"bind"`, 1), "operation"},
		{422, "POST", "/v1/flows", strings.Replace(start("caller-01", "k2"), `"caller"`, `"colour":1,"caller"`, 1), "colour"},
		{422, "POST", flow + "/reports", `{"caller":"` + run("caller-01") + `","command":"` + command + `"}`, "http_status or a fault"},
		{422, "POST", flow + "/reports", `{"caller":"` + run("caller-01") + `","command":"` + command + `","http_status":500,"fault":"not_sent"}`, "an answer came"},
		{422, "POST", flow + "/reports", `{"caller":"` + run("caller-01") + `","command":"` + command + `","fault":"timeout","body":"x"}`, "not both"},
		{422, "POST", flow + "/reports", `{"caller":"` + run("caller-01") + `","command":"` + command + `","fault":"slow"}`, "fault"},
		{409, "POST", flow + "/reports", `{"caller":"` + run("caller-02") + `","command":"` + command + `","fault":"timeout"}`, "another caller"},
		{409, "POST", flow + "/reports", `{"caller":"` + run("caller-01") + `","command":"made-up","fault":"timeout"}`, "over"},
		{404, "GET", "/v1/flows/f-none", "", "f-none"},
		{404, "POST", "/v1/flows/f-none/reports", `{"caller":"` + run("caller-01") + `","command":"c","fault":"timeout"}`, "f-none"},
		{422, "GET", flow + "?wait_ms=99999999", "", "wait_ms"},
		{404, "GET", "/v1/codes/momx", "", "momx"},
	} {
		if got, _ := json.Marshal(a.do(c.status, c.method, c.path, c.body)); !bytes.Contains(got, []byte(c.says)) {
			t.Errorf("%s %s %s: %s does not say %q", c.method, c.path, c.body, got, c.says)
		}
	}
}

func TestWithoutAJournalThereAreOnlyDecisions(t *testing.T) {
	a := newAPI(t, service.Options{})
	a.do(501, "POST", "/v1/flows", start("caller-01", "k1"))
	if got := a.do(200, "POST", "/v1/decide", `{"provider":"momo","operation":"pay","fault":"timeout"}`); got["action"] != "query_status" {
		t.Errorf("%v", got)
	}
	if got := a.do(200, "POST", "/v1/explain", `{"provider":"momo","operation":"pay","code":41,"in_doubt":true}`); got["rules"] == nil {
		t.Errorf("%v", got)
	}
	a.do(200, "GET", "/v1/codes/momo", "")
	a.do(204, "GET", "/readyz", "")
	if status, _ := a.raw("GET", "/admin/flows", "", ""); status != http.StatusNotFound {
		t.Errorf("without a token for people there is an admin handler: %d", status)
	}
}

// A batch is answered line by line, in order, whatever is in it.
func TestBatch(t *testing.T) {
	a := newAPI(t, service.Options{})
	var in strings.Builder
	for i := range 5000 {
		switch i % 50 {
		case 7:
			in.WriteString("{not json\n")
		case 9:
			in.WriteString("   \n")
		}
		fmt.Fprintf(&in, `{"provider":"momo","operation":"pay","code":%d,"attempt":1}`+"\n", []int{0, 1000, 9000, 41}[i%4])
	}
	status, text := a.raw("POST", "/v1/decide", "application/x-ndjson; charset=utf-8", in.String())
	if status != http.StatusOK {
		t.Fatal(status, text)
	}
	got := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(got) != 5100 {
		t.Fatalf("%d lines for 5,100 questions", len(got))
	}
	_, alone := a.raw("POST", "/v1/decide", "application/json", `{"provider":"momo","operation":"pay","code":41,"attempt":1}`)
	if got[3] != strings.TrimSpace(alone) {
		t.Errorf("line 4 is %s; alone it is %s", got[3], alone)
	}
	if !strings.Contains(got[7], `"error"`) {
		t.Errorf("line 8 is %s", got[7])
	}
	long := `{"provider":"momo","operation":"pay","message":"` + strings.Repeat("x", 2<<20) + `"}`
	if _, text := a.raw("POST", "/v1/decide", "application/x-ndjson", long+"\n"); !strings.Contains(text, "1 MiB") {
		t.Errorf("a line of 2 MiB: %.200s", text)
	}
	a.do(413, "POST", "/v1/decide", long)
	a.do(400, "POST", "/v1/decide", `{"provider":"momo"}`)
	if status, _ := a.raw("POST", "/v1/decide", "text/plain", "x"); status != http.StatusUnsupportedMediaType {
		t.Error(status)
	}
}

func TestTokens(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), Access: callers(t, access.Simple("the token of programs", "the token of people"))})
	a.token = "the token of programs"
	for _, path := range []string{"/v1/flows/f-1", "/v1/codes/momo", "/openapi.json", "/admin/flows", "/v1/decide"} {
		for _, token := range []string{"", "another", "the token of program"} {
			was := a.token
			a.token = token
			if status, _ := a.raw("GET", path, "", ""); status != http.StatusUnauthorized {
				t.Errorf("%s with token %q: %d", path, token, status)
			}
			a.token = was
		}
	}
	if status, _ := a.raw("GET", "/admin/flows", "", ""); status != http.StatusForbidden {
		t.Errorf("a program's token opens what is for people: %d", status)
	}
	a.token = "the token of people"
	if status, text := a.raw("GET", "/admin/flows", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := a.raw("POST", "/v1/flows", "application/json", start("caller-01", "k1")); status != http.StatusForbidden {
		t.Errorf("the token of people begins payments: %d", status)
	}
	a.token = ""
	a.do(204, "GET", "/healthz", "")
}

func TestMerchantsAreLimited(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory(), PerMerchant: 0.001, Burst: 2})
	a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1"))
	a.do(200, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k2"))
	a.do(429, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k3"))
	a.do(200, "POST", "/v1/flows?wait_ms=0", strings.Replace(start("caller-01", "k3"), `"shop"`, `"another"`, 1))
}

// While the service stops, callers may report, and nothing new begins.
func TestStop(t *testing.T) {
	a := newAPI(t, service.Options{Journal: journal.NewMemory()})
	step := a.do(200, "POST", "/v1/flows", start("caller-01", "k1"))
	flow := "/v1/flows/" + step["flow"].(string)
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		closed <- a.service.Close(ctx)
	}()
	for status := 0; status != http.StatusServiceUnavailable; {
		status, _ = a.raw("GET", "/readyz", "", "")
	}
	if status, text := a.raw("POST", "/v1/flows", "application/json", start("caller-01", "k2")); status != http.StatusServiceUnavailable {
		t.Errorf("a flow begins while the service stops: %d %s", status, text)
	}
	paid := fmt.Sprintf(`{"caller":"`+run("caller-01")+`","command":%q,"http_status":200,"body":{"orderId":"order-k1","requestId":%q,"amount":50000,"transId":77,"resultCode":0,"message":"ok"}}`, step["command"], step["request_id"])
	status, text := a.raw("POST", flow+"/reports", "application/json", paid)
	if status != http.StatusOK || !strings.Contains(text, "succeeded") {
		t.Errorf("a report while the service stops: %d %s", status, text)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// fullDisk is a journal that cannot be written.
type fullDisk struct{ journal.Journal }

func (fullDisk) Put(context.Context, *journal.Row, journal.Durability) error {
	return errors.New("no space left on device")
}

// A journal that fails is no mistake of the caller, who would give the payment up: the call can be repeated.
func TestAJournalThatFailsIsNoMistakeOfTheCaller(t *testing.T) {
	a := newAPI(t, service.Options{Journal: fullDisk{journal.NewMemory()}})
	got := a.do(503, "POST", "/v1/flows?wait_ms=0", start("caller-01", "k1"))
	if text := fmt.Sprint(got["detail"]); strings.Contains(text, "no space left") || !strings.Contains(text, "can be repeated") {
		t.Errorf("the answer says %q", text)
	}
}
