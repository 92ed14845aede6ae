package sqlite

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

func logSize(path string) int64 {
	info, err := os.Stat(path + "-wal")
	if err != nil {
		return 0
	}
	return info.Size()
}

// Checkpoints limit the size of the -wal file while rows are put and read.
func TestLogSizeIsLimited(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	var all sync.WaitGroup
	var slowest, largest [50]int64
	puts := testkit.Size(50, 500, 500)
	began := time.Now()
	for w := range 50 {
		all.Go(func() {
			state := make([]byte, 2048)
			for i := range puts {
				r := testRow(fmt.Sprint(w, "-", i))
				r.State = state
				r2 := later(r)
				r2.State = state
				at := time.Now()
				put(t, j, journal.Synced, r, r2)
				slowest[w] = max(slowest[w], int64(time.Since(at)))
				if i%50 == 0 {
					version(t, j, r.ID, 2)
					largest[w] = max(largest[w], logSize(path))
				}
			}
		})
	}
	all.Wait()
	var slow, large int64
	for w := range slowest {
		slow, large = max(slow, slowest[w]), max(large, largest[w])
	}
	t.Logf("%d puts in %s; the largest log had %d KB, the slowest pair of puts took %s",
		100*puts, time.Since(began).Round(time.Millisecond), large>>10, time.Duration(slow).Round(time.Millisecond))
	if large > 64<<20 {
		t.Errorf("the log grew to %d bytes", large)
	}
}
