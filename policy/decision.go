package policy

import "time"

// Situation is everything a rule may look at. Fact and InDoubt already hold what
// the flow knows beyond this answer (see package flow).
type Situation struct {
	Payment *Payment
	Answer  *Answer
	Fact    Fact
	InDoubt bool          // an identity already sent may still execute
	Attempt int           // sends so far; the first is 1
	Queries int           // status queries so far
	Fired   Counts        // how often each rule was followed in this flow
	Elapsed time.Duration // since the first send
	At      time.Time     // the moment of the decision
}

// Decision is what the rules want done.
type Decision struct {
	Action   Action
	Rule     string    // the rule's id; empty: no rule matched
	Source   string    // FILE:LINE of the rule
	Reason   string    // the rule's own words
	Schedule *Schedule // when; nil: at once
}

// Decider knows what answers prove and what the rules want. Implementations are
// safe for concurrent use and keep no state between calls.
type Decider interface {
	// Judge says what an answer proves by itself, whatever was sent before it.
	Judge(p *Payment, a *Answer) Fact
	// Decide says what the rules want done about a situation, which holds until it returns.
	Decide(s *Situation) Decision
	// Terms returns the contract and the limits that hold for a payment.
	Terms(p *Payment) *Terms
}

// Count is a name and how often it happened.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Counts is a small multiset; its order is that of first use.
type Counts []Count

// Of returns how often name was counted.
func (c Counts) Of(name string) int {
	for i := range c {
		if c[i].Name == name {
			return c[i].N
		}
	}
	return 0
}

// Plus returns a copy with one more of name; the receiver is left alone.
func (c Counts) Plus(name string) Counts {
	next := make(Counts, len(c), len(c)+1)
	copy(next, c)
	for i := range next {
		if next[i].Name == name {
			next[i].N++
			return next
		}
	}
	return append(next, Count{Name: name, N: 1})
}
