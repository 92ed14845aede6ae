package webhook

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// twin is a memory that is plainly right: a list of what was taken, with its end.
type twin struct {
	most  int
	taken []twinEntry
}

type twinEntry struct {
	nonce string
	until time.Time
}

func (w *twin) take(now time.Time, nonce string, keep time.Duration) (isNew, full bool) {
	var still []twinEntry
	for _, e := range w.taken {
		if e.until.IsZero() || !now.After(e.until) {
			still = append(still, e)
		}
	}
	w.taken = still
	for _, e := range w.taken {
		if e.nonce == nonce {
			return false, false
		}
	}
	if keep == 0 && len(w.taken) >= w.most {
		w.taken = w.taken[1:]
	}
	if len(w.taken) >= w.most {
		return false, true
	}
	e := twinEntry{nonce: nonce}
	if keep > 0 {
		e.until = now.Add(keep)
	}
	w.taken = append(w.taken, e)
	return true, false
}

func (w *twin) free(nonce string) {
	for i, e := range w.taken {
		if e.nonce == nonce {
			w.taken = append(w.taken[:i], w.taken[i+1:]...)
			return
		}
	}
}

// The memory says what a list would, in the order of any calls, and stays bounded.
func TestMemoryIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_000_000, 0)
		most := rapid.IntRange(1, 6).Draw(t, "most")
		keep := rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "keep")
		m := &memory{now: func() time.Time { return now }, most: most, known: map[string]uint64{}}
		w := &twin{most: most}
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			nonce := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "nonce"))
			switch rapid.IntRange(0, 4).Draw(t, "call") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(1, 70).Draw(t, "seconds")) * time.Second)
			case 1:
				w.free(nonce)
				if err := m.Free(context.Background(), nonce); err != nil {
					t.Fatal(err)
				}
			default:
				isNew, err := m.Take(context.Background(), nonce, keep)
				wantNew, full := w.take(now, nonce, keep)
				if isNew != wantNew || (err != nil) != full {
					t.Fatalf("take %s: %v %v, want %v, full %v", nonce, isNew, err, wantNew, full)
				}
			}
			if len(m.known) > most || len(m.order) > 2*most+1 {
				t.Fatalf("%d nonces, %d entries, of at most %d", len(m.known), len(m.order), most)
			}
		}
	})
}
