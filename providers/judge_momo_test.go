package providers_test

import (
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// The same code means different things to each call.
func TestMomoZeroPerOperationAndPhase(t *testing.T) {
	const auto = policy.Auto
	judge(t, "momo", []said{
		{"create: a link exists, not yet paid", checkout, code(send, "0"), pending, policy.CustomerAction, auto},
		{"query of a link: paid", checkout, code(query, "0"), executed, policy.Success, auto},
		{"notice of a link: paid", checkout, code(webhook, "0"), executed, policy.Success, auto},
		{"a token payment takes the money by the call", pay, code(send, "0"), executed, policy.Success, auto},
		{"query of a token payment", pay, code(query, "0"), executed, policy.Success, auto},
		{"confirm capture", capture, code(send, "0"), executed, policy.Success, auto},
		{"query after a capture: taken, not held", capture, code(query, "0"), executed, policy.Success, auto},
		{"confirm cancel: the cancel worked", cancel, code(send, "0"), executed, policy.Success, auto},
		{"query after a cancel: paid, so it was not cancelled", cancel, code(query, "0"), notExecuted, policy.Conflict, auto},
		{"notice after a cancel: the capture's or the cancel's", cancel, code(webhook, "0"), unknown, policy.Processing, auto},
		{"refund", refund, code(send, "0"), executed, policy.Success, auto},
		{"query of a refund, by its own orderId", refund, code(query, "0"), executed, policy.Success, auto},
		{"payout", payout, code(send, "0"), executed, policy.Success, auto},
		{"query of a payout", payout, code(query, "0"), executed, policy.Success, auto},
		{"a token that was handed over", bind, code(send, "0"), executed, policy.Success, auto},
		{"a consent is no token yet", bind, code(webhook, "0"), unknown, policy.NotYet, auto},
		{"a token that was deleted", unbind, code(send, "0"), executed, policy.Success, auto},
	})
}

func TestMomo9000IsPaidOrHeld(t *testing.T) {
	const auto, manual = policy.Auto, policy.Manual
	judge(t, "momo", []said{
		{"automatic capture: paid", pay, code(send, "9000"), executed, policy.Success, auto},
		{"manual capture: the hold ends the payment", pay, code(send, "9000"), executed, policy.Authorized, manual},
		{"query, automatic", pay, code(query, "9000"), executed, policy.Success, auto},
		{"query, manual", pay, code(query, "9000"), executed, policy.Authorized, manual},
		{"notice of a link, automatic", checkout, code(webhook, "9000"), executed, policy.Success, auto},
		{"notice of a link, manual", checkout, code(webhook, "9000"), executed, policy.Authorized, manual},
		{"query after a capture: it may be on its way", capture, code(query, "9000"), unknown, policy.NotYet, manual},
		{"query after a cancel: it may be on its way", cancel, code(query, "9000"), unknown, policy.NotYet, manual},
		{"a binding whose token has to be fetched", bind, code(query, "9000"), pending, policy.Authorized, auto},
		{"a binding knows no capture mode", bind, code(query, "9000"), pending, policy.Authorized, manual},
		{"a refund cannot be held", refund, code(send, "9000"), unknown, policy.Authorized, manual},
	})
}

func TestMomo1003IsACancelledOrder(t *testing.T) {
	judge(t, "momo", []said{
		{"query after a cancel: it worked", cancel, code(query, "1003"), executed, policy.Cancelled, policy.Manual},
		{"a second cancel: the state is reached", cancel, code(send, "1003"), executed, policy.AlreadyDone, policy.Manual},
		{"query of the payment: it was not paid", pay, code(query, "1003"), notExecuted, policy.Cancelled, policy.Auto},
		{"a capture of a cancelled order", capture, code(send, "1003"), notExecuted, policy.Cancelled, policy.Manual},
		{"says nothing of a refund", refund, code(query, "1003"), unknown, policy.Cancelled, policy.Auto},
	})
}

// The trap that this project exists for: after silence, 40 and 41 are evidence that
// the first request arrived, for every operation.
func TestMomoDuplicatesAreEvidenceOfAnEarlierRequest(t *testing.T) {
	for _, op := range catalog(t, "momo").Operations {
		judge(t, "momo", []said{
			{"the requestId was used before", op, code(send, "40"), unknown, policy.DuplicateRequest, policy.Auto},
			{"the orderId was used before", op, code(send, "41"), unknown, policy.DuplicateOrder, policy.Auto},
			{"another transaction is in process", op, code(send, "43"), unknown, policy.Conflict, policy.Auto},
			{"the query's own requestId", op, code(query, "40"), unknown, policy.DuplicateRequest, policy.Auto},
		})
	}
	judge(t, "momo", []said{
		{"a duplicate in flight, HTTP 422", pay, over(422, code(send, "7000")), pending, policy.Processing, policy.Auto},
	})
}

func TestMomoTraps(t *testing.T) {
	judge(t, "momo", []said{
		{"99 is final and yet unknown", pay, code(send, "99"), unknown, policy.ProviderError, policy.Auto},
		{"1080: a refund that failed, in both editions", refund, code(query, "1080"), notExecuted, policy.ProviderError, policy.Auto},
		{"1081 may be our own earlier refund", refund, code(send, "1081"), unknown, policy.AlreadyDone, policy.Auto},
		{"8200 stands in no table", pay, over(201, code(send, "8200")), pending, policy.CustomerAction, policy.Auto},
		{"4001 restricts the account in both documents", pay, code(send, "4001"), notExecuted, policy.IssuerDeclined, policy.Auto},
		{"not found by a query", pay, code(query, "42"), unknown, policy.NotFound, policy.Auto},
		{"a query refused for maintenance", pay, code(query, "10"), unknown, policy.Maintenance, policy.Auto},
		{"a query refused for its signature", refund, code(query, "13"), unknown, policy.Credentials, policy.Auto},
		{"a link refused for maintenance", checkout, code(send, "10"), notExecuted, policy.Maintenance, policy.Auto},
		{"a payment recorded in maintenance", pay, code(send, "10"), unknown, policy.Maintenance, policy.Auto},
		{"unbinding a token that is gone, or never was", unbind, code(send, "2001"), unknown, policy.NotFound, policy.Auto},
	})
}

func TestFinalIsTheTablesOwnWord(t *testing.T) {
	c := catalog(t, "momo")
	p := &policy.Payment{Operation: pay}
	for code, want := range map[string]policy.Finality{
		"0": policy.Final, "99": policy.Final, "40": policy.NotFinal, "7000": policy.NotFinal, "8200": policy.Unspecified, "21": policy.NotFinal, "1088": policy.Final,
	} {
		if f := c.Judge(p, &policy.Answer{Phase: send, Code: code}); f.Final != want {
			t.Errorf("code %s is final = %s, want %s", code, f.Final, want)
		}
	}
}
