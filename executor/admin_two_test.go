package executor_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// proposedBy proposes that the request of key k did not execute, and returns the proposal's id.
func proposedBy(t *testing.T, x *executor.Executor, path, more string) string {
	t.Helper()
	answer := wantAnswer(t, x.AdminHandler(), "POST", path+"/resolve", sayNotExecuted("k", more), 202, `"proposal":"audit-`, `"until"`)
	id, _ := answer["proposal"].(string)
	return id
}

func confirming(who, proposal, more string) string {
	return fmt.Sprintf(`{"proposal":%q,"who":%q,"why":"seen in the portal"%s}`, proposal, who, more)
}

func proof() executor.Webhook {
	return executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-k", RequestID: "r-k", Amount: 120_000, Currency: "VND"}}
}

// One person resolves nothing, whatever name is typed; two do, and the trail and the evidence have both.
func TestTwoPersonsResolve(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		id := proposedBy(t, x, path, "")
		wantAnswer(t, admin, "GET", path, "", 200, `"waits":true`, `"verb":"propose"`, `"two_persons":true`)
		for _, who := range []string{"ann", "ANN", " ann ", "a\u200bnn", "ann\u2060", "Ann"} {
			wantAnswer(t, admin, "POST", path+"/confirm", confirming(who, id, ""), 409, "a second person confirms")
		}
		for _, other := range []string{"audit-none", h.Flow(), "", strings.ToLower(id), id + " "} {
			code, answer := asked(t, admin, "POST", path+"/confirm", confirming("bob", other, ""))
			if code != 404 && code != 400 {
				t.Errorf("proposal %q: %d %v", other, code, answer)
			}
		}
		wantAnswer(t, admin, "POST", "/flows/"+id+"/resolve", sayNotExecuted("k", ""), 404)
		wantAnswer(t, admin, "POST", path+"/confirm", `{"proposal":"`+id+`","who":"bob"}`, 400, "why must")
		if s := h.State(); s.Outcome != policy.Open || len(s.Evidence) > 0 && s.Evidence[len(s.Evidence)-1].Person != "" {
			t.Fatalf("one person resolved it: %+v", s)
		}
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", id, ""), 200, `"standing":"failed"`)
		s := h.State()
		if last := s.Evidence[len(s.Evidence)-1]; s.Outcome != policy.Failed || last.Person != "ann and bob" || s.Reason != "resolved by ann and bob: ann: the bank's file of today; bob: seen in the portal" {
			t.Errorf("the flow is %+v", s)
		}
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("cyd", id, ""), 409, "confirmed by bob: seen in the portal")
		_, trail := asked(t, admin, "GET", "/audit", "")
		text := fmt.Sprint(trail)
		for _, want := range []string{"verb:propose", "verb:confirm", "confirmed by bob", "result:done", "a second person confirms"} {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %q on the trail: %s", want, text)
			}
		}
		// A second flow's proposal is none of this flow, and a line of another verb is none at all.
		_, other := inDoubt(t, x, "m")
		wantAnswer(t, admin, "POST", other+"/confirm", confirming("bob", id, ""), 404, "has no proposal")
	})
}

// What could not be done is not proposed.
func TestProposalsAreJudged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, TwoPersons: true})
		admin := x.AdminHandler()
		r := carry(t, x, payment("k"), &bank{sends: []reply{paidNow}})
		path := "/flows/" + r.Flow
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", ""), 409, "contradicts", `"proof"`)
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("other", ""), 400, "sent nothing")
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", `,"override":true,"version":1`), 409, "has changed")
		puts := 0
		j.before = func(p *put) error {
			if p.Standing == "audit" {
				if puts++; puts == 2 {
					return errBroken
				}
			}
			return nil
		}
		wantAnswer(t, admin, "POST", path+"/resolve", sayNotExecuted("k", `,"override":true`), 503, "nothing is proposed")
		j.before = nil
		if _, trail := asked(t, admin, "GET", "/audit", ""); strings.Contains(fmt.Sprint(trail), "waits:true") {
			t.Errorf("it waits nevertheless: %v", trail)
		}
	})
}

