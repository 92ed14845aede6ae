package providers_test

import (
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// opiFailed is a failure with OPI's failedCode beside a good envelope.
func opiFailed(ph policy.Phase, failedCode string) policy.Answer {
	return policy.Answer{Phase: ph, Code: "10000", Status: "FAILED", SubCode: failedCode}
}

func TestOpiTraps(t *testing.T) {
	const auto = policy.Auto
	judge(t, "opi", []said{
		{"the envelope says only that it was received", payout, code(send, "10000"), unknown, policy.Processing, auto},
		{"so does that of other deployments", payout, code(send, "1000"), unknown, policy.Processing, auto},
		{"and to a query", payout, code(query, "10000"), unknown, policy.Processing, auto},
		{"a page that was made", checkout, code(send, "10000"), pending, policy.CustomerAction, auto},
		{"a good envelope can hold a failure", payout, opiFailed(query, ""), notExecuted, policy.ChannelError, auto},
		{"-10000 names a service fault", payout, opiFailed(query, "-10000"), unknown, policy.ProviderError, auto},
		{"-10006 names a network fault", payout, opiFailed(webhook, "-10006"), unknown, policy.NetworkError, auto},
		{"-10001 is a clear reason", payout, opiFailed(webhook, "-10001"), notExecuted, policy.LimitExceeded, auto},
		{"-10003 is a clear reason", payout, opiFailed(query, "-10003"), notExecuted, policy.MerchantBalance, auto},
		{"a failedCode that no table lists", payout, opiFailed(query, "-10999"), unknown, policy.Unrecognized, auto},
		{"a failedCode without its status", payout, policy.Answer{Phase: query, Code: "10000", SubCode: "-10001"},
			unknown, policy.LimitExceeded, auto},
		{"a failed return of a payout would mean money left", payout, opiFailed(webhook, "-10010"), unknown, policy.ChannelError, auto},
		{"a refund that failed", refund, opiFailed(webhook, "-10010"), notExecuted, policy.ChannelError, auto},
		{"refunds say COMPLETE", refund, status(webhook, "COMPLETE", ""), executed, policy.Success, auto},
		{"a refund does not say COMPLETED", refund, status(webhook, "COMPLETED", ""), unknown, policy.Success, auto},
		{"payouts say COMPLETE on older pages", payout, status(query, "COMPLETE", ""), executed, policy.Success, auto},
		{"payouts say COMPLETED", payout, status(query, "COMPLETED", ""), executed, policy.Success, auto},
		{"a duplicate is not the first result", payout, code(send, "21007"), unknown, policy.DuplicateOrder, auto},
		{"nor is a duplicate idempotency id", payout, code(send, "21015"), unknown, policy.DuplicateRequest, auto},
		{"not found soon after silence", payout, code(query, "21006"), unknown, policy.NotFound, auto},
		{"21010, as the query page has it", payout, code(query, "21010"), unknown, policy.NotFound, auto},
		{"21010 to a refund may be an earlier one's doing", refund, code(send, "21010"), unknown, policy.LimitExceeded, auto},
		{"21505 says to retry with another id", cancel, code(send, "21505"), unknown, policy.DuplicateOrder, auto},
		{"voided before: the state is reached", cancel, code(send, "21504"), executed, policy.AlreadyDone, auto},
		{"another refund under way may be ours", refund, code(send, "21409"), unknown, policy.Conflict, auto},
		{"paid or closed, in a sibling table", payout, code(send, "21028"), unknown, policy.AlreadyDone, auto},
		{"rate limited, in a sibling table", payout, code(send, "21020"), unknown, policy.RateLimited, auto},
		{"a server fault", payout, code(send, "21000"), unknown, policy.ProviderError, auto},
		{"a wrong signature", payout, code(send, "21001"), notExecuted, policy.Credentials, auto},
		{"a query with a wrong signature", payout, code(query, "21001"), unknown, policy.Credentials, auto},
	})
}

func TestShoplineTraps(t *testing.T) {
	const auto, manual = policy.Auto, policy.Manual
	judge(t, "shopline", []said{
		{"taken", pay, status(query, "SUCCEEDED", "CAPTURED"), executed, policy.Success, auto},
		{"held, to be taken by itself", pay, status(send, "SUCCEEDED", "AUTHORIZED"), pending, policy.Authorized, auto},
		{"held, and that is the end", pay, status(send, "SUCCEEDED", "AUTHORIZED"), executed, policy.Authorized, manual},
		{"succeeded, with the empty sub-status of the documents", pay, status(query, "SUCCEEDED", ""), executed, policy.Success, auto},
		{"a session's success has no sub-status", checkout, status(query, "SUCCEEDED", ""), executed, policy.Success, auto},
		{"cancel's query finds the money taken", cancel, status(query, "SUCCEEDED", "CAPTURED"), notExecuted, policy.Conflict, manual},
		{"cancel's query finds the hold", cancel, status(query, "SUCCEEDED", "AUTHORIZED"), unknown, policy.NotYet, manual},
		{"cancel's query finds it cancelled", cancel, status(query, "CANCELLED", ""), executed, policy.Success, manual},
		{"capture's query finds the money taken", capture, status(query, "SUCCEEDED", "CAPTURED"), executed, policy.Success, manual},
		{"capture's query still finds the hold", capture, status(query, "SUCCEEDED", "AUTHORIZED"), unknown, policy.NotYet, manual},
		{"capture's query finds it cancelled", capture, status(query, "CANCELLED", ""), notExecuted, policy.Conflict, manual},
		{"a capture normally answers PROCESSING", capture, status(send, "PROCESSING", ""), pending, policy.Processing, manual},
		{"one trade of a session failed", checkout, status(webhook, "FAILED", ""), pending, policy.ChannelError, auto},
		{"a session that expired, its trades not listed", checkout, status(query, "EXPIRED", ""), unknown, policy.Expired, auto},
		{"a session that expired without a trade", checkout, status(query, "EXPIRED", "[]"), notExecuted, policy.Expired, auto},
		{"a session that expired around an open trade", checkout, status(query, "EXPIRED", "FAILED+PENDING"), unknown, policy.Processing, auto},
		{"a session that expired around a paid trade", checkout, status(query, "EXPIRED", "FAILED+SUCCEEDED"), executed, policy.Success, auto},
		{"a notice of expiry: trade or session", checkout, status(webhook, "EXPIRED", ""), unknown, policy.Expired, auto},
		{"4454 is a clear reason", pay, beside(query, "FAILED", "4454"), notExecuted, policy.InsufficientFunds, auto},
		{"4402: the payer did move money", pay, beside(query, "FAILED", "4402"), unknown, policy.Mismatch, auto},
		{"4404 is said after the payment", pay, beside(webhook, "FAILED", "4404"), unknown, policy.Mismatch, auto},
		{"4551 presupposes a charge", pay, beside(query, "FAILED", "4551"), unknown, policy.Disputed, auto},
		{"1018 covers everything", pay, beside(query, "FAILED", "1018"), unknown, policy.ProviderError, auto},
		{"1018 by itself", pay, code(send, "1018"), unknown, policy.ProviderError, auto},
		{"a reason that no table lists", pay, beside(query, "FAILED", "4999"), unknown, policy.Unrecognized, auto},
		{"throttled, as the reason of a failure", pay, beside(query, "FAILED", "1904"), notExecuted, policy.RateLimited, auto},
		{"a success that is disputed stays one", pay, policy.Answer{Phase: webhook, Status: "SUCCEEDED", SubStatus: "CAPTURED", Code: "4551"},
			executed, policy.Disputed, auto},
		{"4410: a payment exists", pay, code(send, "4410"), unknown, policy.DuplicateOrder, auto},
		{"1014 may be our own refund", refund, code(send, "1014"), unknown, policy.AlreadyDone, auto},
		{"4701 may be our own refund", refund, code(send, "4701"), unknown, policy.InvalidAmount, auto},
		{"cancelled before: the state is reached", cancel, code(send, "6003"), executed, policy.AlreadyDone, manual},
		{"a code of letters", pay, code(send, "ACCESS_DENIED"), notExecuted, policy.Credentials, auto},
		{"a code of letters to a query", pay, code(query, "ACCESS_DENIED"), unknown, policy.Credentials, auto},
		{"1004 stands in two scenes", pay, code(send, "1004"), unknown, policy.InvalidRequest, auto},
		{"1904 stands in two scenes, HTTP 429", onboard, over(429, code(send, "1904")), notExecuted, policy.RateLimited, auto},
		{"not found by a query", pay, code(query, "1016"), unknown, policy.NotFound, auto},
	})
}

// What a failed trade of a session is lowered by holds for the session too: the
// shopper may have paid, whatever comes of the session.
func TestShoplineReasonsLowerAnAttempt(t *testing.T) {
	judge(t, "shopline", []said{
		{"4402: the payer did move money", checkout, beside(webhook, "FAILED", "4402"), unknown, policy.Mismatch, policy.Auto},
		{"4404 is said after the payment", checkout, beside(webhook, "FAILED", "4404"), unknown, policy.Mismatch, policy.Auto},
		{"4551 presupposes a charge", checkout, beside(query, "FAILED", "4551"), unknown, policy.Disputed, policy.Auto},
		{"4454 says why the attempt ended", checkout, beside(webhook, "FAILED", "4454"), pending, policy.InsufficientFunds, policy.Auto},
	})
}

func TestPaykkaTraps(t *testing.T) {
	const auto, manual = policy.Auto, policy.Manual
	judge(t, "paykka", []said{
		{"the envelope says only that it was received", pay, code(send, "000000"), unknown, policy.Processing, auto},
		{"so does the table's own success", pay, code(query, "0000"), unknown, policy.Processing, auto},
		{"a session that was made", checkout, code(send, "000000"), pending, policy.CustomerAction, auto},
		{"the envelope's system fault", pay, code(send, "999999"), unknown, policy.ProviderError, auto},
		{"the envelope's bad request", pay, code(send, "010000"), notExecuted, policy.InvalidRequest, auto},
		{"a good envelope around a failure", pay, beside(query, "FAILURE", "000000"), notExecuted, policy.ChannelError, auto},
		{"6007 is a system fault", pay, beside(query, "FAILURE", "6007"), unknown, policy.ProviderError, auto},
		{"6007 in a notice", checkout, beside(webhook, "FAILURE", "6007"), unknown, policy.ProviderError, auto},
		{"5004 is a clear reason", pay, beside(query, "FAILURE", "5004"), notExecuted, policy.InsufficientFunds, auto},
		{"2099 stands in no table", pay, beside(query, "FAILURE", "2099"), unknown, policy.Unrecognized, auto},
		{"6002 is written for the shopper", pay, code(send, "6002"), unknown, policy.ProviderError, auto},
		{"4006 is written for the shopper", pay, code(send, "4006"), unknown, policy.NetworkError, auto},
		{"4002: completed, so money moved", pay, code(send, "4002"), unknown, policy.AlreadyDone, auto},
		{"4007: completed, so money moved", checkout, code(send, "4007"), unknown, policy.AlreadyDone, auto},
		{"4003: completed, so money moved", refund, code(send, "4003"), unknown, policy.AlreadyDone, auto},
		{"4004 may hide a payment", checkout, code(query, "4004"), unknown, policy.NotFound, auto},
		{"4005 may hide a payment", cancel, code(send, "4005"), unknown, policy.Conflict, manual},
		{"4008 may hide a payment", pay, code(send, "4008"), unknown, policy.NotFound, auto},
		{"4009 may hide a payment", pay, code(send, "4009"), unknown, policy.Conflict, auto},
		{"what was refunded was paid", pay, status(query, "REFUNDED", ""), executed, policy.Success, auto},
		{"what was refunded in part was paid", checkout, status(webhook, "PARTIALLY_REFUNDED", ""), executed, policy.Success, auto},
		{"part was given back: not this amount", pay, status(query, "PARTIALLY_REVERSED", ""), executed, policy.Mismatch, auto},
		{"held, to be taken by itself", pay, status(query, "AUTHORIZED", ""), pending, policy.Authorized, auto},
		{"held, and that is the end", pay, status(query, "AUTHORIZED", ""), executed, policy.Authorized, manual},
		{"a void that is done", cancel, status(query, "CANCELED", ""), executed, policy.Success, manual},
		{"a payment that is called off", pay, status(query, "CANCELED", ""), notExecuted, policy.Cancelled, auto},
		{"a refund under review", refund, status(query, "REVIEWING", ""), pending, policy.Processing, auto},
		{"the payment's success tells nothing of its void", cancel, status(query, "SUCCESS", ""), unknown, policy.NotYet, manual},
	})
}
