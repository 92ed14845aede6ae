package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// taken asks for a payment's key and one name.
func taken(t *testing.T, j *Journal, key journal.Key, name string) bool {
	t.Helper()
	found, err := j.Taken(t.Context(), key, "momo", name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is in the file is taken before its keys and names have been read, while they are, and after: by the key alone, and by the name alone.
func TestWhatTheFileHasIsNeverNew(t *testing.T) {
	path, rows := newPath(t), testkit.Size(300, 2000, 2000)
	j := opened(t, path, nil)
	for i := range rows {
		put(t, j, journal.Lazy, testRow(fmt.Sprint(i)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = opened(t, path, nil)
	j.known.asked = int64(rows)/readAfter + readMore - 10 // it reads the file soon
	fresh := journal.Key{Merchant: "m", Payment: "fresh"}
	for i := range rows {
		r := testRow(fmt.Sprint(i))
		if !taken(t, j, r.Key, "fresh") || !taken(t, j, fresh, r.Names[0]) {
			t.Fatalf("row %d of the file is new", i)
		}
		n := testRow(fmt.Sprint("new-", i))
		if taken(t, j, n.Key, n.Names[0]) {
			t.Fatalf("a key that no row has is taken")
		}
		put(t, j, journal.Lazy, n)
		if !taken(t, j, n.Key, "fresh") || !taken(t, j, fresh, n.Names[0]) {
			t.Fatalf("row %d that was put is new", i)
		}
	}
	j.reading.Wait()
	if j.known.inFile != 0 || j.known.off {
		t.Fatalf("the file has not been read: %+v", j.known)
	}
	wrong := 0
	for i := range rows {
		r := testRow(fmt.Sprint(i))
		if !taken(t, j, r.Key, "fresh") || !taken(t, j, fresh, r.Names[0]) {
			t.Fatalf("row %d of the file is new", i)
		}
		if isNew, _ := j.known.isNew(testRow(fmt.Sprint("other-", i)).Key, "momo", []string{"x"}); !isNew {
			wrong++
		}
	}
	if wrong > rows/20 {
		t.Errorf("%d of %d new keys are taken for known", wrong, rows)
	}
}

// Keys, merchants and names may hold any byte. What is read from the file must be what was put, or a paid key would be new.
func TestOddKeysOfTheFileAreTaken(t *testing.T) {
	path := newPath(t)
	odd := []string{"a\x00b", "\x00", "\xff\xfe", "a\xc3", "ü", "U\u0308", "\ufeffk", " k ", "k\n", "1e3", "0x10", "-0", "'k'", strings.Repeat("k", 5000)}
	j := opened(t, path, nil)
	row := func(i int, text string) *journal.Row {
		r := testRow(fmt.Sprint(i))
		r.Key.Payment, r.Key.Merchant, r.Names = text, text, []string{text}
		return r
	}
	for i, text := range odd {
		put(t, j, journal.Synced, row(i, text))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = opened(t, path, nil)
	for _, read := range []bool{false, true} {
		if read {
			j.readFile(t.Context())
			if j.known.off {
				t.Fatal("the file could not be read")
			}
		}
		for i, text := range odd {
			r := row(i, text)
			if !taken(t, j, r.Key, "fresh") {
				t.Errorf("key %q is new (file read: %t)", text, read)
			}
			if !taken(t, j, journal.Key{Payment: "fresh"}, text) {
				t.Errorf("name %q is new (file read: %t)", text, read)
			}
		}
	}
}

// A later row may bring a name, of a flow whose first row is older than the process.
func TestANameOfALaterRowIsTaken(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	a := later(testRow("a"))
	put(t, j, journal.Synced, testRow("a"))
	a.Names = []string{"theirs"}
	put(t, j, journal.Lazy, a)
	if !taken(t, j, journal.Key{}, "theirs") {
		t.Error("the name is new")
	}
	if n, err := j.Prune(t.Context(), time.Now()); err != nil {
		t.Fatal(n, err)
	}
}

// A set that would be too large is given up: then nothing is new by memory.
func TestTooManyAreNotKnown(t *testing.T) {
	k := newKnown(0)
	k.size = mostKnown - firstKnown
	for i := range uint64(firstKnown * 8) {
		k.addHash(next(i))
	}
	if isNew, _ := k.isNew(journal.Key{Payment: "k"}, "momo", nil); isNew || !k.off || k.parts != nil {
		t.Error("a key is new, of which nothing is known")
	}
}

// Every part finds what was added to it, and few others.
func TestKnownParts(t *testing.T) {
	k := newKnown(0)
	const n = 200_000
	for i := range uint64(n) {
		k.addHash(next(i))
	}
	if len(k.parts) < 3 {
		t.Fatalf("%d parts", len(k.parts))
	}
	found := 0
	for i := range uint64(n) {
		if !k.has(next(i)) {
			t.Fatalf("hash %d is not there", i)
		}
		if k.has(next(i + n)) {
			found++
		}
	}
	if found > n/40 {
		t.Errorf("%d of %d others are found", found, n)
	}
}
