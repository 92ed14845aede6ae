package ruletest

import (
	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Suite is the tests of one file.
type Suite struct {
	File  string // as it is shown in messages
	Cases []*Case

	doc *source.Doc
}

// Kind is what a test looks at.
type Kind string

// The kinds of tests, as they are written.
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
	Line int // where it stands

	suite    *Suite
	pos      source.Pos
	expected []expected

	question *advice.Question // of a decision
	story    *story           // of a flow
}

// Payment is what the test is about.
func (c *Case) Payment() policy.Payment {
	if c.story != nil {
		return c.story.payment
	}
	return policy.Payment{Provider: c.question.Provider, Merchant: c.question.Merchant, Operation: *c.question.Operation}
}

// expected is one thing that has to come out.
type expected struct {
	key   string
	want  string
	value source.Value // where it stands; of no place for what holds unless a test says otherwise
	given bool         // the test says it
}
