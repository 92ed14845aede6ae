package bench

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// BenchmarkEnded prints what an ended flow of two steps takes in the file: its row and its names, and what Prune leaves of
// a paid key. Run it with -benchtime 20000x.
func BenchmarkEnded(b *testing.B) {
	path := filepath.Join(b.TempDir(), "journal")
	closed := func(work func(*durable)) (size float64) {
		j, err := sqlite.Open(path, nil)
		if err != nil {
			b.Fatal(err)
		}
		d := &durable{journal: j, x: newExecutor(b, executor.Config{Journal: j})}
		work(d)
		if err := j.Close(); err != nil { // it copies the log into the file
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		return float64(info.Size())
	}
	empty := closed(func(*durable) {})
	full := closed(func(d *durable) { each(b, b.N, 50, d.pay) })
	pruned := closed(func(d *durable) {
		if n, err := d.journal.Prune(context.Background(), time.Now().Add(time.Hour)); err != nil || n != b.N {
			b.Fatal(n, err)
		}
		b.ReportMetric(float64(len(d.row(b, 1).State)), "B/tombstone")
	})
	b.ReportMetric((full-empty)/float64(b.N), "B/ended")
	b.ReportMetric((pruned-empty)/float64(b.N), "B/pruned")
}
