package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// filled is a journal with many flows: most have ended, some stand otherwise. Their states are as
// large as real ones.
func filled(tb testing.TB, flows int) *Journal {
	tb.Helper()
	j, err := Open(tb.TempDir()+"/journal", &Options{Hold: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = j.Close() })
	state := make([]byte, 2000)
	for i := range flows {
		r := benchRow(int64(i), state)
		r.ID, r.Key.Payment, r.Names = fmt.Sprintf("f%07d", i), fmt.Sprint("cart-", i), []string{fmt.Sprint("order-", i)}
		r.Key.Merchant = fmt.Sprint("merchant-", i%100)
		r.Since = moment.Add(time.Duration(i) * time.Millisecond)
		switch i % 10 {
		case 0:
			r.Standing = "in_doubt"
		case 1:
			r.Standing, r.Open, r.Due = "escalated", false, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		default:
			r.Standing, r.Open, r.Due = "succeeded", false, time.Time{}
		}
		if err := j.Put(tb.Context(), r, journal.Lazy); err != nil {
			tb.Fatal(err)
		}
	}
	return j
}

func TestListAndCountOfManyFlows(t *testing.T) {
	const flows = 5_000
	j := filled(t, flows)
	rows, err := j.List(t.Context(), journal.Filter{Standings: []string{"escalated"}, Merchant: "merchant-41"}, journal.Cursor{}, 3)
	if err != nil || len(rows) != 3 || rows[0].ID != "f0000041" || rows[1].ID != "f0000141" || rows[0].State != nil {
		t.Fatalf("List returned %v, %v", rows, err)
	}
	counts, err := j.Count(t.Context(), journal.Filter{Standings: []string{"in_doubt", "escalated"}})
	total := 0
	for _, c := range counts {
		total += c.Count
	}
	if err != nil || total != flows/5 || len(counts) != 20 {
		t.Fatalf("Count returned %d in %d groups, %v", total, len(counts), err)
	}
}

func BenchmarkList(b *testing.B) {
	j := filled(b, 100_000)
	all := journal.Filter{Standings: []string{"in_doubt", "escalated"}}
	one := journal.Filter{Standings: []string{"succeeded"}, Merchant: "merchant-99"}
	for name, f := range map[string]journal.Filter{"a page": all, "a page of one merchant of 100": one} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if rows, err := j.List(b.Context(), f, journal.Cursor{Due: moment.Add(time.Minute)}, 100); err != nil || len(rows) != 100 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
	for name, f := range map[string]journal.Filter{"count of 20,000": all, "count of 100,000": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := j.Count(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
