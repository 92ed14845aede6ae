package flow

import (
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// Of much evidence only answers are dropped. What a person said stays, however much comes after.
func TestThePersonsWordIsKept(t *testing.T) {
	var s State
	for i := range 40 {
		e := Evidence{Answer: &policy.Answer{Code: fmt.Sprint(i)}}
		if i%10 == 7 {
			e.Person = fmt.Sprint("ann ", i)
		}
		s.addEvidence(e)
	}
	var said []string
	for _, e := range s.Evidence {
		if e.Person != "" {
			said = append(said, e.Person)
		}
	}
	if len(s.Evidence) != evidenceHead+evidenceTail || fmt.Sprint(said) != "[ann 7 ann 17 ann 27 ann 37]" {
		t.Errorf("of 40 are left %d, of people %q", len(s.Evidence), said)
	}
	if first, last := s.Evidence[0].Answer.Code, s.Evidence[len(s.Evidence)-1].Answer.Code; first != "0" || last != "39" {
		t.Errorf("the first is %s, the last %s", first, last)
	}
	for range 40 {
		s.addEvidence(Evidence{Person: "bob"})
	}
	if n := len(s.Evidence); n != 4+4+40 {
		t.Errorf("%d are left of 44 words of people", n)
	}
}
