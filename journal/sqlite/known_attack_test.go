package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// takenByFile is Taken without what memory knows.
func takenByFile(t *testing.T, j *Journal, key journal.Key, provider, name string) bool {
	t.Helper()
	if err := j.queue.WaitLazy(context.Background()); err != nil {
		t.Fatal(err)
	}
	var is bool
	err := j.reads.taken.QueryRowContext(context.Background(), key.Payment, key.Merchant, key.Operation.String(), provider, name, nil).Scan(&is)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// readSoon makes the next look into the file the one that reads its keys and names.
func readSoon(j *Journal) {
	j.known.mu.Lock()
	defer j.known.mu.Unlock()
	j.known.asked = 1 << 40
}

// Whatever is put, pruned and opened again, and whenever the file is read: memory and the file say the same.
func TestMemorySaysWhatTheFileSays(t *testing.T) {
	r := rand.New(rand.NewPCG(newSeed(t)))
	texts := []string{"a", "A", "a ", "ä", "a\u0308", "a\x00", "\xff", "'", "%", "", "1", "1.0"}
	pick := func() string { return texts[r.IntN(len(texts))] }
	for range testkit.Size(4, 20, 200) {
		path := newPath(t)
		j, flows := opened(t, path, nil), []*journal.Row(nil)
		for step := range 150 {
			switch n := r.IntN(20); {
			case n < 7:
				row := testRow(fmt.Sprint(step))
				row.Key = journal.Key{Merchant: pick(), Operation: policy.Operation(r.IntN(3)), Payment: pick()}
				row.Open, row.Due, row.Tombstone = false, time.Time{}, []byte("paid")
				row.Names = []string{pick()}
				if err := j.Put(context.Background(), row, journal.Durability(r.IntN(2))); err == nil {
					flows = append(flows, row)
				}
			case n < 10 && len(flows) > 0: // a later row, which may bring a name; of a pruned flow too
				i := r.IntN(len(flows))
				row := later(flows[i])
				row.Names = []string{pick()}
				if err := j.Put(context.Background(), row, journal.Synced); err == nil {
					flows[i] = row
				}
			case n == 10:
				if _, err := j.Prune(context.Background(), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			case n == 11:
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				j = opened(t, path, nil)
			case n == 12:
				readSoon(j)
			default:
				key := journal.Key{Merchant: pick(), Operation: policy.Operation(r.IntN(3)), Payment: pick()}
				provider, name := "momo", pick()
				if is, err := j.Taken(context.Background(), key, provider, name); err != nil || is != takenByFile(t, j, key, provider, name) {
					t.Fatalf("step %d: Taken(%q, %q) is %t, %v, which is not what the file says; %+v", step, key, name, is, err, j.known)
				}
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// newSeed is another seed in each run, which a failure names.
func newSeed(t *testing.T) (uint64, uint64) {
	a, b := rand.Uint64(), rand.Uint64()
	t.Logf("seed %d, %d", a, b)
	return a, b
}

// Rows are put while the file is read, some with a name that their flow did not have: none is new from the moment on that its Put begins.
func TestNothingIsNewThatIsPutWhileTheFileIsRead(t *testing.T) {
	path, rows := newPath(t), testkit.Size(300, 2000, 20_000)
	j := opened(t, path, nil)
	for i := range rows {
		put(t, j, journal.Lazy, testRow(fmt.Sprint(i)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = opened(t, path, nil)
	readSoon(j)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := w; i < rows; i += 4 {
				old, fresh := later(testRow(fmt.Sprint(i))), testRow(fmt.Sprint("new-", i))
				old.Names = []string{fmt.Sprint("theirs-", i)}
				for _, r := range []*journal.Row{old, fresh} {
					if err := j.Put(context.Background(), r, journal.Lazy); err != nil {
						t.Error(err)
					}
				}
				for _, r := range []*journal.Row{old, fresh} {
					byKey, err := j.Taken(context.Background(), r.Key, "momo", "fresh")
					byName, failed := j.Taken(context.Background(), journal.Key{}, "momo", r.Names[0])
					if !byKey || !byName || err != nil || failed != nil {
						t.Errorf("%s is taken by its key: %t, by its name: %t; %v, %v", r.ID, byKey, byName, err, failed)
					}
				}
			}
		})
	}
	all.Wait()
	j.reading.Wait()
	if j.known.inFile != 0 || j.known.off {
		t.Errorf("the file has not been read: %+v", j.known)
	}
}

// A journal that is closed while its file is read closes, and says so to those who look.
func TestCloseWhileTheFileIsRead(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	for i := range 200 {
		put(t, j, journal.Lazy, testRow(fmt.Sprint(i)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for range testkit.Size(5, 20, 100) {
		j := opened(t, path, nil)
		readSoon(j)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for n := 0; ; n++ {
					is, err := j.Taken(context.Background(), testRow(fmt.Sprint((n+i)%200)).Key, "momo")
					if errors.Is(err, journal.ErrClosed) {
						return
					}
					if err != nil || !is {
						t.Errorf("Taken is %t, %v", is, err)
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	}
}

// A Put that its caller has given up may be stored nevertheless: its key and its name are not new.
func TestAPutThatWasGivenUpIsNotNew(t *testing.T) {
	j, r := opened(t, newPath(t), nil), testRow("a")
	resume := pause(t, j)
	ctx, giveUp := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer giveUp()
	if err := j.Put(ctx, r, journal.Synced); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Put returned %v", err)
	}
	resume()
	put(t, j, journal.Synced, testRow("b")) // the group after it
	if !taken(t, j, r.Key, "fresh") || !taken(t, j, journal.Key{}, r.Names[0]) {
		t.Error("the row is new")
	}
}

// A file whose keys cannot be read is looked into for each payment: so it is when reading stops half way.
func TestAFileThatCannotBeReadHasNothingNew(t *testing.T) {
	j := opened(t, newPath(t), nil)
	put(t, j, journal.Synced, testRow("a"))
	ended, end := context.WithCancel(context.Background())
	end()
	j.readFile(ended)
	if !j.known.off || !taken(t, j, testRow("a").Key, "fresh") || taken(t, j, testRow("b").Key, "fresh") {
		t.Errorf("after a read that failed, a is new or b is not: %+v", j.known)
	}
}

// The numbers of flows may begin anywhere in a file that was put together by other tools: one flow, and nothing is new before the file is read.
func TestAFileWithOddNumbersIsNotEmpty(t *testing.T) {
	for _, n := range []int64{-5, 0} {
		path := newPath(t)
		j := opened(t, path, nil)
		put(t, j, journal.Synced, testRow("a"))
		if err := j.run(context.Background(), func(w *writer) error {
			return w.transact(func() error { return w.exec(fmt.Sprintf("UPDATE flow SET n = %d; UPDATE name SET n = %[1]d", n)) })
		}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if j = opened(t, path, nil); !taken(t, j, testRow("a").Key, "fresh") {
			t.Errorf("the key of flow number %d is new", n)
		}
	}
}

// A process that was paused while another one took the file does not know the other's rows. It can store nothing, so a key that it takes for
// new is not sent.
func TestAKeyOfTheNextOwnerIsNeverPut(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	if err := os.Remove(path + ".lock"); err != nil { // as on a file system that has lost its locks
		t.Fatal(err)
	}
	other, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := testRow("a")
	put(t, other, journal.Synced, r)
	is, err := j.Taken(context.Background(), r.Key, "momo", r.Names...)
	if err == nil && !is {
		mine := testRow("mine")
		mine.Key = r.Key
		if err := j.Put(context.Background(), mine, journal.Synced); !errors.Is(err, journal.ErrLost) {
			t.Errorf("Put returned %v, want ErrLost", err)
		}
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}
