package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"
)

// errChanging says that files changed while they were read: what was read may be half of one set and half of the
// next.
var errChanging = errors.New("the rules changed while they were read; the old ones still decide")

// readings is how often Reload begins again where the files change under it.
const readings = 3

// Reload reads the rules and catalogues again, from where [Open] or [OpenFS] read them, beside the ones
// that decide, and puts them in their place at once. With an error, which has every mistake, the old ones go
// on deciding.
//
// No reader waits. A decider that [Engine.For] returned keeps the rules that it began with, and so does each
// flow of an executor in its process. Catalogs and Warnings stay those of Open: [Engine.Catalog] is today's.
func (e *Engine) Reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	for range readings {
		before := e.stamp()
		next, err := e.read()
		if e.stamp() != before {
			continue
		}
		if err != nil {
			return err
		}
		next.Digest()
		e.rules.Store(next)
		return nil
	}
	return errChanging
}

// Watch looks at the files of the rules at each tick, such as those of time.Tick(2 * time.Second), and reloads
// them when they have changed and were then left alone until the next look. It returns when the context ends,
// with its error, or with nil when the ticks end. Report, which may be nil, is called after each reload: with nil,
// or with the mistakes for which the old rules go on deciding.
//
// A change is seen by name, size and time of a file. What keeps all three is for [Engine.Reload].
func (e *Engine) Watch(ctx context.Context, ticks <-chan time.Time, report func(error)) error {
	e.Digest()
	loaded := e.opened
	last := loaded
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, more := <-ticks:
			if !more {
				return nil
			}
		}
		now := e.stamp()
		if still := now == last; !still || now == loaded {
			last = now
			continue
		}
		err := e.Reload()
		if errors.Is(err, errChanging) {
			continue
		}
		loaded = now
		if report != nil {
			report(err)
		}
	}
}

// Digest stands for all rules and catalogues that decide now: two sets with one digest decide alike. Once it
// has been asked for, each decision in an executor's log and events names it, so that a decision can be made
// again by the same set. It reads every catalogue, so it is not made where nothing asks for it.
func (e *Engine) Digest() string { return e.rules.Load().Digest() }

// stamp is by what a change of the files shows.
func (e *Engine) stamp() [sha256.Size]byte { return stampOf(e.files) }

func stampOf(fsys fs.FS) (stamp [sha256.Size]byte) {
	if fsys == nil {
		return stamp
	}
	h := sha256.New()
	for _, folder := range []string{".", "merchants", "providers"} {
		entries, err := fs.ReadDir(fsys, folder)
		if err != nil {
			fmt.Fprintf(h, "%s: %v\n", folder, err)
		}
		for _, d := range entries {
			if path.Ext(d.Name()) != ".toml" {
				continue
			}
			info, err := fs.Stat(fsys, path.Join(folder, d.Name())) // of what a link leads to
			if err != nil {
				fmt.Fprintf(h, "%q/%q: %v\n", folder, d.Name(), err)
				continue
			}
			fmt.Fprintf(h, "%q/%q %d %d\n", folder, d.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	h.Sum(stamp[:0])
	return stamp
}

// folder is the file system of a folder; nil for the embedded defaults alone.
func folder(dir string) fs.FS {
	if dir == "" {
		return nil
	}
	return os.DirFS(dir)
}
