package ruletest

import (
	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Suite is the tests of one file.
type Suite struct {
	File  string // as shown in messages
	Cases []*Case

	doc *source.Doc
}

// Kind is the kind of a test.
type Kind string

// The kinds of tests, as written in a file.
const (
	Decision Kind = "decision" // [[decision]]: one answer
	Each     Kind = "each"     // one case of an [[each]]
	Flow     Kind = "flow"     // [[flow]]: a whole story
)

// Case is one test.
type Case struct {
	Name string // unique in its file
	Kind Kind
	File string
	Line int // of the test in File

	suite    *Suite
	pos      source.Pos
	expected []expected

	question *advice.Question // of a decision
	story    *story           // of a flow
}

// Payment returns the payment that the test is about.
func (c *Case) Payment() policy.Payment {
	if c.story != nil {
		return c.story.payment
	}
	return policy.Payment{Provider: c.question.Provider, Merchant: c.question.Merchant, Operation: *c.question.Operation}
}

// expected is one expectation.
type expected struct {
	key   string
	want  string
	value source.Value // without a position when it is a default
	given bool         // the test has it; false: a default
}
