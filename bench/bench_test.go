package bench

import "testing"

// BenchmarkSucceeds is a call that succeeds at once.
func BenchmarkSucceeds(b *testing.B) { compare(b, 0) }

// BenchmarkFailsTwice is a call that is refused twice and then succeeds, without delay.
func BenchmarkFailsTwice(b *testing.B) { compare(b, 2) }

func compare(b *testing.B, refusals int) {
	p := newProvider(refusals)
	for _, c := range contestants(b, p) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.pay(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Everybody has to do the work: as many calls as it takes, and no more.
func TestContestants(t *testing.T) {
	const payments = 100
	for _, refusals := range []int{0, 2} {
		p := newProvider(refusals)
		for _, c := range contestants(t, p) {
			p.calls = 0
			for range payments {
				if err := c.pay(); err != nil {
					t.Fatalf("%s, refused %d times: %v", c.name, refusals, err)
				}
			}
			if want := payments * (refusals + 1); p.calls != want {
				t.Errorf("%s, refused %d times: %d calls for %d payments, want %d", c.name, refusals, p.calls, payments, want)
			}
		}
	}
}

// Who is refused more often than he may try says so.
func TestContestantsGiveUp(t *testing.T) {
	p := newProvider(1000)
	for _, c := range contestants(t, p) {
		if c.name == "backoff v4, zero" { // it has no limit
			continue
		}
		p.calls = 0
		if err := c.pay(); err == nil || p.calls != retries+1 {
			t.Errorf("%s: %d calls, %v", c.name, p.calls, err)
		}
	}
}
