package verify

import (
	"context"
	"slices"
	"strconv"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// search visits the product breadth first. The first path that violates a property is therefore
// the shortest.
type search struct {
	m          *model
	nodes      []keptNode
	lists      lists
	parent     []int32
	via        []transition
	seen       map[string]int32 // index of a node by its key
	depth      []uint16
	edges      int
	maxStates  int // number of nodes; 0: no bound
	maxDepth   int // steps of a path; 0: no bound
	maxEdges   int // number of transitions; 0: no bound
	found      []finding
	known      map[string]bool
	stop       func(*finding) bool
	unfinished bool   // it stopped at its bound
	uncounted  string // why what it found was not searched again with counts, and what to change; empty: it was, or no rule looks at any

	follow   string // FILE:LINE of a rule; empty: none is followed
	followed bool   // the rule decided about a new answer, and not only about known facts
}

// finding is a violated property at the end of a path.
type finding struct {
	property flow.Property
	rule     string // for S5; FILE:LINE
	id       string
	wanted   policy.Action
	node     int32 // the last node before the step
	via      transition
	why      string
	bypassed bool // the unguarded rule was followed on the path
}

// errTooMany reports that the search stopped at its bound.
type errTooMany struct{}

func (errTooMany) Error() string { return "more states than the bound" }

func newSearch(m *model) *search {
	return &search{m: m, seen: map[string]int32{}, known: map[string]bool{}}
}

// add keeps a node that was not seen before.
func (s *search) add(n *node, parent int32, via transition) {
	key := s.m.key(n)
	if _, known := s.seen[string(key)]; known {
		return
	}
	s.seen[string(key)] = int32(len(s.nodes))
	d := uint16(0)
	if parent >= 0 {
		d = s.depth[parent] + 1
	}
	kept := keptNode{s.m.ownState(&n.s), n.said}
	kept.ids, kept.requests = s.lists.ids.keep(n.ids), s.lists.requests.keep(n.requests)
	s.nodes, s.parent, s.via, s.depth = append(s.nodes, kept), append(s.parent, parent), append(s.via, via), append(s.depth, d)
}

// keptNode is a node as it is kept. Nodes have few states of the flow, and share them.
type keptNode struct {
	s *flow.State
	said
}

// node returns a node that was kept. It is not to be written to; a step that changes its lists clones it.
func (s *search) node(at int32) node { return node{*s.nodes[at].s, s.nodes[at].said} }

// lists is memory for the short lists of the nodes that are kept.
type lists struct {
	ids      arena[statements]
	requests arena[request]
}

// arena is memory in large pieces for many short lists that are kept for as long.
type arena[T any] struct{ free []T }

// keep returns a copy of a list. Nothing can be appended to it in place.
func (a *arena[T]) keep(list []T) []T {
	if len(list) > cap(a.free)-len(a.free) {
		a.free = make([]T, 0, max(1024, len(list)))
	}
	from := len(a.free)
	a.free = append(a.free, list...)
	return slices.Clip(a.free[from:])
}

// run visits every reachable node. It ends early when ctx is done or stop returns true.
func (s *search) run(ctx context.Context) error {
	root := s.m.initial()
	s.add(&root, -1, transition{})
	s.m.remember()
	defer func() { s.m.steps.ways = ways{} }()
	for at := 0; at < len(s.nodes); at++ { //nolint:intrange // the loop appends to nodes
		if at%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if s.maxStates > 0 && len(s.nodes) > s.maxStates || s.maxEdges > 0 && s.edges > s.maxEdges {
			return errTooMany{}
		}
		if s.maxDepth > 0 && int(s.depth[at])+1 >= s.maxDepth {
			return nil
		}
		n := s.node(int32(at))
		s.m.steps.node = int32(at)
		ended := false
		s.m.successors(&n, func(tr transition, next *node, o *outcome) {
			s.edges++
			ended = s.check(int32(at), tr, &n, next, o) || ended
		})
		s.edges += s.m.steps.ways.takeAgain()
		if ended {
			return nil
		}
	}
	s.findCircle()
	return nil
}

// check checks one transition, and keeps the node that it leads to. It reports whether the search
// is to end.
func (s *search) check(at int32, tr transition, from, next *node, o *outcome) (stop bool) {
	if s.follow != "" && o != nil && o.remarks != nil && o.follows == s.follow {
		s.followed = true
	}
	for _, f := range s.m.violations(from, next, o) {
		f.node, f.via, f.bypassed = at, tr, from.bypassed
		key := string(f.property) + f.rule + f.why + strconv.FormatBool(f.bypassed)
		if s.known[key] {
			continue
		}
		s.known[key] = true
		s.found = append(s.found, f)
		if s.stop != nil && s.stop(&f) {
			return true
		}
	}
	if s.m.unguarded != "" {
		if direct, ok := s.m.bypassInterlock(next, o); ok {
			tr := tr
			tr.bypass = true
			for _, f := range s.m.checkOutcome(direct) {
				f.node, f.via, f.bypassed = at, tr, direct.bypassed
				s.found = append(s.found, f)
				if s.stop != nil && s.stop(&f) {
					return true
				}
			}
			s.add(direct, at, tr)
		}
	}
	over := next.s.Outcome == policy.Succeeded || next.s.Outcome == policy.Failed && next.flow > 1 && !s.m.coarse
	if over || next.executions() > 1 {
		return false // its successors violate nothing new
	}
	s.add(next, at, tr)
	return false
}