// A proposal is confirmed once, by however many at once.
func TestManyConfirmAtOnce(t *testing.T) {
	for range 10 {
		bubble(t, func(t *testing.T) {
			x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true})
			admin := x.AdminHandler()
			h, path := inDoubt(t, x, "k")
			id := proposedBy(t, x, path, "")
			var all sync.WaitGroup
			var mu sync.Mutex
			codes := map[int]int{}
			for i := range 8 {
				all.Go(func() {
					code, _ := asked(t, admin, "POST", path+"/confirm", confirming(fmt.Sprint("p", i), id, map[bool]string{true: `,"reject":true`}[i%4 == 3]))
					mu.Lock()
					codes[code]++
					mu.Unlock()
				})
			}
			all.Wait()
			words := 0
			for _, e := range h.State().Evidence {
				if e.Person != "" {
					words++
				}
			}
			if codes[200] != 1 || codes[409] != 7 || words > 1 {
				t.Errorf("%v, and %d words of people", codes, words)
			}
		})
	}
}

// Between the two the provider answers. The proof stands, also against an override that did not know of it.
func TestAProofComesBetweenTwoPersons(t *testing.T) {
	for _, override := range []string{"", `,"override":true`} {
		bubble(t, func(t *testing.T) {
			x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true})
			admin := x.AdminHandler()
			_, path := inDoubt(t, x, "k")
			id := proposedBy(t, x, path, override)
			if err := x.Notify(context.Background(), proof()); err != nil {
				t.Fatal(err)
			}
			_, seen := asked(t, admin, "GET", path, "")
			fresh := fmt.Sprintf(`,"version":%.0f`, seen["version"].(float64))
			wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", id, ""), 409)
			wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", id, fresh), 409)
			again := &bank{sends: []reply{paidNow}}
			if r := carry(t, x, payment("k"), again); !r.Repeated {
				t.Errorf("%q: the key is free: %+v", override, r)
			}
			again.wantCalls(t, 0, 0)
		})
	}
}

// Between the two the request is sent once more: what the first person saw says nothing of that one.
func TestARequestIsSentAgainBetweenTwoPersons(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true})
		admin := x.AdminHandler()
		h := begin(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{missing}})
		path := "/flows/" + h.Flow()
		time.Sleep(40 * time.Second) // the send has timed out
		id, paid := proposedBy(t, x, path, ""), proposedBy(t, x, path, "")
		for h.State().Ledger[0].Sends < 2 {
			time.Sleep(time.Second)
		}
		_, seen := asked(t, admin, "GET", path, "")
		fresh := fmt.Sprintf(`,"version":%.0f`, seen["version"].(float64))
		for _, version := range []string{"", fresh} {
			wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", id, version), 409, "was sent again at", "look at the provider")
		}
		if s := h.State(); s.Outcome != policy.Open || s.Ledger[0].Effect == policy.NotExecuted {
			t.Errorf("it was resolved: %+v", s)
		}
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", id, `,"reject":true`), 200)
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", paid, ""), 409, "was sent again at")
		anew := proposedBy(t, x, path, "")
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", anew, ""), 200)
	})
}

// An override against a proof that both saw is done, as by one person.
func TestTwoPersonsOverride(t *testing.T) {
	bubble(t, func(t *testing.T) {
		alerts := 0
		x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true, OnAlert: func(context.Context, *executor.Alert) error { alerts++; return nil }})
		r := carry(t, x, payment("k"), &bank{sends: []reply{paidNow}})
		path := "/flows/" + r.Flow
		id := proposedBy(t, x, path, `,"override":true`)
		wantAnswer(t, x.AdminHandler(), "POST", path+"/confirm", confirming("bob", id, ""), 200)
		time.Sleep(time.Second)
		synctest.Wait()
		if alerts != 1 {
			t.Errorf("%d alerts", alerts)
		}
	})
}

