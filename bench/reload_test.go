package bench

import (
	"bytes"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/engine"
)

// swapped is a folder whose files are replaced all at once.
type swapped struct{ files atomic.Pointer[fstest.MapFS] }

// Open implements [fs.FS].
func (s *swapped) Open(name string) (fs.File, error) { return s.files.Load().Open(name) }

// delays counts decisions by how long they took, in microseconds; the last count is for all longer ones.
type delays [1 << 17]int

func (d *delays) of(share float64) time.Duration {
	all := 0
	for _, n := range d {
		all += n
	}
	left := int(float64(all) * (1 - share))
	for i := range slices.Backward(d[:]) {
		if left -= d[i]; left < 0 {
			return time.Duration(i) * time.Microsecond
		}
	}
	return 0
}

// read decides until it is stopped, and counts what is neither the old answer nor the new one.
func (d *delays) read(e *engine.Engine, set *decisionSet, first int, stopped *atomic.Bool) (wrong int) {
	for i := first; !stopped.Load(); i++ {
		s, want := set.asked[i%situations], set.want[i%situations]
		start := time.Now()
		got := e.Decide(s)
		took := int(time.Since(start) / time.Microsecond)
		d[min(took, len(d)-1)]++
		if got.Rule != want || want != "" && got.Reason != "of its own" && got.Reason != "of today's" {
			wrong++
		}
	}
	return wrong
}

// TestReload replaces 1,000 merchants' rules while two readers decide: no decision is wrong. With -ratios so many
// reloads are timed, and the readers' delays are logged beside those of the machine without any.
func TestReload(t *testing.T) {
	set := &decisionSet{merchants: 100, rules: 10}
	if *ratios > 0 {
		set.merchants = 1000
	}
	set.draw()
	old := set.files()
	next := fstest.MapFS{}
	for name, f := range old {
		next[name] = &fstest.MapFile{Data: bytes.ReplaceAll(f.Data, []byte("of its own"), []byte("of today's"))}
	}
	files := &swapped{}
	files.files.Store(&old)
	e, err := engine.OpenFS(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, reloads := range []int{0, max(2, *ratios)} {
		var readers [2]delays
		var stopped atomic.Bool
		var wrong atomic.Int64
		var wg sync.WaitGroup
		for i := range readers {
			wg.Go(func() { wrong.Add(int64(readers[i].read(e, set, i*situations/2, &stopped))) })
		}
		start := time.Now()
		for n := range reloads {
			files.files.Store([]*fstest.MapFS{&next, &old}[n%2])
			if err := e.Reload(); err != nil {
				t.Fatal(err)
			}
		}
		if reloads == 0 {
			time.Sleep(time.Second)
		}
		took := time.Since(start)
		stopped.Store(true)
		wg.Wait()
		if wrong.Load() > 0 {
			t.Errorf("%d decisions are wrong", wrong.Load())
		}
		all := &readers[0]
		for i, n := range readers[1] {
			all[i] += n
		}
		t.Logf("%d reloads in %s, two readers: p50 %s, p99 %s, p99.9 %s, p99.99 %s", reloads, took.Round(time.Millisecond), all.of(0.5), all.of(0.99), all.of(0.999), all.of(0.9999))
	}
}
