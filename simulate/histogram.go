package simulate

import (
	"math/bits"
	"time"
)

// histogram counts durations to within two percent, in constant memory.
type histogram struct {
	counts [bucketsPerOctave * octaves]int
	total  int
}

const (
	bucketsPerOctave = 64
	octaves          = 48 // of a microsecond: two centuries
)

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(max(d, 0))]++
	h.total++
}

func bucket(d time.Duration) int {
	us := uint64(d / time.Microsecond)
	octave := max(0, bits.Len64(us)-bits.Len64(2*bucketsPerOctave-1)) // so that what is left is less than two octaves of buckets
	if octave == 0 {
		return int(min(us, 2*bucketsPerOctave-1))
	}
	i := (octave+1)*bucketsPerOctave + int(us>>octave) - bucketsPerOctave
	return min(i, bucketsPerOctave*octaves-1)
}

// value is the middle of a bucket.
func value(i int) time.Duration {
	if i < 2*bucketsPerOctave {
		return time.Duration(i) * time.Microsecond
	}
	octave := i/bucketsPerOctave - 1
	low := uint64(i-octave*bucketsPerOctave) << octave
	return time.Duration(low+(1<<octave)/2) * time.Microsecond
}

func (h *histogram) join(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

// quantile returns the duration below which the given part of the counts lie.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := int(q*float64(h.total-1)) + 1
	for i, n := range h.counts {
		if rank -= n; rank <= 0 {
			return value(i)
		}
	}
	return value(len(h.counts) - 1)
}
