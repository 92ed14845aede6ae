package advice

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/ruleset"
)

// One memory for all questions gives what a new one for each gives: nothing of a question reaches the next.
func TestNothingOfAQuestionReachesTheNext(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	parts := [][]string{
		{``, `,"code":0`, `,"code":1003`, `,"code":41`, `,"code":9000`, `,"status":"FAILED"`, `,"body":{"resultCode":0,"orderId":"o","amount":5,"transId":7}`, `,"body":"<html>"`, `,"fault":"timeout"`},
		{``, `,"attempt":3`, `,"queries":4`, `,"attempt":2,"fired":{"in-doubt":3}`}, {``, `,"in_doubt":true`}, {``, `,"replay":true`},
		{``, `,"phase":"query"`, `,"phase":"webhook","verified":true`}, {``, `,"order_id":"o"`, `,"order_id":"o","request_id":"r","provider_id":"7"`},
		{``, `,"amount":5,"currency":"VND"`}, {``, `,"elapsed_ms":99999999999`}, {``, `,"tags":{"a":"b"}`}, {``, `,"capture":"manual"`}, {``, `,"retry_after_ms":7000`}, {``, `,"bad":1`},
	}
	rapid.Check(t, func(t *rapid.T) {
		var shared Asker
		var into Question
		for range 10 {
			text := fmt.Sprintf(`{"provider":%q,"operation":%q,"at":"2026-01-02T03:04:05Z"`,
				rapid.SampledFrom([]string{"momo", "opi", "none"}).Draw(t, "provider"), rapid.SampledFrom([]string{"pay", "refund"}).Draw(t, "operation"))
			for i, from := range parts {
				text += rapid.SampledFrom(from).Draw(t, fmt.Sprint("part ", i))
			}
			answer := func(read func([]byte) (*Question, error), ask func(*ruleset.Engine, *Question) (*Advice, error)) string {
				q, err := read([]byte(text + "}"))
				if err != nil {
					return err.Error()
				}
				a, err := ask(e, q)
				if err != nil {
					return err.Error()
				}
				d := a.Decision()
				return fmt.Sprintf("%s %+v %+v %t", d.AppendJSON(nil), *a.Situation.Payment, *a.Situation.Answer, a.Situation.InDoubt)
			}
			want := answer(Read, Ask)
			got := answer(func(raw []byte) (*Question, error) { return &into, ReadInto(raw, &into) }, shared.Ask)
			if got != want {
				t.Fatalf("%s}:\n%s, with a memory of its own\n%s", text, got, want)
			}
		}
	})
}
