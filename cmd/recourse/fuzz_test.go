package main

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/providers"
)

// FuzzDecide: no line makes `decide` panic, and whatever is answered is sound.
func FuzzDecide(f *testing.F) {
	for _, line := range []string{
		`{"provider":"momo","operation":"pay","fault":"timeout"}`,
		`{"provider":"momo","operation":"pay","code":41,"in_doubt":true,"replay":true}`,
		`{"provider":"opi","operation":"payout","phase":"query","body":"<html>"}`,
		`{"provider":"opi","operation":"refund","phase":"webhook","verified":true,"body":{"param":"{\"refundStatus\":\"FAILED\"}"}}`,
		`{"provider":"shopline","merchant":"evergreen-box","operation":"capture","status":"SUCCEEDED","sub_status":"x","amount":1,"currency":"TWD"}`,
		`{"provider":"paykka","operation":"checkout","body":{"ret_code":"000000","data":{"amount":1e9}},"fired":{"in-doubt":3},"tags":{"a":"b"}}`,
		`{"provider":"momo","operation":"cancel","attempt":9,"queries":99,"elapsed_ms":1,"at":"2026-01-02T03:04:05Z","retry_after_ms":5}`,
		`{"provider":"unknown","operation":"pay","body":[[[]]]}`, `{"provider":null}`, `[`, `null`, ``,
	} {
		f.Add([]byte(line))
	}
	e := defaults(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		q, err := advice.Read(line)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		if q.At.IsZero() {
			q.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		}
		a, err := advice.Ask(e, q)
		if err != nil {
			var unknown *providers.UnknownProviderError
			if !errors.As(err, &unknown) {
				t.Fatalf("%T: %s", err, err)
			}
			return
		}
		if broken := brokenLaw(q, a); broken != "" {
			t.Error(broken)
		}
		trace := e.Explain(&a.Situation)
		if _, err := json.Marshal(advice.Explain(a, &trace)); err != nil {
			t.Error(err)
		}
	})
}
