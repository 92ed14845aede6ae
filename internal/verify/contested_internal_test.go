package verify

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// What a contested node forgets must be read by nothing that follows it: a search that keeps it reaches the same nodes, with it cleared, and finds
// the same. No step leads from a contested node to one that is followed in full.
func TestContestedNodesForgetWhatNothingReads(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	const most = 4_000
	compared, fewer := 0, 0
	for seed := uint64(1); compared < testkit.Size(4, 4, 20) && seed < 1000; seed++ {
		text := someRules(draw.From(seed))
		dir := testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text})
		e, err := ruleset.Open(dir)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		whole, contested := contestedSearch(t, e, true, most)
		if whole == nil || contested == 0 {
			continue
		}
		short, _ := contestedSearch(t, e, false, most)
		if short == nil {
			t.Fatalf("seed %d: more than %d states, and fewer with all kept\n%s", seed, most, text)
		}
		compared++
		got, want := forgotten(short), forgotten(whole)
		if !maps.Equal(got, want) {
			t.Errorf("seed %d: %d nodes, and %d of a search that keeps all\n%s", seed, len(got), len(want), text)
		}
		if !maps.Equal(foundBy(short), foundBy(whole)) {
			t.Errorf("seed %d: found %v, and %v with all kept\n%s", seed, foundBy(short), foundBy(whole), text)
		}
		if len(short.nodes) < len(whole.nodes) {
			fewer++
		}
	}
	t.Logf("%d rule sets, of which %d have fewer nodes", compared, fewer)
	if fewer == 0 {
		t.Error("nothing is forgotten anywhere: nothing was compared")
	}
}

// contestedSearch searches to the end, with or without what contested nodes forget, and counts these. It returns nil where there are more nodes.
func contestedSearch(t *testing.T, e *ruleset.Engine, recalls bool, most int) (s *search, contested int) {
	t.Helper()
	m, err := newModel(e, mill("some"), true, false)
	if err != nil {
		t.Fatal(err)
	}
	m.steps.recalls = recalls
	s = newSearch(m)
	s.maxStates = most
	if s.run(context.Background()) != nil {
		return nil, 0
	}
	for at := range s.nodes {
		n := s.node(int32(at))
		follows := m.onlyAnswersFollow(&n)
		if follows {
			contested++
		}
		if from := s.parent[at]; from >= 0 {
			if before := s.node(from); m.onlyAnswersFollow(&before) && !follows {
				t.Errorf("a step leads out of a contested node: %+v", s.via[at])
			}
		}
	}
	return s, contested
}

// forgotten lists the nodes of a search, with what contested ones forget cleared.
func forgotten(s *search) map[string]bool {
	all := map[string]bool{}
	for at := range s.nodes {
		n := s.node(int32(at))
		if n = n.clone(); s.m.onlyAnswersFollow(&n) {
			n.forgetOthers()
			s.m.capRequests(&n)
		}
		all[string(s.m.key(&n))] = true
	}
	return all
}

// foundBy is what a search has found.
func foundBy(s *search) map[string]bool {
	all := map[string]bool{}
	for _, f := range s.found {
		all[fmt.Sprint(f.property, f.rule, f.why)] = true
	}
	return all
}
