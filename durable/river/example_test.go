package river_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/policy"
)

// An order, its payment and the job that begins it are committed together. Any process of the shop works the job.
func Example() {
	ctx := context.Background()
	url := server.URL() // the shop's database

	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	driver, quiet := riverpgxv5.New(pool), slog.New(slog.DiscardHandler)
	if err := createTables(ctx, driver); err != nil { // once
		log.Fatal(err)
	}

	// The executor. A client that only inserts gives each flow that waits a job.
	flows, err := postgres.Open(ctx, url, &postgres.Options{Migrate: true})
	if err != nil {
		log.Fatal(err)
	}
	defer flows.Close()
	inserts, err := queue.NewClient(driver, &queue.Config{Logger: quiet})
	if err != nil {
		log.Fatal(err)
	}
	rules, err := engine.Open("") // those that are embedded
	if err != nil {
		log.Fatal(err)
	}
	x, err := executor.New(rules, &executor.Config{
		Journal: flows, Clients: map[string]executor.Client{"momo": paidAtOnce{}},
		Observers: []executor.Observer{river.Waker(inserts, func(err error) { log.Print(err) })},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer x.Close(ctx)

	// The shop's River client works the jobs beside its own.
	workers := queue.NewWorkers()
	queue.AddWorker(workers, river.Worker(x, flows))
	client, err := queue.NewClient(driver, &queue.Config{
		Logger: quiet, Workers: workers, Queues: map[string]queue.QueueConfig{river.Queue: {MaxWorkers: 100}},
		FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 10 * time.Millisecond,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer client.Stop(ctx)

	// One payment. The request is checked before the transaction begins.
	row, err := x.Prepare(ctx, executor.Request{OrderID: "order-77", Payment: policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77", Amount: 50_000, Currency: "VND",
	}})
	if err != nil {
		log.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS shop_order (id text)"); err != nil { // the shop's own rows
			return err
		}
		return river.StartTx(ctx, tx, client, flows, row)
	})
	if err != nil {
		log.Fatal(err)
	}
	h, err := x.Handle(ctx, row.ID) // at any process that wants to know
	if err != nil {
		log.Fatal(err)
	}
	r, err := h.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Outcome)
	// Output: succeeded
}

// createTables creates River's tables, as its documents say.
func createTables(ctx context.Context, driver *riverpgxv5.Driver) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	return err
}

// paidAtOnce stands for the provider's client.
type paidAtOnce struct{}

func (paidAtOnce) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

func (paidAtOnce) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}
