package service

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
)

// heldBy is a service with two callers: the shop, and one that may do everything. replace puts another entry in the place of the shop's.
func heldBy(t *testing.T) (s *Service, replace func(entry string)) {
	t.Helper()
	time.Sleep(time.Until(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))) // in a bubble of synctest, where it is an earlier day
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	rules, callers := new(ruleset.Live), new(access.Live)
	if err := rules.Open(func() (none [sha256.Size]byte) { return none }, func() (*ruleset.Engine, error) { return e, nil }); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "access.toml")
	replace = func(entry string) {
		t.Helper()
		text := entryOf("all", `"*"`, `["decide", "flows"]`) + entry
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := callers.Open(func() (*access.List, error) { return access.Read(file) }); err != nil {
			t.Fatal(err)
		}
	}
	replace(entryOf("shop", `["shop"]`, `["decide", "flows"]`))
	if s, err = New(t.Context(), Options{Rules: rules, Access: callers, Journal: journal.NewMemory()}); err != nil {
		t.Fatal(err)
	}
	return s, replace
}

// entryOf is a caller of the file, whose token is its name.
func entryOf(name, merchants, may string) string {
	return fmt.Sprintf("[[caller]]\nname = %q\ntoken_sha256 = \"%x\"\nmerchants = %s\nmay = %s\n", name, sha256.Sum256([]byte(name)), merchants, may)
}

func ask(s *Service, token, method, path string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// An answer that is held is for whom the list names when it is given, and not for whom it named when it was asked for.
func TestAnAnswerThatIsHeldIsForWhoMayHaveItThen(t *testing.T) {
	for name, c := range map[string]struct {
		entry  string
		status int
		says   string
	}{
		"as before":         {entryOf("shop", `["shop"]`, `["decide", "flows"]`), http.StatusOK, `"outcome":"failed"`},
		"removed":           {"", http.StatusUnauthorized, noToken},
		"other calls":       {entryOf("shop", `["shop"]`, `["decide"]`), http.StatusForbidden, "flows"},
		"another merchant":  {entryOf("shop", `["other"]`, `["flows"]`), http.StatusNotFound, "there is no flow"},
		"one merchant more": {entryOf("shop", `["shop", "other"]`, `["flows"]`), http.StatusOK, `"outcome":"failed"`},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { held(t, c.entry, c.status, c.says) }) })
	}
}

func held(t *testing.T, entry string, status int, says string) {
	s, replace := heldBy(t)
	caller := func(n int) string { return fmt.Sprintf("%d-%016d", time.Now().Unix(), n) }
	begin := ask(s, "all", "POST", "/v1/flows", strings.NewReader(fmt.Sprintf(
		`{"caller":%q,"provider":"momo","merchant":"shop","operation":"pay","payment_key":"k","order_id":"o","amount":50000,"currency":"VND"}`, caller(1))))
	var step Step
	if err := json.Unmarshal(begin.Body.Bytes(), &step); err != nil || step.Do != "send" {
		t.Fatalf("%d %s", begin.Code, begin.Body)
	}
	answers := make(chan *httptest.ResponseRecorder, 3)
	flow := "/v1/flows/" + step.Flow
	for _, path := range []string{flow + "?wait_ms=60000", flow + "?wait_ms=60000&caller=" + caller(2), flow + "?wait_ms=60000&caller=" + caller(3)} {
		go func() { answers <- ask(s, "shop", "GET", path, nil) }()
	}
	synctest.Wait() // they are held
	replace(entry)
	report := ask(s, "all", "POST", flow+"/reports", strings.NewReader(fmt.Sprintf(
		`{"caller":%q,"command":%q,"http_status":200,"body":{"partnerCode":"P","orderId":"o","requestId":%q,"amount":50000,"transId":77,"resultCode":1006,"message":"no"}}`,
		caller(1), step.Command, step.RequestID)))
	if !strings.Contains(report.Body.String(), `"failed"`) {
		t.Errorf("the report: %d %s", report.Code, report.Body)
	}
	for range cap(answers) {
		got := <-answers
		if got.Code != status || !strings.Contains(got.Body.String(), says) {
			t.Errorf("%d %s, want %d, %s", got.Code, got.Body, status, says)
		}
		if got.Code != http.StatusOK && (strings.Contains(got.Body.String(), "failed") || strings.Contains(got.Body.String(), "momo")) {
			t.Errorf("it tells of the flow: %s", got.Body)
		}
		if got.Code == http.StatusUnauthorized && got.Header().Get("WWW-Authenticate") == "" {
			t.Error("WWW-Authenticate is missing")
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A command that comes free while an answer is held is not given to a caller that was removed: no other could take it until its deadline.
func TestACommandIsNotGivenToACallerThatWasRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, replace := heldBy(t)
		caller := func(n int) string { return fmt.Sprintf("%d-%016d", time.Now().Unix(), n) }
		begin := ask(s, "all", "POST", "/v1/flows", strings.NewReader(fmt.Sprintf(
			`{"caller":%q,"provider":"momo","merchant":"shop","operation":"pay","payment_key":"k","order_id":"o","amount":50000,"currency":"VND"}`, caller(1))))
		var step Step
		if err := json.Unmarshal(begin.Body.Bytes(), &step); err != nil {
			t.Fatal(err)
		}
		flow, mine := "/v1/flows/"+step.Flow, caller(2)
		answer := make(chan *httptest.ResponseRecorder, 1)
		go func() { answer <- ask(s, "shop", "GET", flow+"?wait_ms=60000&caller="+mine, nil) }()
		synctest.Wait()
		replace("")
		report := ask(s, "all", "POST", flow+"/reports?wait_ms=0", strings.NewReader(fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"timeout"}`, caller(1), step.Command)))
		if report.Code != http.StatusOK {
			t.Errorf("the report: %d %s", report.Code, report.Body)
		}
		if got := <-answer; got.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		if next := ask(s, "all", "GET", flow+"?wait_ms=60000&caller="+mine, nil); !strings.Contains(next.Body.String(), `"do":"query"`) {
			t.Errorf("the query is not to be had: %s", next.Body)
		}
		_ = s.Close(t.Context()) // the query is out
	})
}

// A batch is answered as long as its caller may ask: it may be sent for hours.
func TestABatchEndsWhereItsCallerIsRemoved(t *testing.T) {
	s, replace := heldBy(t)
	server := httptest.NewServer(s)
	defer server.Close()
	body, in := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/decide", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer shop")
	r.Header.Set("Content-Type", lines)
	line := `{"provider":"momo","merchant":"shop","operation":"pay","code":41}` + "\n"
	part := strings.Repeat(line, 2*mostInPart/len(line))
	go func() {
		_, _ = io.WriteString(in, part)
	}()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadFull(answer.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	replace("")
	go func() {
		for range 20 { // no more than the connection and the parts at work hold
			if _, err := io.WriteString(in, part); err != nil {
				return
			}
		}
		_ = in.Close()
	}()
	rest, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	answered := strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n")
	if last := answered[len(answered)-1]; !strings.Contains(last, errRemoved.Error()) {
		t.Errorf("the batch ends with %s", last)
	}
	if most := 15 * (2 * mostInPart / len(line)); len(answered) > most {
		t.Errorf("%d lines were answered after the caller was removed", len(answered))
	}
	_ = s.Close(t.Context())
}
