package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// clocksApart is by how much the clock of a process may differ from the server's. What one process writes another one reads, and has only the
// wall clock to say how long ago that was: a process that is ahead of the one that sent a request would take "not found" for a proof before
// the provider can know the request, and send another one. Leases are not concerned: they are the server's time.
const clocksApart = 10 * time.Second

// checkClock refuses a process whose clock is wrong, or a server's.
func checkClock(ctx context.Context, c *pgx.Conn, wall func() time.Time) error {
	var server time.Time
	asked := wall()
	if err := c.QueryRow(ctx, "SELECT pg_catalog.clock_timestamp()").Scan(&server); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	answered := wall()
	apart, how := asked.Sub(server), "ahead of"
	if behind := server.Sub(answered); behind > apart {
		apart, how = behind, "behind"
	}
	if apart <= clocksApart {
		return nil
	}
	return fmt.Errorf("postgres: the clock of this machine is %s %s that of the database's server, and at most %s are allowed: a process that is ahead of the others could take an answer \"not found\" for a proof too early, and pay twice; set the clocks", apart.Round(time.Second), how, clocksApart)
}
