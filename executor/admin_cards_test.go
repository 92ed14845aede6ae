package executor_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/policy"
)

// A card number that a person types is in no row of the journal and in no answer, whichever field it was typed into.
func TestTypedCardNumbersAreNotStored(t *testing.T) {
	const card = "4111 1111 1111 1111"
	for _, plain := range []string{card, "4111111111111111", "5500-0000-0000-0004"} {
		bubble(t, func(t *testing.T) {
			j := newSpy()
			x := open(t, defaults(), executor.Config{Journal: j})
			admin := x.AdminHandler()
			say := func(more string) string {
				return fmt.Sprintf(`{"who":"ann %[1]s","why":"the card %[1]s, settlement line 7"%[2]s}`, plain, more)
			}
			_, path := inDoubt(t, x, "a")
			wantAnswer(t, admin, "POST", path+"/resolve", say(`,"order_id":"none","effect":"executed"`), 400, "sent nothing")
			wantAnswer(t, admin, "POST", path+"/resolve", say(`,"order_id":"o-a","effect":"not_executed"`), 200, cards.Marked, "settlement line 7")
			_, path = inDoubt(t, x, "b")
			wantAnswer(t, admin, "POST", path+"/withdraw", say(""), 200, cards.Marked)
			_, path = inDoubt(t, x, "c")
			answer := wantAnswer(t, admin, "POST", path+"/resolve", say(`,"order_id":"o-c","effect":"executed","propose":true`), 202)
			wantAnswer(t, admin, "POST", path+"/confirm", say(fmt.Sprintf(`,"proposal":%q`, plain)), 404)
			wantAnswer(t, admin, "POST", path+"/confirm", fmt.Sprintf(`{"proposal":%q,"who":"bob","why":%q}`, answer["proposal"], plain), 200, cards.Marked)
			wantAnswer(t, admin, "POST", "/prune", say(`,"older_than":"2160h"`), 200)
			h, _ := inDoubt(t, x, "d")
			if err := h.Withdraw("the shopper called, " + plain); err != nil {
				t.Error(err)
			}
			h, _ = inDoubt(t, x, "e")
			if err := x.Resolve(t.Context(), h.Flow(), executor.Resolution{OrderID: "o-e", Effect: policy.Executed, Who: "ann", Why: plain}); err != nil {
				t.Error(err)
			}
			for _, p := range j.puts {
				if bytes.Contains(p.State, []byte(plain)) {
					t.Errorf("a row of the journal has the card number: %s", p.State)
				}
			}
			if _, answer := asked(t, admin, "GET", "/audit", ""); bytes.Contains(fmt.Append(nil, answer), []byte(plain)) {
				t.Errorf("the trail has the card number: %v", answer)
			}
		})
	}
}

// Persons whose known names are numbers stay two persons.
func TestKnownNumbersOfPersonsStay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		who := "4111111111111111"
		x := open(t, defaults(), executor.Config{Journal: newSpy(), TwoPersons: true, AdminWho: func(*http.Request) (string, error) { return who, nil }})
		admin := x.AdminHandler()
		_, path := inDoubt(t, x, "k")
		answer := wantAnswer(t, admin, "POST", path+"/resolve", `{"order_id":"o-k","effect":"executed","why":"x"}`, 202)
		who = "5500000000000004"
		wantAnswer(t, admin, "POST", path+"/confirm", fmt.Sprintf(`{"proposal":%q,"why":"x"}`, answer["proposal"]), 200)
	})
}
