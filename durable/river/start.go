package river

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	queue "github.com/riverqueue/river"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
)

// StartTx stores the first row of a flow, which [executor.Executor.Prepare] made, and its job in a transaction of the
// caller's. After the commit whichever process works the job begins the flow. A [*journal.OpenError] leaves the
// transaction usable, as that of [postgres.Journal.PutTx] does, and no job in it.
func StartTx(ctx context.Context, tx pgx.Tx, client *queue.Client[pgx.Tx], flows *postgres.Journal, row *journal.Row) error {
	if client == nil || flows == nil || row == nil {
		return errors.New("river: StartTx needs a client, a journal and a row")
	}
	if err := flows.PutTx(ctx, tx, row); err != nil {
		return err
	}
	if _, err := client.InsertTx(ctx, tx, newArgs(row.ID, row.Key.Operation, row.Provider, row.Key.Merchant), nil); err != nil {
		return fmt.Errorf("river: the job of flow %s: %w", row.ID, err)
	}
	return nil
}
