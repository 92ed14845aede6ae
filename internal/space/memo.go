package space

import (
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/recourse-pay/recourse/providers"
)

// What can be reached at a catalogue takes longer to find than most analyses take, and
// catalogues are read-only: it is kept as long as the catalogue lives.
var memo sync.Map // memoKey → []Reached

type memoKey struct {
	cat    weak.Pointer[providers.Catalog]
	absent string
}

// Reachable returns every situation that can be decided about at a provider, and a few that
// cannot: the answers that its catalogue tells apart, with the facts that the flow can take
// them for. The plainest come first. The result is not to be written to.
func Reachable(cat *providers.Catalog, absent MayBeAbsent) []Reached {
	key := memoKey{weak.Make(cat), fmt.Sprint(absent)}
	if known, ok := memo.Load(key); ok {
		return known.([]Reached)
	}
	all := reachable(cat, absent)
	if _, loaded := memo.LoadOrStore(key, all); !loaded {
		runtime.AddCleanup(cat, func(k memoKey) { memo.Delete(k) }, key)
	}
	return all
}
