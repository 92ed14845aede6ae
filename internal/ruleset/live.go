package ruleset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Live are the rules of now, which are replaced while they decide. [Live.Open] comes first. No reader waits: a decider that [Live.For] returned keeps the rules that it
// began with.
type Live struct {
	now       atomic.Pointer[Engine]
	read      func() (*Engine, error) // again
	stamp     func() [sha256.Size]byte
	opened    [sha256.Size]byte // the stamp before they were first read
	reloading sync.Mutex
	before    atomic.Pointer[[]*Engine] // the latest sets, for those who know a digest
}

// Open reads rules, by a function that can read them again. Stamp is what changes when they do; see [StampOf].
func (l *Live) Open(stamp func() [sha256.Size]byte, read func() (*Engine, error)) error {
	l.read, l.stamp, l.opened = read, stamp, stamp()
	e, err := read()
	if err != nil {
		return err
	}
	l.replace(e)
	return nil
}

// mostBefore is how many sets are kept, the one of now among them.
const mostBefore = 4

func (l *Live) replace(e *Engine) {
	sets := []*Engine{e}
	if old := l.before.Load(); old != nil {
		sets = append(sets, (*old)[:min(len(*old), mostBefore-1)]...)
	}
	l.before.Store(&sets)
	l.now.Store(e)
}

// Now is the set of now.
func (l *Live) Now() *Engine { return l.now.Load() }

// Named is the set of a digest, if it decided of late; nil otherwise.
func (l *Live) Named(digest string) *Engine {
	for _, e := range *l.before.Load() {
		if e.Digest() == digest {
			return e
		}
	}
	return nil
}

// errChanging says that files changed while they were read: what was read may be half of one set and half of the
// next.
var errChanging = errors.New("the rules changed while they were read; the old ones still decide")

// readings is how often Reload begins again where the files change under it.
const readings = 3

// Reload reads the rules again beside those that decide, and puts them in their place at once. With an error, which has every mistake,
// the old ones go on deciding.
func (l *Live) Reload() error {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	for range readings {
		before := l.stamp()
		next, err := l.read()
		if l.stamp() != before {
			continue
		}
		if err != nil {
			return err
		}
		next.Digest()
		l.replace(next)
		return nil
	}
	return errChanging
}

// Watch looks at the stamp at each tick, and reloads when it has changed and was then left alone until the next look. It returns when the
// context ends, with its error, or with nil when the ticks end. Report, which may be nil, is called after each reload.
func (l *Live) Watch(ctx context.Context, ticks <-chan time.Time, report func(error)) error {
	l.Now().Digest()
	loaded := l.opened
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
		now := l.stamp()
		if still := now == last; !still || now == loaded {
			last = now
			continue
		}
		err := l.Reload()
		if errors.Is(err, errChanging) {
			continue
		}
		loaded = now
		if report != nil {
			report(err)
		}
	}
}

// StampOf is by what a change of the files of rules shows: names, sizes and times.
func StampOf(fsys fs.FS) (stamp [sha256.Size]byte) {
	if fsys == nil {
		return stamp
	}
	h := sha256.New()
	for _, folder := range []string{".", merchantsDir, catalogsDir} {
		entries, err := fs.ReadDir(fsys, folder)
		if err != nil {
			fmt.Fprintf(h, "%s: %v\n", folder, err)
		}
		for _, d := range entries {
			if path.Ext(d.Name()) != extension {
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

// StampOfPath is [StampOf] of a folder, or of a bundle of one. An empty name is that of the embedded rules, which do not change.
func StampOfPath(dir string) [sha256.Size]byte {
	if dir == "" {
		return StampOf(nil)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return sha256.Sum256(fmt.Appendf(nil, "%d %d", info.Size(), info.ModTime().UnixNano()))
	}
	return StampOf(os.DirFS(dir))
}

// Judge implements [policy.Decider].
func (l *Live) Judge(p *policy.Payment, a *policy.Answer) policy.Fact { return l.Now().Judge(p, a) }

// Decide implements [policy.Decider].
func (l *Live) Decide(s *policy.Situation) policy.Decision { return l.Now().Decide(s) }

// Terms implements [policy.Decider].
func (l *Live) Terms(p *policy.Payment) *policy.Terms { return l.Now().Terms(p) }

// For is [Engine.For] of the set of now.
func (l *Live) For(p *policy.Payment) (policy.Decider, error) { return l.Now().For(p) }

// Check is [Engine.Check] of the set of now.
func (l *Live) Check(p *policy.Payment) error { return l.Now().Check(p) }

// Mentions is [Engine.Mentions] of the set of now.
func (l *Live) Mentions(variable string) bool { return l.Now().Mentions(variable) }

// Read is [Engine.Read] of the set of now.
func (l *Live) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	return l.Now().Read(p, ph, m)
}

// Catalog is [Engine.Catalog] of the set of now.
func (l *Live) Catalog(p *policy.Payment) (*providers.Catalog, error) { return l.Now().Catalog(p) }
