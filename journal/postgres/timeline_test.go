package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// before is a timeline that no server of the tests has.
const before = "0000000A"

// promoted makes journals believe, and the database say, that the server has begun a new timeline since their last groups.
func promoted(t *testing.T, all ...*Journal) {
	t.Helper()
	sql(t, server.URL(), fmt.Sprintf("UPDATE %s.journal SET timeline = '%s'", all[0].opts.Schema, before))
	for _, j := range all {
		j.timeline = before // its committer has nothing to do
	}
}

func noted(t *testing.T, schema string) (timeline string) {
	t.Helper()
	if err := connected(t).QueryRow(within(t, time.Minute), "SELECT timeline FROM "+schema+".journal").Scan(&timeline); err != nil {
		t.Fatal(err)
	}
	return timeline
}

// Another process is noting the new timeline, and has not committed. This one does not wait for it and does not take the note for
// made: if the other one's group is not stored, this one notes it with its next group.
func TestAnotherProcessNotesTheTimeline(t *testing.T) {
	for _, end := range []string{"COMMIT", "ROLLBACK"} {
		j := opened(t, Options{Lease: time.Hour})
		is := j.timeline
		promoted(t, j)
		ctx, c := within(t, time.Minute), connected(t)
		for _, text := range []string{"BEGIN", fmt.Sprintf("UPDATE %s.journal SET timeline = '%s'", j.opts.Schema, is)} {
			if _, err := c.Exec(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
		put(t, j, row("1")) // the lock patience is half a second, and then it fails
		if j.timeline != before {
			t.Errorf("%s: the note of a transaction that had not ended was taken for made", end)
		}
		if _, err := c.Exec(ctx, end); err != nil {
			t.Fatal(err)
		}
		put(t, j, row("2"))
		if got := noted(t, j.opts.Schema); got != is || j.timeline != is {
			t.Errorf("%s: the database notes %s, the process %s; want %s", end, got, j.timeline, is)
		}
		closed(t, j)
	}
}

// Three processes store groups at once on a server that was promoted: all rows are stored, at once, and the new timeline is noted.
// Meanwhile a process that opens the journal waits for that and is admitted.
func TestProcessesNoteATimelineTogether(t *testing.T) {
	first := opened(t, Options{Lease: time.Hour})
	is, all := first.timeline, []*Journal{first}
	for range 2 {
		all = append(all, opened(t, Options{Lease: time.Hour, Schema: first.opts.Schema}))
	}
	for round := range 10 {
		promoted(t, all...)
		var together sync.WaitGroup
		for i, j := range all {
			together.Go(func() {
				for k := range 3 {
					if err := j.Put(within(t, time.Minute), row(fmt.Sprintf("%d-%d-%d", round, i, k)), journal.Synced); err != nil {
						t.Error(err)
					}
				}
			})
		}
		closed(t, openedAt(t, server.URL(), Options{Schema: first.opts.Schema, Lease: 10 * time.Second}))
		together.Wait()
		put(t, first, row(fmt.Sprint("last-", round)))
		if got := noted(t, first.opts.Schema); got != is || first.timeline != is {
			t.Fatalf("the database notes %s, the process %s; want %s", got, first.timeline, is)
		}
	}
	for _, j := range all {
		closed(t, j)
	}
}
