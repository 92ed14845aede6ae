package verify

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// A step that is remembered, a way that is left out because it leads where another one led, and limits that are not
// varied again must leave the search with the same states and the same findings. The plain twin steps for each event of each node, and
// follows everything.
func TestReactionsAreTheFlowsOwn(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/mutation/merchants/*.toml")
	slices.SortStableFunc(files, func(a, b string) int { // the largest worlds last
		return strings.Count(a, "disputes") - strings.Count(b, "disputes")
	})
	compared, states := 0, 0
	for i, file := range files {
		rules := strings.TrimSuffix(filepath.Base(file), ".toml")
		for k, breach := range []breaches{{}, {retracts: true}, {foreign: true}} {
			coarse := (i+k)%3 != 0
			if k > testkit.Size(0, 1, 2) || !testkit.Slow && !slices.Contains(smallWorlds, rules) {
				continue
			}
			most := testkit.Size(1_000, 1_100, 3_000)
			m, plain := searchedTwice(t, e, rules, coarse, breach, most)
			if m == nil {
				continue
			}
			compared++
			states += len(m.states)
			if !maps.Equal(m.states, plain.states) {
				t.Errorf("%s, coarse %v, %+v: %d states, and %d without anything remembered", rules, coarse, breach, len(m.states), len(plain.states))
			}
			if !maps.Equal(m.found, plain.found) {
				t.Errorf("%s, coarse %v, %+v: found %v, and %v without anything remembered", rules, coarse, breach, slices.Collect(maps.Keys(m.found)), slices.Collect(maps.Keys(plain.found)))
			}
		}
	}
	t.Log(compared, "searches,", states, "states")
	if compared < 3 {
		t.Error("too few searches ended to compare anything")
	}
}

// smallWorlds are the rules whose searches end within the states of the smaller sizes. A search of the others is given up there, and compares
// nothing: they are for the slow tier.
var smallWorlds = []string{"silent", "bold-silent", "hook", "bold-refused"}

// searched is what a search reached and found.
type searched struct{ states, found map[string]bool }

// searchedTwice searches with and without what the model remembers, for at most so many states. It returns nil where there are more.
func searchedTwice(t *testing.T, e *ruleset.Engine, rules string, coarse bool, b breaches, most int) (fast, plain *searched) {
	t.Helper()
	for _, apart := range []bool{false, true} {
		m, err := newModel(e, mill(rules), coarse, false)
		if err != nil {
			t.Fatal(err)
		}
		m.breaches = b
		m.steps.every, m.steps.apart = apart, apart
		s := newSearch(m)
		root := m.initial()
		s.add(&root, -1, transition{})
		m.remember()                           // not what every way is followed of
		for at := 0; at < len(s.nodes); at++ { //nolint:intrange // the loop appends to nodes
			if len(s.nodes) > most {
				if apart {
					t.Errorf("%s, coarse %v: more than %d states, and fewer with what is remembered", rules, coarse, most)
				}
				return nil, nil
			}
			if apart {
				clear(m.steps.reactions)
			}
			n := s.node(int32(at))
			m.successors(&n, func(tr transition, next *node, o *outcome) { s.check(int32(at), tr, &n, next, o) })
		}
		got := &searched{map[string]bool{}, map[string]bool{}}
		for key := range s.seen {
			got.states[key] = true
		}
		for _, f := range s.found {
			got.found[fmt.Sprint(f.property, f.rule, f.why)] = true
		}
		if fast = got; apart {
			return fast, plain
		}
		plain = got
	}
	return nil, nil
}

// What the model keeps of a state of the flow must be everything that a step can depend on: a field of flow that is neither
// in the number of a state nor listed here would make two states one.
func TestEveryFieldOfTheFlowCounts(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	m, err := newModel(e, mill("plain"), false, false)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]string{
		"Payment": "is the model's", "Target": "is the operation's", "NotAfter": "is not in the model: it only forbids sends",
		"Started": "setTimes", "Asked": "setTimes", "FirstSent": "setTimes", "LastSent": "setTimes", "Deadline": "setTimes", "At": "setTimes",
		"Hastened": "any hint may be the last: see queryEarly", "Waits": "no schedule is followed", "Reason": "for people", "Class": "for people",
		"Evidence": "for people", "NewOrderPossible": "for the caller", "Fact": "keptFact",
	}
	before := func() flow.State {
		return flow.State{Payment: m.payment, Stage: flow.Waiting, Ledger: []flow.Identity{{OrderID: "order-1", RequestID: "request-1", Sends: 1, Copies: 1}}, Displaced: &flow.Next{}}
	}
	same := before()
	at := m.stateOf(&same)
	change := func(part func(*flow.State) reflect.Value) {
		s := before()
		for i := range part(&s).NumField() {
			s := before()
			v, name := part(&s).Field(i), part(&s).Type().Field(i).Name
			if name == "Ledger" || name == "Next" || name == "Displaced" {
				continue // their own fields are changed
			}
			switch v.Interface().(type) {
			case string, flow.Stage, flow.Via, policy.Identifier:
				v.SetString("other")
			case bool:
				v.SetBool(!v.Bool())
			case int:
				v.SetInt(v.Int() + 7)
			case policy.Counts:
				v.Set(reflect.ValueOf(policy.Counts{{Name: "other", N: 1}}))
			case policy.Effect, policy.Action, policy.Outcome, policy.Class:
				v.SetUint(v.Uint() + 1)
			case time.Time:
				v.Set(reflect.ValueOf(base))
			default:
				if left[name] == "" {
					t.Errorf("the test cannot change %s, a %s", name, v.Type())
				}
				continue
			}
			if now := m.stateOf(&s); (now == at) != (left[name] != "") {
				t.Errorf("%s: counts %v, and is listed as left out: %q", name, now != at, left[name])
			}
		}
	}
	change(func(s *flow.State) reflect.Value { return reflect.ValueOf(s).Elem() })
	change(func(s *flow.State) reflect.Value { return reflect.ValueOf(&s.Ledger[0]).Elem() })
	change(func(s *flow.State) reflect.Value { return reflect.ValueOf(&s.Next).Elem() })
	change(func(s *flow.State) reflect.Value { return reflect.ValueOf(s.Displaced).Elem() })
}
