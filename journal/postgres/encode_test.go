package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Arrays that the journal encodes are what the driver's own are: NULL, empty ones, texts of many bytes, and times at both ends
// of what is stored.
func TestArraysAreThoseOfTheDriver(t *testing.T) {
	ctx, c := context.Background(), connected(t)
	text, nothing := `{"a",\ NULL}`, ""
	now := time.Now()
	times := []time.Time{now, time.Unix(0, -1), time.Date(firstYear, 1, 1, 0, 0, 0, 999_999_999, time.UTC), time.Date(lastYear, 12, 31, 23, 59, 59, 999_999_999, time.UTC), {}}
	for _, one := range []struct {
		is   string // the type
		mine func(*arguments)
		all  any
	}{
		{"text[]", func(a *arguments) { a.texts([]string{text, "", "ü\u2028\U0001f4b6"}) }, []string{text, "", "ü\u2028\U0001f4b6"}},
		{"text[]", func(a *arguments) { a.texts(nil) }, []string{}},
		{"text[]", func(a *arguments) { a.textsOrNull([]*string{&text, nil, &nothing}) }, []*string{&text, nil, &nothing}},
		{"bytea[]", func(a *arguments) { a.bytes([][]byte{{}, nil, {0, 255, '\\', '"'}}) }, [][]byte{{}, nil, {0, 255, '\\', '"'}}},
		{"bigint[]", func(a *arguments) { a.numbers([]int64{-1, 0, 1<<63 - 1, -1 << 63}) }, []int64{-1, 0, 1<<63 - 1, -1 << 63}},
		{"boolean[]", func(a *arguments) { a.bools([]bool{true, false}) }, []bool{true, false}},
		{"timestamptz[]", func(a *arguments) { a.times(times) }, times},
		{"timestamptz[]", func(a *arguments) { a.timesOrNull([]*time.Time{&now, nil, &times[2]}) }, []*time.Time{&now, nil, &times[2]}},
	} {
		sql(t, server.URL(), "DROP TABLE IF EXISTS arrays", "CREATE TABLE arrays (mine "+one.is+")")
		var a arguments
		one.mine(&a)
		b := &pgconn.Batch{}
		a.queue(b, "INSERT INTO arrays VALUES ($1)")
		if err := send(ctx, c, b, []int{1}); err != nil {
			t.Fatal(err)
		}
		var same bool
		var is string
		if err := c.QueryRow(ctx, fmt.Sprintf("SELECT mine IS NOT DISTINCT FROM $1::%s, mine::text FROM arrays", one.is), one.all).Scan(&same, &is); err != nil || !same {
			t.Errorf("%s: %v became %s, %v", one.is, one.all, is, err)
		}
	}
}
