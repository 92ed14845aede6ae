package engine

import (
	"context"
	"time"
)

// Reload reads the rules and catalogues again, from where [Open] or [OpenFS] read them, beside the ones
// that decide, and puts them in their place at once. With an error, which has every mistake, the old ones go
// on deciding.
//
// No reader waits. A decider that [Engine.For] returned keeps the rules that it began with, and so does each
// flow of an executor in its process. Catalogs and Warnings stay those of Open: [Engine.Catalog] is today's.
func (e *Engine) Reload() error { return e.rules.Reload() }

// Watch looks at the files of the rules at each tick, such as those of time.Tick(2 * time.Second), and reloads
// them when they have changed and were then left alone until the next look. It returns when the context ends,
// with its error, or with nil when the ticks end. Report, which may be nil, is called after each reload: with nil,
// or with the mistakes for which the old rules go on deciding.
//
// A change is seen by name, size and time of a file. What keeps all three is for [Engine.Reload].
func (e *Engine) Watch(ctx context.Context, ticks <-chan time.Time, report func(error)) error {
	return e.rules.Watch(ctx, ticks, report)
}

// Digest stands for all rules and catalogues that decide now: two sets with one digest decide alike. Once it
// has been asked for, each decision in an executor's log and events names it, so that a decision can be made
// again by the same set. It reads every catalogue, so it is not made where nothing asks for it.
func (e *Engine) Digest() string { return e.rules.Now().Digest() }
