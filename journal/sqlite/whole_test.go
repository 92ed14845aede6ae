package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// wholeRow is a row whose every field follows from its number. Half of them have ended.
func wholeRow(i int) *journal.Row {
	r := testRow(fmt.Sprintf("flow-%04d", i))
	r.Key.Merchant, r.Key.Payment = "m", fmt.Sprintf("key-%04d", i)
	r.Names = []string{fmt.Sprintf("order-%04d", i), fmt.Sprintf("request-%04d", i)}
	r.State = crashState(r.ID, 1, 300)
	if i%2 == 0 {
		r.Open, r.Due, r.Tombstone = false, time.Time{}, []byte("paid")
	}
	return r
}

// wholeFile is a file that was closed, with so many rows.
func wholeFile(t *testing.T, rows int) (path string, content []byte) {
	t.Helper()
	path = newPath(t)
	j := opened(t, path, nil)
	for i := range rows {
		put(t, j, journal.Lazy, wholeRow(i))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

// readWhole looks for rows in every way. A row that says itself that it is damaged is good. sound reports whether none of them is.
func readWhole(j *Journal, rows int) (sound bool, err error) {
	ctx := context.Background()
	sound = true
	check := func(how string, i int, found []journal.Row, err error) error {
		if err != nil {
			sound = false
			if !strings.Contains(err.Error(), j.path) || errors.Is(err, journal.ErrNotFound) {
				return fmt.Errorf("%s of row %d: %w", how, i, err)
			}
			return nil
		}
		want := wholeRow(i)
		if len(found) != 1 {
			return fmt.Errorf("%s of row %d finds %d rows", how, i, len(found))
		}
		r := &found[0]
		if r.Damaged != nil || !intact(r) {
			sound = false // its reader knows
			return nil
		}
		if r.ID != want.ID || r.Key != want.Key || r.Provider != want.Provider || !slices.Equal(r.Names, want.Names) || r.Open != want.Open || !r.Due.Equal(want.Due) {
			return fmt.Errorf("%s of row %d finds %+v", how, i, r)
		}
		return nil
	}
	for i := range rows {
		want := wholeRow(i)
		found, err := j.ByKey(ctx, want.Key)
		err = check("ByKey", i, found, err)
		for _, name := range want.Names {
			found, failed := j.Named(ctx, want.Provider, name)
			err = errors.Join(err, check("Named", i, found, failed))
		}
		r, failed := j.Get(ctx, want.ID)
		if err = errors.Join(err, check("Get", i, []journal.Row{r}, failed)); err != nil {
			return false, err
		}
	}
	due, err := j.Due(ctx, moment, journal.Cursor{}, rows)
	if err == nil && len(due) != rows/2 {
		return false, fmt.Errorf("%d rows are due", len(due))
	}
	return sound && err == nil, nil
}

// damages change one page of a file.
var damages = []struct {
	what string
	do   func(random *rand.Rand, page, whole []byte)
}{
	{"a bit", func(random *rand.Rand, page, _ []byte) { page[random.IntN(len(page))] ^= 1 << random.IntN(8) }},
	{"a bit at its end", func(random *rand.Rand, page, _ []byte) { page[len(page)-1-random.IntN(600)] ^= 1 << random.IntN(8) }},
	{"zeros", func(_ *rand.Rand, page, _ []byte) { clear(page) }},
	{"another page", func(random *rand.Rand, page, whole []byte) {
		copy(page, whole[random.IntN(len(whole)/len(page))*len(page):])
	}},
	{"a sector", func(random *rand.Rand, page, _ []byte) {
		sector := page[random.IntN(len(page)/512)*512:][:512]
		for i := range sector {
			sector[i] = byte(random.Uint32())
		}
	}},
}

// A file of which any page is not what was written is refused, or has every row as it was, or says what is damaged.
func TestNoRowOfADamagedFileIsLost(t *testing.T) {
	const rows = 30
	path, whole := wholeFile(t, rows)
	pageSize := int(whole[16])<<8 | int(whole[17])
	random := rand.New(rand.NewPCG(1, 2))
	refused, sound, of := 0, 0, 0
	for at := 0; at < len(whole); at += pageSize {
		for _, d := range damages {
			for range testkit.Size(1, 4, 60) {
				content := bytes.Clone(whole)
				d.do(random, content[at:at+pageSize], whole)
				file := filepath.Join(t.TempDir(), filepath.Base(path))
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
				of++
				j, err := Open(file, nil)
				if err != nil {
					refused++
					if !strings.Contains(err.Error(), file) {
						t.Errorf("%s of page %d: the error does not name the file: %v", d.what, at/pageSize+1, err)
					}
					continue
				}
				good, err := readWhole(j, rows)
				if err != nil {
					t.Errorf("%s of page %d: %v", d.what, at/pageSize+1, err)
				}
				if good {
					sound++
				}
				_ = j.Close()
			}
		}
	}
	t.Logf("of %d damaged files %d are refused, and %d have all rows", of, refused, sound)
	if refused < of/4 || sound == 0 {
		t.Error("the damages are not what they should be")
	}
}

// replaced writes a file anew with one text in place of another of its size, which must be there.
func replaced(t *testing.T, path string, content []byte, from, to string) {
	t.Helper()
	if !bytes.Contains(content, []byte(from)) || len(from) != len(to) {
		t.Fatalf("%q is not in the file", from)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(content, []byte(from), []byte(to)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An index that went bad would free a paid key. It is made anew, with the names, only for one who has held the file against the providers' records.
func TestADamagedIndexIsMadeAnewWhenRestored(t *testing.T) {
	for what, damage := range map[string]struct{ from, to string }{
		"the index of keys": {"key-0009mpay", "key-000xmpay"},
		"the names":         {"momoorder-0009", "momoorder-000x"},
	} {
		t.Run(what, func(t *testing.T) {
			path, whole := wholeFile(t, 10)
			replaced(t, path, whole, damage.from, damage.to)
			before, _ := os.ReadFile(path)
			_, err := Open(path, nil)
			if err == nil || !strings.Contains(err.Error(), path+" is damaged") || !strings.Contains(err.Error(), "Options.Restored") {
				t.Fatalf("Open returned %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed (%v)", err)
			}
			for _, o := range []*Options{{Restored: true}, nil} {
				j, err := Open(path, o)
				if err != nil {
					t.Fatal(err)
				}
				if good, err := readWhole(j, 10); err != nil || !good {
					t.Errorf("with %v: %v", o, err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A large file is compared while it is used.
func TestALargeDamagedFileIsLost(t *testing.T) {
	path, _ := wholeFile(t, 10)
	j := opened(t, path, nil)
	set(t, j, fmt.Sprintf("UPDATE flow SET n = n + %[1]d; UPDATE name SET n = n + %[1]d", compareAtOnce))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	j = opened(t, path, nil)
	if good, err := readWhole(j, 10); err != nil || !good {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	replaced(t, path, content, "key-0009mpay", "key-000xmpay")
	j = opened(t, path, nil)
	select {
	case <-j.Lost():
	case <-time.After(time.Minute):
		t.Fatal("it was not noticed")
	}
	err = j.Put(t.Context(), wholeRow(9), journal.Synced)
	if !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), path+" is damaged") {
		t.Fatalf("Put returned %v", err)
	}
}
