package bench

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkDurableLatency is how long one call of Do takes, of payments of two steps with synced commits: by the middle one and by
// the slowest of a hundred, with so many others under way. Most of it is the disk's, so compare two builds in turn.
func BenchmarkDurableLatency(b *testing.B) {
	for _, atOnce := range []int{1, 50} {
		b.Run(fmt.Sprintf("%d at once", atOnce), func(b *testing.B) {
			d := newDurable(b)
			took := make([]time.Duration, b.N)
			var n atomic.Int64
			b.ResetTimer()
			each(b, b.N, atOnce, func(i int64) error {
				start := time.Now()
				err := d.pay(i)
				took[n.Add(1)-1] = time.Since(start)
				return err
			})
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
		})
	}
}
