package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// pagesEnd lists by pages of one row, and counts: a damaged row must not keep either from its end.
func pagesEnd(t *testing.T, j journal.Journal) {
	t.Helper()
	var after journal.Cursor
	for n := 0; ; n++ {
		rows, err := j.List(context.Background(), journal.Filter{}, after, 1)
		if err != nil || n > 10 {
			t.Fatalf("page %d: %v", n, err)
		}
		if len(rows) == 0 {
			if n < 9 {
				t.Errorf("%d rows are listed", n)
			}
			break
		}
		after = journal.Cursor{Due: rows[0].Since, ID: rows[0].ID}
	}
	if _, err := j.Count(context.Background(), journal.Filter{}); err != nil {
		t.Error(err)
	}
}

// One column of one row went bad. The rest is read, and the row says what is wrong with it.
func TestADamagedRowStandsAlone(t *testing.T) {
	for column, value := range map[string]string{
		"operation": "'tip'", "names": "x'ff'", "at": "'yesterday'", "version": "'two'", "open": "'perhaps'", "state": "zeroblob(3)",
		"since": "'yesterday'", "standing": "x'ff00'",
	} {
		t.Run(column, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j.db")
			j, err := sqlite.Open(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for i := range 10 {
				row := journal.Row{
					ID: fmt.Sprint("f", i), Version: 1, Key: journal.Key{Merchant: "m", Payment: fmt.Sprint("k", i)}, Provider: "momo",
					Names: []string{"o"}, Open: true, Due: at, At: at, State: []byte("{}"),
				}
				if err := j.Put(context.Background(), &row, journal.Synced); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("UPDATE flow SET " + column + " = " + value + " WHERE id = 'f4'"); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			j, err = sqlite.Open(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			due, err := j.Due(context.Background(), at, journal.Cursor{}, 100)
			named, err2 := j.Named(context.Background(), "momo", "o")
			if err != nil || err2 != nil || len(due) != 10 || len(named) != 10 {
				t.Fatalf("%d rows are due (%v), %d named (%v)", len(due), err, len(named), err2)
			}
			pagesEnd(t, j)
			for i, r := range due {
				if bad := r.Damaged != nil; r.ID != fmt.Sprint("f", i) || !r.Due.Equal(at) || bad != (i == 4 && column != "state" && column != "standing") {
					t.Errorf("row %d: %s due %s, %v", i, r.ID, r.Due, r.Damaged)
				}
				if r.Damaged != nil && j.Put(context.Background(), &r, journal.Synced) == nil {
					t.Error("it was put")
				}
			}
		})
	}
}
