package postgres

import (
	"context"
	"testing"
	"time"
)

// A process with another clock than the database's does not take part: to it the requests of others would look older than they are.
func TestAWrongClockIsRefused(t *testing.T) {
	schema := newSchema()
	closed(t, openedAt(t, server.URL(), Options{Schema: schema, Migrate: true}))
	off := func(by time.Duration) Options {
		return Options{Schema: schema, wall: func() time.Time { return time.Now().Add(by) }}
	}
	openRefused(t, server.URL(), off(3*time.Minute), "ahead of", "set the clocks")
	openRefused(t, server.URL(), off(-3*time.Minute), "behind", "set the clocks")
	openRefused(t, server.URL(), off(time.Hour), "1h0m0s ahead of")
	for _, by := range []time.Duration{-2 * time.Second, 2 * time.Second} {
		closed(t, openedAt(t, server.URL(), off(by)))
	}
	look := off(time.Hour)
	look.ReadOnly = true
	closed(t, openedAt(t, server.URL(), look))
	j, err := Open(context.Background(), server.URL(), &Options{Schema: schema, wall: slowly()})
	if err != nil {
		t.Fatalf("a server that answers late is none with a wrong clock: %v", err)
	}
	closed(t, j)
}

// slowly is a clock between two looks at which a minute passes, half of it before the server looks at its own.
func slowly() func() time.Time {
	by := -30 * time.Second
	return func() time.Time {
		now := time.Now().Add(by)
		by += time.Minute
		return now
	}
}
