package providers_test

import (
	"flag"
	"os"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// A failed property prints the seed that repeats it; no file is left in the tree.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// builtins are loaded once; tests that add to them load their own.
var builtins = sync.OnceValues(providers.Builtin)

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func catalog(t failer, name string) *providers.Catalog {
	t.Helper()
	cs, err := builtins()
	if err != nil {
		t.Fatalf("the built-in catalogues do not load:\n%v", err)
	}
	c, err := cs.Get(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

var names = []string{"momo", "opi", "paykka", "shopline"}

// Short names for tables that are read more often than written.
const (
	checkout, pay, capture, cancel = policy.Checkout, policy.Pay, policy.Capture, policy.Cancel
	refund, payout, bind, unbind   = policy.Refund, policy.Payout, policy.Bind, policy.Unbind
	onboard                        = policy.Onboard

	send, query, webhook = policy.Send, policy.Query, policy.Webhook

	unknown, pending, notExecuted, executed = policy.Unknown, policy.Pending, policy.NotExecuted, policy.Executed
)

// said is one answer to one operation, and what it is to prove.
type said struct {
	name    string
	op      policy.Operation
	answer  policy.Answer
	effect  policy.Effect
	class   policy.Class
	capture policy.CaptureMode
}

// judge holds a provider to a table of answers.
func judge(t *testing.T, provider string, table []said) {
	t.Helper()
	c := catalog(t, provider)
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			p := &policy.Payment{Provider: provider, Operation: tt.op, Capture: tt.capture}
			f := c.Judge(p, &tt.answer)
			if f.Effect != tt.effect || f.Class != tt.class {
				t.Errorf("%s: %s, %s; want %s, %s\n(the answer is %+v)",
					tt.op, f.Effect, f.Class, tt.effect, tt.class, tt.answer)
			}
		})
	}
}

// code, status and beside make answers.
func code(ph policy.Phase, code string) policy.Answer { return policy.Answer{Phase: ph, Code: code} }

func status(ph policy.Phase, status, sub string) policy.Answer {
	return policy.Answer{Phase: ph, Status: status, SubStatus: sub}
}

func beside(ph policy.Phase, status, code string) policy.Answer {
	return policy.Answer{Phase: ph, Status: status, Code: code}
}

// over puts an HTTP status on an answer.
func over(code int, a policy.Answer) policy.Answer {
	a.HTTPStatus = code
	return a
}
