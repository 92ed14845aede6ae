package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// Options are settings of a journal. The zero value means the defaults.
type Options struct {
	// Schema holds the tables. Empty: recourse. Lower-case letters, digits and "_".
	Schema string

	// Migrate creates the schema, or takes it to this release's version. The role needs the right to create
	// tables; without Migrate it needs less, see the package's documentation.
	Migrate bool

	// Mark is what [Journal.Mark] returned at some time: a database without it is refused. It is another journal, or
	// has gone back to before that mark. Empty: any.
	Mark string

	// Restored makes a restored copy the journal, also one that was refused because it has lost commits or was
	// promoted. Keys that were paid since are free in it, so hold it against the providers' records first. All
	// marks of before are void, and the processes that have the database open end with [journal.ErrLost]. Set it
	// once, in one process, and leave it unset otherwise.
	Restored bool

	// ReadOnly opens a journal that writes nothing: Put and Prune fail, and no flow is held.
	ReadOnly bool

	// Lease is how long the flows of a process that has stopped stay its own. Zero: 3 s.
	Lease time.Duration

	// Connections is the most that are open at once; one of them writes. Zero: 6.
	Connections int

	// Hold is how long a lazy row may wait for more rows of the same commit. Zero: 5 ms.
	Hold time.Duration

	// OnError reports what no caller waits for, such as a database that does not answer. Nil: it is dropped.
	OnError func(error)

	wall func() time.Time // for tests; nil: time.Now
}

func (o *Options) withDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	out.Schema = cmp.Or(out.Schema, "recourse")
	out.Lease = cmp.Or(out.Lease, 3*time.Second)
	out.Connections = cmp.Or(out.Connections, 6)
	out.Hold = cmp.Or(out.Hold, 5*time.Millisecond)
	if out.wall == nil {
		out.wall = time.Now
	}
	var errs []error
	if !schemaNames.MatchString(out.Schema) {
		errs = append(errs, fmt.Errorf("postgres: Options.Schema is %q; it must be 1 to 48 lower-case letters, digits or \"_\", and not begin with a digit", out.Schema))
	}
	if out.Lease < 100*time.Millisecond {
		errs = append(errs, fmt.Errorf("postgres: Options.Lease is %s; it must be 100 ms or more", out.Lease))
	}
	if out.Connections < 2 {
		errs = append(errs, fmt.Errorf("postgres: Options.Connections is %d; it must be 2 or more", out.Connections))
	}
	if out.Hold < 0 {
		errs = append(errs, fmt.Errorf("postgres: Options.Hold is %s; it must not be negative", out.Hold))
	}
	if out.Restored && (out.Mark != "" || out.ReadOnly) {
		errs = append(errs, errors.New("postgres: Options.Restored is set beside Mark or ReadOnly; a restored database has no mark that holds, and is written to"))
	}
	return out, errors.Join(errs...)
}

// Journal is a [journal.Journal] in a PostgreSQL database. Use [Open].
type Journal struct {
	opts  Options
	sql   statements
	pool  *pgxpool.Pool
	token string          // of this process among the owners
	life  context.Context // ends when the journal is closed
	end   context.CancelFunc

	committer

	beats sync.WaitGroup
	queue *rowqueue.Queue
	done  chan error // the committer has ended

	keys, names lookups // by the digests of keys, and of names

	mu       sync.Mutex
	searched time.Time // when a sweep began that looked for own rows
	searches bool      // this sweep does
}

