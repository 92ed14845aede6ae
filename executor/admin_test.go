package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// asked sends a request to a handler and returns the status and the JSON object of the answer.
func asked(t *testing.T, h http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s: %d %q: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, answer
}

// wantAnswer checks a status, and words of the answer.
func wantAnswer(t *testing.T, h http.Handler, method, path, body string, status int, words ...string) map[string]any {
	t.Helper()
	got, answer := asked(t, h, method, path, body)
	text, err := json.Marshal(answer)
	if err != nil || got != status {
		t.Errorf("%s %s %.80s: %d, want %d: %s", method, path, body, got, status, text)
	}
	for _, w := range words {
		if !strings.Contains(string(text), w) {
			t.Errorf("%s %s %.80s: there is no %q in %s", method, path, body, w, text)
		}
	}
	return answer
}

// inDoubt starts a flow whose request gets no answer and waits for the provider.
func inDoubt(t *testing.T, x *executor.Executor, key string) (*executor.Handle, string) {
	t.Helper()
	h := begin(t, x, payment(key), &bank{sends: []reply{silence}, asks: []reply{working}})
	time.Sleep(2 * time.Minute)
	return h, "/flows/" + h.Flow()
}

func sayNotExecuted(key, more string) string {
	return fmt.Sprintf(`{"order_id":"o-%s","effect":"not_executed","who":"ann","why":"the bank's file of today"%s}`, key, more)
}

func TestAdminShowsAndSettlesAFlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		wantAnswer(t, admin, "GET", "/flows", "", 200, `"standing":"in_doubt"`, h.Flow(), `"payment_key":"k"`)
		wantAnswer(t, admin, "GET", "/counts", "", 200, `"count":1`, `"in_doubt"`)
		wantAnswer(t, admin, "GET", path, "", 200, `"live":true`, "sent as order o-k, request r-k", "send answered timeout",
			"a query by order_id", "next: query_status", `"audit":[]`, "resolve, with who and why")
		_, seen := asked(t, admin, "GET", path, "")
		stale := fmt.Sprintf(`,"version":%.0f`, seen["version"].(float64)-1)
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", stale), 409, "has changed since version")
		if h.State().Outcome != policy.Open {
			t.Fatal("a stale resolution was applied")
		}
		fresh := fmt.Sprintf(`,"version":%.0f`, seen["version"].(float64))
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", fresh), 200, `"standing":"failed"`, "the bank's file of today")
		wantAnswer(t, admin, "GET", path, "", 200, `"ends":[]`, "a person settled it as not_executed", "ann: the bank's file of today",
			`"verb":"resolve"`, `"result":"done"`, `"result":"refused: flow`)
		wantAnswer(t, admin, "GET", "/audit", "", 200, `"who":"ann"`, h.Flow())
		exported := httptest.NewRecorder()
		admin.ServeHTTP(exported, httptest.NewRequest("GET", "/export?standing=failed", nil))
		if text := exported.Body.String(); !strings.Contains(text, `"audit":[{`) || strings.Count(text, `"who":"ann"`) != 2 || !strings.Contains(text, `"result":"done"`) {
			t.Errorf("the export says of the person: %s", text)
		}
		wantAnswer(t, admin, "POST", path+"/withdraw", `{"who":"ann","why":"late"}`, 409, "ended")
		r, err := h.Wait(context.Background())
		if err != nil || r.Outcome != policy.Failed {
			t.Errorf("the flow ended %v, %v", r, err)
		}
	})
}

// What is proved is not resolved away, unless the person overrides the proof, and that is on the trail.
func TestAdminResolveAgainstProof(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		admin := x.AdminHandler()
		r := carry(t, x, payment("k"), &bank{sends: []reply{paidNow}})
		path := "/flows/" + r.Flow
		e := wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", ""), 409, "Resolution.Override contradicts that")
		if proof, ok := e["proof"].(map[string]any); !ok || proof["phase"] != "send" {
			t.Errorf("the proof is %v", e["proof"])
		}
		if again := carry(t, x, payment("k"), &bank{}); !again.Repeated {
			t.Error("the key is free")
		}
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", `,"override":true`), 200)
		wantAnswer(t, admin, "GET", path, "", 200, `"override":true`, `"result":"done"`, `"result":"refused: executor: flow`)
	})
}