// A flow goes on between the two: the page of the second is what counts, and a stale one spends no proposal. A proposal ends with its time, with a
// rejection, and not by a disk that fails.
func TestProposalsWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, TwoPersons: true})
		admin := x.AdminHandler()
		h, path := inDoubt(t, x, "k")
		_, seen := asked(t, admin, "GET", path, "")
		stale := fmt.Sprintf(`,"version":%.0f`, seen["version"].(float64))
		first, second, third := proposedBy(t, x, path, stale), proposedBy(t, x, path, ""), proposedBy(t, x, path, "")
		time.Sleep(time.Hour) // it asks the provider meanwhile
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", first, stale), 409, "has changed since version")
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("ann", second, `,"reject":true`), 200)
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", second, ""), 409, "rejected by ann")
		j.before = func(p *put) error {
			if p.Standing == "audit" && p.Version == 3 {
				return errBroken
			}
			return nil
		}
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", first, ""), 503, "nothing was done")
		j.before = nil
		if s := h.State(); s.Outcome != policy.Open {
			t.Fatalf("it was resolved: %+v", s)
		}
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", first, ""), 200, `"standing":"failed"`)
		time.Sleep(72 * time.Hour)
		wantAnswer(t, admin, "POST", path+"/confirm", confirming("bob", third, ""), 409, "propose it again")
	})
}

// A proposal can be asked for where one person may resolve, and what is proposed holds at another process.
func TestAProposalIsConfirmedAtAnotherProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		here := &apart{newSpy(), true, &mail{}}
		there := &apart{here.beside(), false, here.mail}
		a := open(t, defaults(), executor.Config{Journal: here})
		b := open(t, defaults(), executor.Config{Journal: there})
		h, path := inDoubt(t, a, "k")
		id := proposedBy(t, b, path, `,"propose":true`)
		wantAnswer(t, b.AdminHandler(), "POST", path+"/confirm", confirming("bob", id, ""), 200)
		time.Sleep(time.Second)
		if s := h.State(); s.Outcome != policy.Failed || s.Evidence[len(s.Evidence)-1].Person != "ann and bob" {
			t.Errorf("the flow is %+v", s)
		}
	})
}

// The console proposes, confirms and rejects.
func TestConsoleOfTwoPersons(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true})
		console := x.AdminHandler()
		h, _ := inDoubt(t, x, "k")
		at := "/flow?id=" + h.Flow()
		page := pageAt(t, console, at, 200, "Propose", "A second person confirms it")
		form := url.Values{"flow": {h.Flow()}, "do": {"resolve"}, "version": {versionOf(t, page)}, "request": {`["o-k","r-k"]`}, "effect": {"not_executed"}, "who": {"<ann>"}, "why": {"<b>"}}
		w := submitted(console, form)
		wantPage(t, w, "propose", 303)
		page = pageAt(t, console, "/"+w.Header().Get("Location"), 200, "Done: propose", "Proposals that wait", "&lt;ann&gt;", "not executed", `value="confirm"`, `value="reject"`)
		_, rest, _ := strings.Cut(page, `name="proposal" value="`)
		id, _, _ := strings.Cut(rest, `"`)
		second := url.Values{"flow": {h.Flow()}, "do": {"confirm"}, "version": {versionOf(t, page)}, "proposal": {id}, "who": {"<Ann>"}, "why": {"seen"}}
		wantPage(t, submitted(console, second), "the same person", 409, "a second person confirms", `value="&lt;Ann&gt;"`)
		second.Set("who", "bob")
		second.Set("do", "reject")
		w = submitted(console, second)
		wantPage(t, w, "reject", 303)
		page = pageAt(t, console, "/"+w.Header().Get("Location"), 200, "Done: confirm", "rejected by bob")
		if strings.Contains(page, "Proposals that wait") {
			t.Error("it waits still")
		}
		wantPage(t, submitted(console, form), "propose again", 303)
		page = pageAt(t, console, at, 200)
		_, rest, _ = strings.Cut(page, `name="proposal" value="`)
		id, _, _ = strings.Cut(rest, `"`)
		second.Set("proposal", id)
		second.Set("do", "confirm")
		w = submitted(console, second)
		wantPage(t, w, "confirm", 303)
		pageAt(t, console, "/"+w.Header().Get("Location"), 200, "Done: confirm", "resolved by &lt;ann&gt; and bob", "failed")
	})
}
