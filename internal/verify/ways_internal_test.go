package verify

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// A search that remembers its ways visits the same nodes by the same ways, in the same order, and counts as many steps as one that follows each.
func TestWaysThatAreNotFollowedAgainLeadNowhereNew(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	most, steps := testkit.Size(600, 3_000, 20_000), 0
	for _, rules := range []string{"plain", "hook", "disputes", "bold-silent", "bold-refused"} {
		for _, b := range []breaches{{}, {foreign: true}, {retracts: true}} {
			fast, plain := boundedSearch(t, e, rules, b, most), boundedSearch(t, e, rules, b, most)
			ended := fast.run(context.Background())
			if plain.followEach(); ended == nil {
				plain.findCircle()
			}
			steps += plain.edges
			if fast.edges != plain.edges || !slices.Equal(fast.parent, plain.parent) || !slices.Equal(fast.via, plain.via) || !maps.Equal(fast.seen, plain.seen) {
				t.Errorf("%s %+v: %d steps to %d nodes, and %d to %d where each is followed", rules, b, fast.edges, len(fast.nodes), plain.edges, len(plain.nodes))
			}
			if !reflect.DeepEqual(fast.found, plain.found) {
				t.Errorf("%s %+v: found %+v, and %+v where each is followed", rules, b, fast.found, plain.found)
			}
		}
	}
	t.Log(steps, "steps")
}

func boundedSearch(t *testing.T, e *ruleset.Engine, rules string, b breaches, most int) *search {
	t.Helper()
	m, err := newModel(e, mill(rules), true, false)
	if err != nil {
		t.Fatal(err)
	}
	m.breaches = b
	s := newSearch(m)
	s.maxStates = most
	return s
}

// followEach is run without anything remembered of ways.
func (s *search) followEach() {
	root := s.m.initial()
	s.add(&root, -1, transition{})
	for at := 0; at < len(s.nodes) && len(s.nodes) <= s.maxStates; at++ {
		n := s.node(int32(at))
		s.m.steps.node = int32(at)
		s.m.successors(&n, func(tr transition, next *node, o *outcome) {
			s.edges++
			s.check(int32(at), tr, &n, next, o)
		})
	}
}

// What is not in the number of what was said would make two ways one.
func TestEveryFieldOfWhatIsSaidCounts(t *testing.T) {
	blank := func() said {
		return said{ids: []statements{{}, {}}, requests: []request{{}, {}}}
	}
	w := &ways{said: map[string]int32{}}
	plain := blank()
	at := w.numberOf(&plain)
	look := func(name string, part func(*said) reflect.Value) {
		for i := range part(&plain).NumField() {
			n := blank()
			v, field := part(&n).Field(i), part(&n).Type().Field(i).Name
			v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // also where it is not exported
			switch v.Kind() {
			case reflect.Bool:
				v.SetBool(true)
			case reflect.Int:
				v.SetInt(1)
			case reflect.Uint8:
				v.SetUint(1)
			case reflect.Slice, reflect.Struct:
				continue // looked at by itself
			default:
				t.Errorf("%s.%s: the test cannot change a %s", name, field, v.Type())
				continue
			}
			if w.numberOf(&n) == at {
				t.Errorf("%s.%s is not in the number of what was said", name, field)
			}
		}
	}
	look("said", func(n *said) reflect.Value { return reflect.ValueOf(n).Elem() })
	look("tally", func(n *said) reflect.Value { return reflect.ValueOf(&n.tally).Elem() })
	look("statements", func(n *said) reflect.Value { return reflect.ValueOf(&n.ids[1]).Elem() })
	look("request", func(n *said) reflect.Value { return reflect.ValueOf(&n.requests[1]).Elem() })
}
