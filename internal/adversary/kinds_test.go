package adversary

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A sample is one rule set of the corpus, with the verdict that it must get.
type sample struct {
	name     string
	kind     string
	provider string
	op       policy.Operation
	merchant string // empty: every merchant without a file
	refused  bool
	files    map[string]string
}

const kindsDir = "testdata/kinds"

// samples reads the corpus.
func samples(t testing.TB) []*sample {
	t.Helper()
	names, err := filepath.Glob(kindsDir + "/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no kinds", err)
	}
	all := make([]*sample, 0, len(names))
	for _, name := range names {
		s, err := readSample(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, s)
	}
	return all
}

// readSample reads one file of the corpus. Its comment ends with three lines: the kind, what is
// verified, and the verdict.
func readSample(file string) (*sample, error) {
	archive, err := testkit.ParseFile(file)
	if err != nil {
		return nil, err
	}
	s := &sample{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), files: archive.Map()}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch words := strings.Fields(value); key {
		case "kind":
			s.kind = value
		case "verify":
			if len(words) != 3 {
				return nil, fmt.Errorf("%q: want PROVIDER OPERATION MERCHANT, or - for every merchant without a file", value)
			}
			s.provider, s.merchant = words[0], strings.TrimPrefix(words[2], "-")
			if err := s.op.UnmarshalText([]byte(words[1])); err != nil {
				return nil, err
			}
		case "expect":
			if s.refused = value == "refused"; !s.refused && value != "proved" {
				return nil, fmt.Errorf("expect: %q; want refused or proved", value)
			}
		}
	}
	if s.kind == "" || s.provider == "" {
		return nil, fmt.Errorf("want the lines kind, verify and expect")
	}
	return s, nil
}

// open compiles the rules of a sample. A set that the loader refuses is refused.
func (s *sample) open(t testing.TB) (*ruleset.Engine, error) {
	t.Helper()
	return ruleset.Open(testkit.Dir(t, s.files))
}

// verdict is what verify says of a sample. why holds its stories, or the loader's mistakes.
func (s *sample) verdict(t testing.TB) (refused bool, why string) {
	t.Helper()
	e, err := s.open(t)
	if err != nil {
		return true, "refused when loaded: " + err.Error()
	}
	r, err := verify.Run(context.Background(), e, &verify.Options{VerdictOnly: true, FirstOnly: true,
		Providers: []string{s.provider}, Operations: []policy.Operation{s.op}, Merchants: []string{s.merchant},
	})
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if len(r.Products) == 0 {
		t.Fatalf("%s: nothing is verified: %s has no %s for merchant %q", s.name, s.provider, s.op, s.merchant)
	}
	var b bytes.Buffer
	for i := range r.Products {
		fmt.Fprint(&b, r.Products[i].Unfinished)
		for k := range r.Products[i].Violations {
			r.Products[i].Violations[k].Write(&b)
		}
	}
	return !r.Holds, b.String()
}

// long are the sets over OPI that take more than two seconds, and their twins.
var long = map[string]bool{
	"a2-code-contains": true, "a2-code-ends": true, "a2-code-matches": true, "a2-code-order": true, "a2-code-upper": true, "a2-sub-code-alone": true,
	"a4-amount-small": true, "a5-merchant-length": true,
}

// Every kind of unsafe rules that was once called proved is refused, and its safe twin is proved:
// a checker that refuses everything finds nothing either.
func TestKinds(t *testing.T) {
	for _, s := range samples(t) {
		tier := testkit.Size(0, 1, 2) // the larger catalogues are for the slow tier
		small := s.provider == "mini" // a provider of the set's own
		if !small && tier < 2 && (s.provider != "opi" || long[strings.TrimSuffix(s.name, "-safe")]) || !small && tier < 1 && (s.kind == "A2" || s.kind > "A6") {
			continue // the others take a second each, and more
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel() // a search is one goroutine's work
			refused, why := s.verdict(t)
			switch {
			case refused == s.refused:
			case refused:
				t.Errorf("refused, and it is safe:\n%s", why)
			default:
				t.Error("proved, and it is not safe")
			}
		})
	}
}