// A flow ends while a person looks: the provider's proof comes between, and the resolution meets it.
func TestAdminResolveOfAFlowThatEndsMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		// The webhook comes after the trail was written, and before the flow is resolved.
		j.after = func(p *put) error {
			if p.Standing == "audit" && p.Version == 1 {
				j.mu.Lock()
				j.after = nil
				j.mu.Unlock()
				w := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-k", RequestID: "r-k", Amount: 120_000, Currency: "VND"}}
				return x.Notify(context.Background(), w)
			}
			return nil
		}
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", ""), 409, "contradicts", `"proof"`)
		if s := h.State(); s.Outcome != policy.Succeeded {
			t.Errorf("the flow ended %s", s.Outcome)
		}
	})
}

// Two people settle one request at once, each otherwise. The flow ends once; who came second is on the
// trail, and is refused if it contradicts the proof of the first.
func TestTwoPeopleResolveAtOnce(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			alerts := 0
			x := open(t, defaults(), executor.Config{Journal: newSpy(), OnAlert: func(context.Context, *executor.Alert) error { alerts++; return nil }})
			admin := x.AdminHandler()
			h, path := inDoubt(t, x, "k")
			var all sync.WaitGroup
			codes := map[string]int{}
			var mu sync.Mutex
			for effect, who := range map[string]string{"executed": "ann", "not_executed": "bob"} {
				all.Go(func() {
					body := fmt.Sprintf(`{"order_id":"o-k","effect":%q,"who":%q,"why":"looked"}`, effect, who)
					code, _ := asked(t, admin, "POST", path+"/resolve", body)
					mu.Lock()
					codes[effect] = code
					mu.Unlock()
				})
			}
			all.Wait()
			s := h.State()
			switch {
			case s.Outcome == policy.Succeeded && codes["executed"] == 200 && codes["not_executed"] == 409 && alerts == 0:
			case s.Outcome == policy.Failed && codes["executed"] == 200 && codes["not_executed"] == 200 && alerts == 1: // the key is not free again
			default:
				t.Errorf("%s with %v and %d alerts", s.Outcome, codes, alerts)
			}
			if _, trail := asked(t, admin, "GET", "/audit", ""); len(trail["audit"].([]any)) != 2 {
				t.Errorf("the trail is %v", trail)
			}
			b := &bank{sends: []reply{paidNow}}
			_, _ = x.Do(context.Background(), payment("k"), b)
			b.wantCalls(t, 0, 0)
		})
	}
}

// Nothing is done that the trail does not say.
func TestNothingIsDoneOffTheTrail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		j.before = func(p *put) error {
			if p.Standing == "audit" {
				return errBroken
			}
			return nil
		}
		for verb, body := range map[string]string{
			path + "/resolve": sayNotExecuted("k", ""), path + "/withdraw": `{"who":"ann","why":"y"}`, "/prune": `{"older_than":"24h","who":"ann","why":"y"}`,
		} {
			wantAnswer(t, admin, "POST", verb, body, 503, "nothing was done: the audit trail cannot be written")
		}
		if s := h.State(); s.Outcome != policy.Open || s.Withdrawn != "" {
			t.Errorf("it was done: %+v", s)
		}
	})
}

// The trail survives everything that deletes: pruning, and the flow's own limit of evidence.
func TestTheTrailOnlyGrows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		admin := x.AdminHandler()
		_, path := inDoubt(t, x, "k")
		wantAnswer(t, admin, "POST", path+"/withdraw", `{"who":"ann","why":"the shopper left"}`, 200, "ann: the shopper left")
		time.Sleep(time.Second)
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", ""), 200)
		for range 2 {
			time.Sleep(25 * time.Hour)
			wantAnswer(t, admin, "POST", "/prune", `{"older_than":"24h","who":"bob","why":"disk"}`, 200, `"pruned":`)
		}
		wantAnswer(t, admin, "GET", path, "", 404, "there is no flow")
		_, trail := asked(t, admin, "GET", "/audit", "")
		if list := trail["audit"].([]any); len(list) != 4 {
			t.Errorf("the trail has %d lines: %v", len(list), list)
		}
		wantAnswer(t, admin, "GET", "/audit?limit=1", "", 200, "the shopper left", `"next":`)
		// No other flow is disturbed by its rows.
		if n, err := x.Resume(context.Background()); n != 0 || err != nil {
			t.Errorf("Resume: %d, %v", n, err)
		}
	})
}

