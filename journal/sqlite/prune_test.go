package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// What Prune frees the file gives back, although each row leaves a tombstone. A damaged row stays, and keeps no
// other from being pruned.
func TestPruneGivesSpaceBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	const rows = 900
	ctx := context.Background()
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	j := opened(t, path, nil)
	for i := range rows {
		r := benchRow(int64(i), bytes.Repeat([]byte("state "), 400))
		r.Open, r.Due, r.Tombstone = false, time.Time{}, []byte(fmt.Sprint("paid ", i))
		if err := j.Put(ctx, r, journal.Lazy); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.run(ctx, (*writer).settle); err != nil {
		t.Fatal(err)
	}
	set(t, j, `UPDATE flow SET operation = x'ff' WHERE id = 'flow-000000000300'`)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	full := size()
	j = opened(t, path, nil)
	if n, err := j.Prune(ctx, moment.Add(time.Hour)); n != rows-1 || err != nil {
		t.Fatalf("%d rows were pruned: %v", n, err)
	}
	for _, i := range []int64{0, 299, 300, 301, rows - 1} {
		r, err := j.Get(ctx, benchRow(i, nil).ID)
		if err != nil || (r.Damaged != nil) != (i == 300) || r.Damaged == nil && string(r.State) != fmt.Sprint("paid ", i) {
			t.Errorf("row %d: %d bytes, %v, %v", i, len(r.State), r.Damaged, err)
		}
	}
	if again, err := j.Prune(ctx, moment.Add(time.Hour)); again != 0 || err != nil {
		t.Errorf("%d rows were pruned twice: %v", again, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if pruned := size(); pruned > full/3 {
		t.Errorf("the file has %d bytes after pruning, of %d", pruned, full)
	}
}

// A payment of two steps that has ended, with its tombstone, takes some 2,400 bytes, of which one alone fits into a page of 4,096.
func TestEndedRowsFillTheirPages(t *testing.T) {
	const rows, bytesEach = 600, 2300
	path := filepath.Join(t.TempDir(), "journal")
	j := opened(t, path, nil)
	for i := range rows {
		r := benchRow(int64(i), make([]byte, bytesEach*2/3))
		r.Open, r.Due, r.Tombstone = false, time.Time{}, make([]byte, bytesEach/3)
		if err := j.Put(t.Context(), r, journal.Lazy); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if each := int(info.Size() / rows); each > bytesEach*3/2 {
		t.Errorf("a row of %d bytes takes %d in the file", bytesEach, each)
	}
}
