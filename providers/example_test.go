package providers_test

import (
	"fmt"
	"net/http"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// A raw response becomes an answer, and the answer becomes what it proves.
func Example() {
	all, err := providers.Builtin()
	if err != nil {
		fmt.Println(err)
		return
	}
	momo, _ := all.Get("momo")
	payment := &policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120000, Currency: "VND"}

	for _, body := range []string{
		`{"orderId":"o-1001","requestId":"r-1","amount":120000,"resultCode":1001,"message":"not enough money"}`,
		`{"orderId":"o-1001","requestId":"r-1","resultCode":41,"message":"order exists"}`,
		`<html>502 Bad Gateway</html>`,
	} {
		answer := policy.Answer{HTTPStatus: http.StatusOK}
		if err := momo.Decode(policy.Pay, policy.Send, []byte(body), &answer); err != nil {
			fmt.Println("unreadable, which is an answer too")
		}
		fact := momo.Judge(payment, &answer)
		fmt.Printf("%q: %s, %s\n", answer.Code, fact.Effect, fact.Class)
	}
	// Output:
	// "1001": not_executed, insufficient_funds
	// "41": unknown, duplicate_order
	// unreadable, which is an answer too
	// "": unknown, unrecognized
}

// A code that turned up in the wild is added by a file of the user's.
func ExampleCatalogs_Add() {
	all, err := providers.Builtin()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = all.Add("providers/momo.toml", []byte(`
name = "momo"

[[code]]
scope = "newer"
code = "2050"
class = "risk_declined"
description = "Their risk control stopped the payment."
facts = [{ operation = "pay", phase = "send", effect = "not_executed", stage = "result", basis = "inferred" }]
`))
	momo, _ := all.Get("momo")
	fact := momo.Judge(&policy.Payment{Operation: policy.Pay}, &policy.Answer{Phase: policy.Send, Code: "2050"})
	fmt.Println(err, fact.Effect, fact.Class)

	err = all.Add("providers/momo.toml", []byte("name = \"momo\"\n[contract.pay]\nreplay = \"sometimes\"\n"))
	fmt.Println(err)
	// Output:
	// <nil> not_executed risk_declined
	// providers/momo.toml:3:10: replay is "sometimes"; it must be first_result, rejected or executed_again
}