// One row cannot be read: it is listed and exported as such, it is not resolved, and the rest is there.
func TestAdminOfAnUnreadableRow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		_ = carry(t, x, payment("good"), &bank{sends: []reply{paidNow}})
		bad := journal.Row{
			ID: "bad", Version: 1, Key: journal.Key{Payment: "b"}, Provider: "momo", Open: true, Due: time.Now().Add(time.Hour), At: time.Now(),
			Since: time.Now(), State: []byte(`{"v":99}`), Standing: "in_doubt",
		}
		if err := j.Put(context.Background(), &bad, journal.Synced); err != nil {
			t.Fatal(err)
		}
		admin := x.AdminHandler()
		wantAnswer(t, admin, "GET", "/flows", "", 200, `"flow":"bad"`)
		wantAnswer(t, admin, "GET", "/flows/bad", "", 200, `"damaged":"version 99 is of a newer release`)
		wantAnswer(t, admin, "POST", "/flows/bad/resolve", sayNotExecuted("b", ""), 500, "left as it is")
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, httptest.NewRequest("GET", "/export?standing=any", nil))
		lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[2], `{"complete":true,"flows":2}`) || !strings.Contains(w.Body.String(), `"damaged"`) {
			t.Errorf("the export is %s", w.Body)
		}
	})
}

// Whatever is sent to the handler, it says what is wrong and what is allowed, and does nothing.
func TestAdminRefusesWhatItDoesNotKnow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		for _, tt := range []struct {
			method, path, body string
			status             int
			words              []string
		}{
			{"GET", "/none", "", 404, []string{"there are / (a page"}},
			{"GET", "/flows/none", "", 404, []string{"there is no flow none"}},
			{"POST", "/flows/none/resolve", sayNotExecuted("k", ""), 404, nil},
			{"POST", "/flows", "{}", 405, []string{"must be GET"}},
			{"DELETE", path, "", 405, nil},
			{"HEAD", "/export", "", 405, nil},
			{"GET", path + "/resolve", "", 405, []string{"must be POST"}},
			{"PUT", "/prune", "{}", 405, nil},
			{"GET", "/flows?standing=stuck&limit=0&limit=2&color=red&older_than=soon&after=x", "", 400,
				[]string{"standing is", "one of open, in_doubt", "limit is", "given 2 times", `no parameter \"color\"`, "older_than is", "after is"}},
			{"GET", "/flows?limit=1001", "", 400, []string{"1 to 1000"}},
			{"GET", "/flows?limit=7x", "", 400, nil},
			{"GET", "/flows?ends=yes", "", 400, []string{"true or false"}},
			{"GET", "/counts?after=1.a", "", 400, nil},
			{"GET", path + "?x=1", "", 400, nil},
			{"GET", "/breakers?x=1", "", 400, nil},
			{"GET", "/backup", "", 501, []string{"makes no backup"}},
			{"POST", path + "/resolve", "", 400, []string{"one JSON object"}},
			{"POST", path + "/resolve", "{}{}", 400, nil},
			{"POST", path + "/resolve", `[]`, 400, nil},
			{"POST", path + "/resolve", `{}`, 400, []string{"who must", "why must", "order_id must", "effect is", "executed or not_executed"}},
			{"POST", path + "/resolve", sayNotExecuted("k", `,"overide":true`), 400, []string{"overide"}},
			{"POST", path + "/resolve", strings.Replace(sayNotExecuted("k", ""), "not_executed", "pending", 1), 400, []string{"effect is"}},
			{"POST", path + "/resolve", sayNotExecuted("other", ""), 400, []string{"sent nothing as order"}},
			{"POST", path + "/resolve?who=ann", sayNotExecuted("k", ""), 400, []string{"no parameters"}},
			{"POST", path + "/resolve", `{"who":"` + strings.Repeat("a", 1<<20) + `"}`, 413, []string{"65536"}},
			{"POST", path + "/withdraw", `{"who":"` + strings.Repeat("a", 3000) + `","why":"a\u001b[2Jb"}`, 400, []string{"at most 2000", "one line"}},
			{"POST", path + "/withdraw", `{"who":" ","why":"\t"}`, 400, []string{"who must", "why must"}},
			{"POST", "/prune", `{"older_than":"1h","who":"a","why":"b"}`, 400, []string{"at least 24h"}},
			{"POST", "/prune", `{"who":"a","why":"b"}`, 400, nil},
		} {
			if tt.method == http.MethodHead {
				w := httptest.NewRecorder()
				admin.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
				if w.Code != tt.status {
					t.Errorf("HEAD: %d", w.Code)
				}
				continue
			}
			wantAnswer(t, admin, tt.method, tt.path, tt.body, tt.status, tt.words...)
		}
		form := httptest.NewRequest("POST", path+"/resolve", strings.NewReader(sayNotExecuted("k", "")))
		form.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		if admin.ServeHTTP(w, form); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("a page of a browser could resolve: %d", w.Code)
		}
		if s := h.State(); s.Outcome != policy.Open || s.Withdrawn != "" {
			t.Errorf("something was done: %+v", s)
		}
	})
}

