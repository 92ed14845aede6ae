package executor_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// A provider's messages are for people: long ones are cut, and card numbers are not kept.
func TestMessagesAreKeptShortAndWithoutCardNumbers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		said := "card 4111 1111-1111 1111 and 4111111111111111, order 1234567890123456 " + strings.Repeat("đ", 100_000)
		r := carry(t, x, payment("k"), &bank{sends: []reply{{answer: policy.Answer{Code: "7000", Message: said}}}, asks: []reply{{answer: policy.Answer{Code: "0", Message: said}}}})
		wantOutcome(t, r, policy.Succeeded)
		row, s := standing(t, j, r.Flow)
		if len(row.State) > 5000 || bytes.Contains(row.State, []byte("4111")) {
			t.Errorf("the row has %d bytes: %.600s", len(row.State), row.State)
		}
		if m := s.Evidence[0].Answer.Message; !strings.HasPrefix(m, "card **** ****-**** 1111 and ************1111, order 1234567890123456 đđ") || len(m) > 510 {
			t.Errorf("kept is %q", m)
		}
	})
}

// A key that was refused a hundred times is refused by us, with a clear error: each flow of a key
// keeps the identities of all before it.
func TestFlowsOfAKeyAreCounted(t *testing.T) {
	if testkit.Short() {
		return // each flow reads all before it
	}
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		b := &bank{sends: []reply{refused}}
		for i := range 100 {
			wantOutcome(t, carry(t, x, as(fmt.Sprint("o-", i), fmt.Sprint("r-", i), payment("k")), b), policy.Failed)
		}
		_, err := x.Do(context.Background(), as("o", "r", payment("k")), b)
		if err == nil || !strings.Contains(err.Error(), `payment key "k" has had 100 flows`) {
			t.Errorf("the error is %v", err)
		}
		b.wantCalls(t, 100, 0)
	})
}
