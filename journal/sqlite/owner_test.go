package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "journal")
}

func testRow(id string) *journal.Row {
	r := benchRow(0, []byte("state of "+id))
	r.ID, r.Key.Payment, r.Names = id, "cart-"+id, []string{"order-" + id}
	return r
}

func later(r *journal.Row) *journal.Row {
	after := *r
	after.Version++
	after.State = fmt.Appendf(nil, "state of %s, version %d", r.ID, after.Version)
	return &after
}

func put(t *testing.T, j *Journal, d journal.Durability, rows ...*journal.Row) {
	t.Helper()
	for _, r := range rows {
		if err := j.Put(context.Background(), r, d); err != nil {
			t.Fatalf("Put of %s version %d: %v", r.ID, r.Version, err)
		}
	}
}

func version(t *testing.T, j *Journal, id string, want int64) {
	t.Helper()
	r, err := j.Get(context.Background(), id)
	if errors.Is(err, journal.ErrNotFound) {
		err = nil
	}
	if err != nil || r.Version != want {
		t.Fatalf("%s is at version %d (%v), want %d", id, r.Version, err, want)
	}
}

func TestSecondOwnerInThisProcess(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link, filepath.Join(filepath.Dir(path), ".", "x", "..", "journal")} {
		_, err := Open(name, nil)
		var owned *ownedError
		if !errors.Is(err, journal.ErrOwned) || !errors.As(err, &owned) || owned.PID != os.Getpid() {
			t.Fatalf("a second Open of %s returned %v", name, err)
		}
	}
	put(t, j, journal.Synced, testRow("a"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	version(t, opened(t, path, nil), "a", 1)
}

// The operating system ends the ownership of a killed process.
func TestSecondOwnerInAnotherProcess(t *testing.T) {
	path := newPath(t)
	c := child(t, "open", path)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "opened") {
		t.Fatalf("the child printed %q, %v", line, err)
	}
	_, err = Open(path, nil)
	if !errors.Is(err, journal.ErrOwned) || !strings.HasSuffix(err.Error(), fmt.Sprintf("process %d", c.Process.Pid)) {
		t.Fatalf("Open of a file of process %d returned: %v", c.Process.Pid, err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	put(t, opened(t, path, nil), journal.Synced, testRow("a"))
}

// The lock file is deleted and a second owner opens the journal. From then on every call of
// the first owner fails.
func TestCallsAfterTakeoverReturnErrLost(t *testing.T) {
	path := newPath(t)
	first := opened(t, path, nil)
	put(t, first, journal.Synced, testRow("a"), testRow("b"))
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	second := opened(t, path, nil)

	lost := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, journal.ErrLost) {
			t.Errorf("%s returned %v, want ErrLost", what, err)
		}
	}
	put(t, first, journal.Lazy, later(testRow("a")))
	lost("Put", first.Put(t.Context(), later(testRow("b")), journal.Synced))
	lost("the next Put", first.Put(t.Context(), testRow("c"), journal.Synced))
	lost("lazy Put", first.Put(t.Context(), testRow("c"), journal.Lazy))
	_, err := first.Get(t.Context(), "a")
	lost("Get", err)
	_, err = first.Prune(t.Context(), moment)
	lost("Prune", err)

	for _, id := range []string{"a", "b"} {
		version(t, second, id, 1)
	}
	version(t, second, "c", 0)
	put(t, second, journal.Synced, later(testRow("a")))
	lost("Close", first.Close())
}

// Prune checks the ownership, too.
func TestPruneAfterTakeoverReturnsErrLost(t *testing.T) {
	path := newPath(t)
	first := opened(t, path, nil)
	r := testRow("a")
	r.Open, r.Due = false, time.Time{}
	put(t, first, journal.Synced, r)
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	second := opened(t, path, nil)
	if _, err := first.Prune(t.Context(), moment.Add(time.Second)); !errors.Is(err, journal.ErrLost) {
		t.Fatalf("Prune returned %v, want ErrLost", err)
	}
	version(t, second, "a", 1)
}
