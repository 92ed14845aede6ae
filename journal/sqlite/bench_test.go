package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func benchRow(id int64, state []byte) *journal.Row {
	return &journal.Row{
		ID: fmt.Sprintf("flow-%012d", id), Version: 1,
		Key:      journal.Key{Merchant: "acme", Operation: policy.Pay, Payment: fmt.Sprintf("cart-%012d", id)},
		Provider: "momo", Names: []string{fmt.Sprintf("order-%012d", id)},
		Open: true, Due: moment, At: moment, State: state,
	}
}

// parallel calls work b.N times from the given number of goroutines.
func parallel(b *testing.B, workers int, unit string, work func(i int64)) {
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				work(i)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
}

// BenchmarkPut puts one synced row of 1.5 KB for each operation. Half of them are first rows,
// the other half are the rows that end the flows.
func BenchmarkPut(b *testing.B) {
	state := bytes.Repeat([]byte("0123456789abcde\n"), 96)
	for _, workers := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("at=%d", workers), func(b *testing.B) {
			j := opened(b, filepath.Join(b.TempDir(), "journal"), nil)
			rows := make(chan *journal.Row, workers)
			parallel(b, workers, "puts", func(i int64) {
				var r *journal.Row
				select {
				case r = <-rows:
					r.Version++
					r.Open, r.Due = false, time.Time{}
				default:
					r = benchRow(i, state)
				}
				if err := j.Put(context.Background(), r, journal.Synced); err != nil {
					b.Error(err)
				}
				if r.Open {
					rows <- r
				}
			})
		})
	}
}

// BenchmarkPayment puts the rows of a payment: a synced row before the call, a lazy one after
// it, a synced one before the query, a lazy one at the end.
func BenchmarkPayment(b *testing.B) {
	state := bytes.Repeat([]byte("0123456789abcde\n"), 96)
	j := opened(b, filepath.Join(b.TempDir(), "journal"), nil)
	parallel(b, 50, "payments", func(i int64) {
		r := benchRow(i, state)
		for step, d := range []journal.Durability{journal.Synced, journal.Lazy, journal.Synced, journal.Lazy} {
			r.Version = int64(step + 1)
			r.Due = moment.Add(time.Duration(step) * time.Second)
			if step == 3 {
				r.Open, r.Due = false, time.Time{}
			}
			if err := j.Put(context.Background(), r, d); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkFloor inserts the state into a table without an index, with the same driver and
// pragmas. The ratio to BenchmarkPut is the cost of the journal.
func BenchmarkFloor(b *testing.B) {
	state := bytes.Repeat([]byte("0123456789abcde\n"), 96)
	for _, size := range []int{1, 50} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			c, err := connect(dsn(filepath.Join(b.TempDir(), "floor"), false, "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-16384)"))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if err := c.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, state BLOB)"); err != nil {
				b.Fatal(err)
			}
			var stmts []*stmt
			for _, query := range []string{"BEGIN IMMEDIATE", "INSERT INTO t (state) VALUES (?)", "COMMIT"} {
				s, err := c.prepare(query)
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				stmts = append(stmts, s)
			}
			do := func(s *stmt, args ...driver.Value) {
				if _, err := s.exec(args...); err != nil {
					b.Fatal(err)
				}
			}
			n := 0
			parallel(b, 1, "inserts", func(int64) {
				if n%size == 0 {
					do(stmts[0])
				}
				do(stmts[1], state)
				if n++; n%size == 0 {
					do(stmts[2])
				}
			})
		})
	}
}