// committer is what the goroutine keeps that stores the rows.
type committer struct {
	written    int64                         // groups that are committed
	groups     atomic.Int64                  // the same, for beat
	apart      bool                          // each row of a group is stored in a transaction of its own
	settings   string                        // the statement of that name
	timeline   string                        // of the server, when the last group was committed; "": not known
	last       time.Time                     // when the last group was committed, or the journal opened
	alone      bool                          // the last commit may be known to this server only, and to no standby
	committing atomic.Pointer[pgconn.PgConn] // sends a COMMIT, and has had no warning
	idle       atomic.Bool                   // no group was stored for a while: the next one may have no rows
	gaps       map[string]int64              // by flow: the version after a lazy row that was lost with its group
	blocked    map[string]time.Time          // by request.blockedBy: until when rows are refused for which one waited in vain
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in a database, given by a URL (postgres://…) or a connection string. Any number of
// processes may have it open. Nil options mean the defaults. The connection may go through a pooler that gives a
// session for a transaction only: no statement is prepared under a name, and no state of a session is used.
func Open(ctx context.Context, url string, o *Options) (*Journal, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	config, err := configOf(url)
	if err != nil {
		return nil, err
	}
	configure(config, &opts)
	j := &Journal{
		opts: opts, sql: newStatements(opts.Schema), token: rand.Text(),
		committer: committer{settings: settings, last: time.Now(), gaps: map[string]int64{}, blocked: map[string]time.Time{}},
		done:      make(chan error, 1),
	}
	takes := rowqueue.Options{Rows: maxQueuedRows, Hold: opts.Hold}
	if opts.ReadOnly {
		takes.ReadOnly = errReadOnly
	}
	j.queue = rowqueue.New(takes)
	j.keys.query, j.names.query = j.sql.byKey, j.sql.named
	config.ConnConfig.OnNotice = j.noticed
	if j.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := j.prepare(ctx); err != nil {
		j.pool.Close()
		return nil, withoutValues(err, url)
	}
	j.life, j.end = context.WithCancel(context.Background())
	if opts.ReadOnly {
		return j, nil
	}
	j.beats.Go(j.beat)
	go j.commit()
	return j, nil
}

// configure sets what the journal needs of a connection.
func configure(config *pgxpool.Config, opts *Options) {
	// The only mode beside the simple protocol in which nothing outlives its statement on the server. A pooler
	// would give a prepared statement to another program, and another program's to us.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity, config.ConnConfig.DescriptionCacheCapacity = 0, 0
	config.MaxConns, config.MinConns = int32(opts.Connections), 0
	// Settings of the role would change what texts and times mean. A pooler keeps these four for each of its clients.
	for name, value := range map[string]string{"client_encoding": "UTF8", "DateStyle": "ISO", "TimeZone": "UTC", "standard_conforming_strings": "on"} {
		for given := range config.ConnConfig.RuntimeParams {
			if strings.EqualFold(given, name) {
				delete(config.ConnConfig.RuntimeParams, given)
			}
		}
		config.ConnConfig.RuntimeParams[name] = value
	}
	config.AfterConnect = readBytes
	if !opts.ReadOnly {
		// A standby may lag: a key that was paid a moment ago is free there.
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// prepare checks the server and the schema, and registers this process.
func (j *Journal) prepare(ctx context.Context) error {
	c, err := j.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer c.Release()
	if j.opts.Migrate && !j.opts.ReadOnly {
		if err := migrate(ctx, c.Conn(), j.opts.Schema, steps, j.report); err != nil {
			return err
		}
	}
	found, err := version(ctx, c, j.opts.Schema)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := checkSchema(found, j.opts.Schema); err != nil {
		return err
	}
	if !j.opts.ReadOnly {
		if err := errors.Join(checkServer(ctx, c.Conn()), checkPath(ctx, c.Conn()), checkClock(ctx, c.Conn(), j.opts.wall)); err != nil {
			return err
		}
	}
	if err := j.admit(ctx, c.Conn()); err != nil || j.opts.ReadOnly {
		return err
	}
	if _, err := c.Exec(ctx, j.sql.unregister, j.token, forgotten); err != nil { // and those that ended long ago
		return fmt.Errorf("postgres: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // used in messages only
	}
	if _, err := c.Exec(ctx, j.sql.register, j.token, fmt.Sprintf("process %d on %s", os.Getpid(), host), j.opts.Lease); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// checkPath refuses a session in which other operators, types and functions may stand for the server's own: another now() would give the flows
// of a process that lives to another one.
func checkPath(ctx context.Context, c *pgx.Conn) error {
	var schemas []string
	if err := c.QueryRow(ctx, "SELECT pg_catalog.current_schemas(true)::text[]").Scan(&schemas); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	for _, schema := range schemas {
		switch {
		case schema == "pg_catalog":
			return nil
		case !strings.HasPrefix(schema, "pg_temp_"): // no function or operator is looked for there
			return fmt.Errorf("postgres: in the search_path of the role, the database or the address schema %s comes before pg_catalog: what stands in it can replace now() and every other function; leave pg_catalog out of the search_path, or name it first", schema)
		}
	}
	return nil
}

// checkServer refuses a server on which a commit means nothing, and a database that does not take each text.
func checkServer(ctx context.Context, c *pgx.Conn) error {
	var errs []error
	var encoding string
	if err := c.QueryRow(ctx, "SELECT pg_catalog.current_setting('server_encoding')").Scan(&encoding); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if encoding != "UTF8" {
		errs = append(errs, fmt.Errorf("postgres: the database's encoding is %s, in which not every name can be stored; it must be UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)", encoding))
	}
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var value string
		if err := c.QueryRow(ctx, "SELECT pg_catalog.current_setting($1)", setting).Scan(&value); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if value == "off" {
			errs = append(errs, fmt.Errorf("postgres: the server's %s is off; a commit could be lost after its request was sent, and the next process would send it again", setting))
		}
	}
	return errors.Join(errs...)
}

// Close stores the lazy rows and gives up the flows that this process holds, so that others take them over at
// once. If the database does not answer for 10 seconds, the error says so.
func (j *Journal) Close() error {
	if !j.queue.Close() {
		return journal.ErrClosed
	}
	defer j.pool.Close()
	if j.opts.ReadOnly {
		j.end()
		return nil
	}
	limit := time.AfterFunc(closePatience, j.end)
	defer limit.Stop()
	j.queue.Hurry()
	err := <-j.done
	j.end()
	j.beats.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, failed := j.pool.Exec(ctx, j.sql.unregister, j.token, forgotten)
	if errors.Is(err, journal.ErrLost) {
		failed = nil // there is nothing to give up
	}
	return errors.Join(err, failed)
}

// closePatience is how long Close waits for the database.
const closePatience = 10 * time.Second

// report calls Options.OnError.
func (j *Journal) report(err error) {
	if err != nil && j.opts.OnError != nil {
		j.opts.OnError(err)
	}
}
