package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

func idsOf(rows []journal.Row) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// Reads that come at once share a statement. Each caller has the rows that it asked for, the oldest first, each once, as
// copies of its own.
func TestLookupsTogether(t *testing.T) {
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	const flows = 8
	for i := range flows {
		first, second := row(fmt.Sprint("b", i)), row(fmt.Sprint("a", i)) // of one key, one after the other
		second.Key, second.Names = first.Key, []string{"order-a" + fmt.Sprint(i), "shared"}
		first.Names = append(first.Names, "shared")
		put(t, j, first)
		over := next(first)
		over.Open = false
		put(t, j, over, second)
	}
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			i := n % flows
			key := row(fmt.Sprint("b", i)).Key
			rows, err := j.ByKey(context.Background(), key)
			if got, want := idsOf(rows), []string{fmt.Sprint("b", i), fmt.Sprint("a", i)}; err != nil || !slices.Equal(got, want) {
				t.Errorf("ByKey returned %q, %v; want %q", got, err, want)
			}
			for k := range rows { // the caller's own
				clear(rows[k].State)
				clear(rows[k].Names)
			}
			rows, err = j.Named(context.Background(), "momo", fmt.Sprint("order-a", i), "shared", "none", "shared")
			if err != nil || len(rows) != 2*flows || rows[0].ID != "b0" || rows[1].ID != "a0" || string(rows[0].State) != "state of b0" {
				t.Errorf("Named returned %q, %v", idsOf(rows), err)
			}
			if rows, err := j.Named(context.Background(), "other", "shared"); err != nil || len(rows) > 0 {
				t.Errorf("under another provider Named returned %q, %v", idsOf(rows), err)
			}
		})
	}
	all.Wait()
	if !settles(func() bool {
		j.keys.mu.Lock()
		defer j.keys.mu.Unlock()
		j.names.mu.Lock()
		defer j.names.mu.Unlock()
		return j.keys.busy+j.names.busy == 0
	}) {
		t.Error("goroutines read for callers that have left")
	}
}

func settles(done func() bool) bool {
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

// A read begins after its caller has asked: what was put before is found, whatever statement was under way.
func TestLookupsFindWhatWasPutBefore(t *testing.T) {
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			for i := range 20 {
				r := row(fmt.Sprintf("%d-%d", n, i))
				if rows, err := j.ByKey(context.Background(), r.Key); err != nil || len(rows) > 0 {
					t.Errorf("before Put ByKey returned %q, %v", idsOf(rows), err)
				}
				d := journal.Synced
				if i%2 == 0 {
					d = journal.Lazy
				}
				if err := j.Put(context.Background(), r, d); err != nil {
					t.Error(err)
				}
				byKey, err := j.ByKey(context.Background(), r.Key)
				named, failed := j.Named(context.Background(), "momo", r.Names...)
				if err := errors.Join(err, failed); err != nil || len(byKey) != 1 || len(named) != 1 {
					t.Errorf("after Put ByKey returned %q, Named %q, %v", idsOf(byKey), idsOf(named), err)
				}
			}
		})
	}
	all.Wait()
}

// A read whose statement hangs does not stop the one that came a moment later, though no other caller comes.
func TestALookupBehindOneThatHangs(t *testing.T) {
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	put(t, j, row("hangs"), row("2"))
	j.keys.query = strings.Replace(j.keys.query, "pg_catalog.unnest($1::bytea[]) AS u (key)",
		fmt.Sprintf(`(SELECT q.key FROM unnest($1::bytea[]) AS q (key), pg_sleep(CASE WHEN '\x%x' = ANY ($1::bytea[]) THEN 4 ELSE 0 END) OFFSET 0) AS u`, digest(row("hangs").Key)), 1)
	hangs := make(chan struct{})
	go func() {
		defer close(hangs)
		if rows, err := j.ByKey(context.Background(), row("hangs").Key); err != nil || len(rows) != 1 {
			t.Errorf("the read that hangs returned %q, %v", idsOf(rows), err)
		}
	}()
	if !settles(func() bool {
		j.keys.mu.Lock()
		defer j.keys.mu.Unlock()
		j.keys.began = time.Now() // this read comes a moment after it, however busy the machine is
		return j.keys.busy == 1 && len(j.keys.waiting) == 0
	}) {
		t.Fatal("the first read has not begun")
	}
	rows, err := j.ByKey(context.Background(), row("2").Key)
	select {
	case <-hangs:
		t.Error("a read waited for one that hung")
	default:
	}
	if err != nil || len(rows) != 1 {
		t.Errorf("ByKey returned %q, %v", idsOf(rows), err)
	}
	<-hangs
}

// One read that fails does not fail the others of its statement, and a caller may leave.
func TestLookupThatFails(t *testing.T) {
	j := opened(t, Options{Lease: time.Hour})
	defer closed(t, j)
	put(t, j, row("1"), row("2"))
	if _, err := j.pool.Exec(context.Background(), "UPDATE "+j.opts.Schema+".flow SET since = 'infinity' WHERE id = '1'"); err != nil {
		t.Fatal(err)
	}
	bad := &lookup{ctx: context.Background(), digests: [][]byte{digest(row("1").Key)}, done: make(chan struct{})}
	good := &lookup{ctx: context.Background(), digests: [][]byte{digest(row("2").Key)}, done: make(chan struct{})}
	j.keys.waiting, j.keys.busy = []*lookup{bad, good}, 1
	j.lookAll(&j.keys)
	if bad.err == nil {
		t.Error("a row that cannot be read came without an error")
	}
	if got := idsOf(good.rows); good.err != nil || !slices.Equal(got, []string{"2"}) {
		t.Errorf("beside it %q came, %v", got, good.err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.ByKey(ctx, row("2").Key); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has left got %v", err)
	}
}
