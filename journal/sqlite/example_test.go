package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// After a crash, the next process finds the open flows by their due time.
func Example() {
	folder, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "flows.db")
	ctx := context.Background()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	j, err := sqlite.Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(j.Put(ctx, &journal.Row{
		ID: "flow-1", Version: 1, Provider: "momo", Open: true, Due: noon, At: noon, State: []byte("sending"),
	}, journal.Synced))
	_, err = sqlite.Open(path, nil)
	fmt.Println(errors.Is(err, journal.ErrOwned))
	j.Close()

	j, err = sqlite.Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	rows, err := j.Due(ctx, noon.Add(time.Hour), journal.Cursor{}, 100)
	for _, r := range rows {
		fmt.Printf("%s was %s\n", r.ID, r.State)
	}
	fmt.Println(err)
	// Output:
	// <nil>
	// true
	// flow-1 was sending
	// <nil>
}
