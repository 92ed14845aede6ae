// Package condition holds the variables that a rule's condition may name: their kinds, their
// words, and their values in a situation. The compiled rules and the analyses read the values
// here only, so they cannot disagree about what a variable means.
package condition

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Variable is one name of the rules' language.
type Variable int

// The variables. Those with words come first and those with texts after them, because the
// index of the compiled rules numbers its dimensions in this order.
const (
	Operation Variable = iota
	Phase
	Effect
	Class
	Stage
	Reach
	Final
	Fault
	Capture
	InDoubt
	Weekday
	Code
	SubCode
	Status
	SubStatus
	Currency
	Provider
	Merchant
	Message
	HTTPStatus
	Attempt
	Queries
	Fired
	Elapsed
	Amount
	Hour
	RetryAfter
	Tags
	count
)

var names = [count]string{
	Operation: "operation", Phase: "phase", Effect: "effect", Class: "class", Stage: "stage", Reach: "reach", Final: "final",
	Fault: "fault", Capture: "capture", InDoubt: "in_doubt", Weekday: "weekday", Code: "code", SubCode: "sub_code",
	Status: "status", SubStatus: "sub_status", Currency: "currency", Provider: "provider", Merchant: "merchant",
	Message: "message", HTTPStatus: "http_status", Attempt: "attempt", Queries: "queries", Fired: "fired", Elapsed: "elapsed",
	Amount: "amount", Hour: "hour", RetryAfter: "retry_after", Tags: "tags",
}

// String is the name that a rule writes.
func (v Variable) String() string { return names[v] }

var byName = func() map[string]Variable {
	m := map[string]Variable{}
	for v, name := range names {
		m[name] = Variable(v)
	}
	return m
}()

// Named returns the variable of a name; ok is false when there is none.
func Named(name string) (v Variable, ok bool) {
	v, ok = byName[name]
	return v, ok
}

// Text is the value of a variable of texts.
func Text(v Variable, s *policy.Situation) string {
	switch v {
	case Code:
		return s.Answer.Code
	case SubCode:
		return s.Answer.SubCode
	case Status:
		return s.Answer.Status
	case SubStatus:
		return s.Answer.SubStatus
	case Message:
		return s.Answer.Message
	case Provider:
		return s.Payment.Provider
	case Merchant:
		return s.Payment.Merchant
	case Currency:
		return s.Payment.Currency
	default:
		return ""
	}
}

// Word is the place of a variable's value among its words. The words of in_doubt are false
// and true, those of weekday begin with Sunday. Zone is where the weekday is read.
func Word(v Variable, s *policy.Situation, zone *time.Location) int {
	switch v {
	case Operation:
		return int(s.Payment.Operation)
	case Phase:
		return int(s.Answer.Phase)
	case Effect:
		return int(s.Fact.Effect)
	case Class:
		return int(s.Fact.Class)
	case Stage:
		return int(s.Fact.Stage)
	case Reach:
		return int(s.Fact.Reach)
	case Final:
		return int(s.Fact.Final)
	case Fault:
		return int(s.Answer.Fault)
	case Capture:
		return int(s.Payment.Capture)
	case InDoubt:
		if s.InDoubt {
			return 1
		}
	case Weekday:
		return weekday(s.At, zone)
	default:
	}
	return 0
}

// weekday and hour are functions of their own because their code, inlined, would make every
// other variable slower to read.
//
//go:noinline
func weekday(at time.Time, zone *time.Location) int { return int(at.In(zone).Weekday()) }

//go:noinline
func hour(at time.Time, zone *time.Location) int64 { return int64(at.In(zone).Hour()) }

// Number is the value of a variable of numbers, a duration in nanoseconds. Fired is the
// count of the rule whose condition it is; zone is where the hour is read.
func Number(v Variable, s *policy.Situation, fired int, zone *time.Location) int64 {
	switch v {
	case HTTPStatus:
		return int64(s.Answer.HTTPStatus)
	case Attempt:
		return int64(s.Attempt)
	case Queries:
		return int64(s.Queries)
	case Fired:
		return int64(fired)
	case Elapsed:
		return int64(s.Elapsed)
	case Amount:
		return s.Payment.Amount
	case Hour:
		return hour(s.At, zone)
	case RetryAfter:
		return int64(s.Answer.RetryAfter)
	default:
		return 0
	}
}
