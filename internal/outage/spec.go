package outage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Fault is what calls get in an outage.
type Fault string

// The faults.
const (
	Timeout     Fault = "timeout" // silence, until the caller stops waiting
	Refused     Fault = "refused" // no connection: no call arrives
	Unavailable Fault = "503"     // an error page at once; the call may have arrived
)

var faults = []Fault{Timeout, Refused, Unavailable}

// mayArrive reports whether a call that gets the fault may have reached the provider.
func (f Fault) mayArrive() bool { return f != Refused }

// Spec is one outage, as the caller writes it.
type Spec struct {
	Provider  string
	Operation policy.Operation // not used where All
	All       bool             // every operation
	Length    time.Duration
	Fault     Fault
	From      time.Time // zero: where the recording is busiest
}

// MaxLength bounds an outage: the flows around it are held in memory.
const MaxLength = 48 * time.Hour

const form = "PROVIDER:OPERATION:LENGTH[:FAULT][@TIME], such as momo:pay:10m or momo:pay:10m:refused@2026-01-02T03:04:05Z"

// Parse reads PROVIDER:OPERATION:LENGTH[:FAULT][@TIME]. All that is wrong is in the error.
func Parse(text string, catalogs *providers.Catalogs) (Spec, error) {
	s := Spec{Fault: Timeout}
	var wrong []error
	fail := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("outage %q: "+format, append([]any{text}, args...)...))
	}
	what, from, dated := strings.Cut(text, "@")
	if dated {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			fail(`%q is no time such as "2026-01-02T03:04:05Z"`, from)
		}
		s.From = at.UTC()
	}
	parts := strings.Split(what, ":")
	if len(parts) < 3 || len(parts) > 4 {
		fail("it must be %s", form)
		return s, errors.Join(wrong...)
	}
	s.Provider = parts[0]
	cat, err := catalogs.Get(s.Provider)
	if err != nil {
		fail("unknown provider %q%s", s.Provider, source.Suggest(s.Provider, catalogs.Names()))
	}
	if s.All = parts[1] == "*"; !s.All {
		if err := s.Operation.UnmarshalText([]byte(parts[1])); err != nil {
			var names []string
			for _, o := range policy.Operations() {
				names = append(names, o.String())
			}
			fail("unknown operation %q%s; * is all", parts[1], source.Suggest(parts[1], names))
		} else if cat != nil && !cat.Offers(s.Operation) {
			fail("%s has no %s", s.Provider, s.Operation)
		}
	}
	switch d, err := time.ParseDuration(parts[2]); {
	case err != nil:
		fail("%q is no length such as 10m", parts[2])
	case d < time.Second || d > MaxLength:
		fail("its length is %s; it must be from 1s to %s", parts[2], MaxLength)
	default:
		s.Length = d
	}
	if len(parts) == 4 {
		s.Fault = ""
		var names []string
		for _, f := range faults {
			names = append(names, string(f))
			if parts[3] == string(f) {
				s.Fault = f
			}
		}
		if s.Fault == "" {
			fail("unknown fault %q%s", parts[3], source.Suggest(parts[3], names))
		}
	}
	return s, errors.Join(wrong...)
}

// Covers reports whether calls of an operation at a provider are in the outage.
func (s *Spec) Covers(provider string, op policy.Operation) bool {
	return s.Provider == provider && (s.All || s.Operation == op)
}

func (s *Spec) to() time.Time { return s.From.Add(s.Length) }

// What names the calls that the outage is of.
func (s *Spec) What() string {
	if s.All {
		return s.Provider
	}
	return s.Provider + " " + s.Operation.String()
}

// Margin is how long before an outage and after it flows are taken: ten times its length, at least ten minutes
// and at most two hours.
func (s *Spec) Margin() time.Duration { return min(max(10*s.Length, 10*time.Minute), 2*time.Hour) }

// Reaches reports whether a flow that lasts from one time to another is laid under the outage.
func (s *Spec) Reaches(provider string, from, to time.Time) bool {
	return s.Provider == provider && !to.Before(s.From.Add(-s.Margin())) && !from.After(s.to().Add(s.Margin()))
}