func TestAdminWithoutAJournal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		for _, what := range []string{"/flows", path, "/counts", "/export", "/audit", "/backup"} {
			wantAnswer(t, admin, "GET", what, "", 501, "Config.Journal is nil")
		}
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", ""), 501)
		wantAnswer(t, admin, "GET", "/breakers", "", 200, `"breakers":[]`)
		if h.State().Outcome != policy.Open {
			t.Error("it was done")
		}
	})
}

// The pages of a list hold every flow once.
func TestAdminPages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		admin := x.AdminHandler()
		for i := range 7 {
			begin(t, x, payment(fmt.Sprint("k", i)), &bank{sends: []reply{silence}, asks: []reply{working}})
		}
		time.Sleep(5 * time.Minute)
		seen, url := map[string]bool{}, "/flows?limit=3"
		for range 3 {
			page := wantAnswer(t, admin, "GET", url, "", 200)
			for _, f := range page["flows"].([]any) {
				seen[f.(map[string]any)["flow"].(string)] = true
			}
			url = fmt.Sprintf("/flows?limit=3&after=%v", page["next"])
		}
		if len(seen) != 7 {
			t.Errorf("%d of 7 flows were listed", len(seen))
		}
		wantAnswer(t, admin, "GET", "/flows?older_than=1h", "", 200, `"flows":[]`)
	})
}

func TestStats(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		notify := errors.New("the pager is down")
		x := open(t, defaults(), executor.Config{Journal: j, OnEscalate: func(context.Context, *executor.Result) error { return notify }})
		for i := range 6 {
			begin(t, x, of("acme", payment(fmt.Sprint("k", i))), &bank{sends: []reply{shut}})
		}
		inDoubt(t, x, "doubt")
		s, err := x.Stats(context.Background())
		if err != nil || len(s.Breakers) != 1 || s.Breakers[0].State == "closed" || s.Breakers[0].Merchant != "acme" || s.Breakers[0].Query {
			t.Errorf("the breakers are %+v, %v", s.Breakers, err)
		}
		if len(s.Flows) != 2 || s.Memory != 7 || s.Journal.Synced < 7 || s.Journal.Queue != 0 || s.Sweeper.Lag > 5*time.Second || s.Notices != 0 {
			t.Errorf("the stats are %+v", s)
		}
		wantAnswer(t, x.AdminHandler(), "GET", "/breakers", "", 200, `"merchant":"acme"`)
		time.Sleep(49 * time.Hour) // the one in doubt escalates
		if s, err = x.Stats(context.Background()); err != nil || s.Notices == 0 {
			t.Errorf("the owed notices are %d, %v", s.Notices, err)
		}
	})
}

// A disk that stalls is seen, and does not hold the look up.
func TestStatsOfAStalledDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, Sweep: 1000 * time.Hour})
		stall := make(chan struct{})
		j.before = func(*put) error { <-stall; return nil }
		go func() { _, _ = x.Start(context.Background(), payment("stalled"), &bank{sends: []reply{paidNow}}) }()
		time.Sleep(time.Minute)
		s, err := x.Stats(context.Background())
		close(stall)
		if err != nil || s.Journal.Queue != 1 || s.Journal.Stalled != time.Minute || s.Sweeper.Lag != time.Minute {
			t.Errorf("the journal is %+v, the sweeper %+v, %v", s.Journal, s.Sweeper, err)
		}
		time.Sleep(time.Minute)
		if s, err = x.Stats(context.Background()); err != nil || s.Journal.Queue != 0 || s.Journal.Stalled != 0 || s.Journal.Waited < time.Minute {
			t.Errorf("after the stall the journal is %+v, %v", s.Journal, err)
		}
	})
}
