package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

// group is one try to store some rows. It reads the flows with a lock, admits the rows in their order in memory,
// and writes the last row of each flow.
type group struct {
	j        *Journal
	rows     []*rowqueue.Request
	timeline string // of the server
	flows    map[string]*stored
	order    []*stored         // as they were met
	open     map[string]string // by digest of the key: the flow that is open
}

// stored is one flow in a group.
type stored struct {
	id       string
	key      journal.Key
	digest   []byte
	provider string
	names    []string
	version  int64
	open     bool
	held     bool // by another process that lives
	damaged  error

	exists   bool  // in the database
	was      int64 // its version there
	wasOpen  bool
	last     *journal.Row // to write; nil: at most a version
	newNames int
	raised   bool // the version became a gap
}

// digest stands for a key, whatever its length.
func digest(k journal.Key) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %q", k.Merchant, k.Operation, k.Payment))
	return sum[:]
}

// nameHash is the digest under which a name is found. A statement of prune makes it too.
func nameHash(provider, name string) []byte {
	sum := sha256.Sum256([]byte(provider + "\x00" + name))
	return sum[:]
}

// write does all but the commit.
func (g *group) write(ctx context.Context, c *pgx.Conn) error {
	if err := g.read(ctx, c); err != nil {
		return err
	}
	for id, version := range g.j.gaps {
		if f := g.flows[id]; f != nil && f.exists {
			f.raise(version)
		}
	}
	for _, r := range g.rows {
		f := g.flows[r.Row.ID]
		if r.Err = g.admit(f, &r.Row); r.Err != nil && r.Lazy && (f.exists || f.last != nil) {
			f.raise(r.Row.Version + 1)
		}
	}
	return g.flush(ctx, c)
}

// settings are those of a group's transaction. A role, a database, or a program that had the pooled session before may
// have set others:
//
//   - A process that is paused here must not keep its rows from others for longer than its lease.
//   - It waits for others' transactions for moments only; see [Journal.storeAlone].
//   - A COMMIT that runs into statement_timeout while it waits for a standby is acknowledged without that.
//   - In array_nulls = off NULL is a text.
//   - For a large group in a small table the server would rather walk over the table, which grows. What is so
//     forbidden looks dear where it is done nevertheless, and would be compiled.
const settings = `SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true), pg_catalog.set_config('lock_timeout', $2, true), pg_catalog.set_config('statement_timeout', '0', true),
	` + flushed + `, pg_catalog.set_config('array_nulls', 'on', true), pg_catalog.set_config('enable_seqscan', 'off', true),
	pg_catalog.set_config('jit', 'off', true), ` + timeline

// read begins the transaction, counts the group, and locks the flows.
func (g *group) read(ctx context.Context, c *pgx.Conn) error {
	g.flows, g.open = map[string]*stored{}, map[string]string{}
	var ids []string
	var keys [][]byte
	add := func(id string) *stored {
		f := g.flows[id]
		if f == nil {
			f = &stored{id: id}
			g.flows[id] = f
			ids = append(ids, id)
		}
		return f
	}
	for _, r := range g.rows {
		f := add(r.Row.ID)
		if r.Row.Open && r.Row.Key.Payment != "" {
			if f.digest == nil {
				f.digest = digest(r.Row.Key)
			}
			keys = append(keys, f.digest)
		}
	}
	if !g.j.ownGaps(g.rows) {
		for id := range g.j.gaps {
			add(id)
		}
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	b.Queue(g.j.settings, strconv.FormatInt(g.j.opts.Lease.Milliseconds(), 10), strconv.FormatInt(g.j.lockPatience().Milliseconds(), 10))
	b.Queue(g.j.sql.begin, g.j.token, g.j.written+1, g.j.opts.Lease)
	b.Queue(g.j.sql.lockFlows, g.j.token, ids)
	b.Queue(g.j.sql.openKeys, bytesText(keys))
	results := c.SendBatch(ctx, b)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return err
	}
	if err := results.QueryRow().Scan(nil, nil, nil, nil, nil, nil, nil, &g.timeline); err != nil {
		return err
	}
	tag, err := results.Exec()
	if err != nil {
		return err
	}
	if tag.RowsAffected() != 1 {
		return errMiscounted
	}
	if err := g.readFlows(results); err != nil {
		return err
	}
	found, err := results.Query()
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var key []byte
		var id string
		if err := found.Scan(&key, &id); err != nil {
			return err
		}
		g.open[string(key)] = id
	}
	found.Close()
	if err := found.Err(); err != nil {
		return err
	}
	if err := results.Close(); err != nil {
		return err
	}
	return g.noteTimeline(ctx, c)
}

func (g *group) readFlows(results pgx.BatchResults) error {
	found, err := results.Query()
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var id, operation string
		var names [][]byte
		var f stored
		err := found.Scan(&id, &f.version, &f.key.Merchant, &operation, &f.key.Payment, &f.provider, &names, &f.open, &f.held)
		if err != nil {
			return err
		}
		if err := f.key.Operation.UnmarshalText([]byte(operation)); err != nil {
			f.damaged = fmt.Errorf("postgres: the row of flow %s is damaged: %w", id, err)
		}
		f.id, f.exists, f.was, f.wasOpen, f.digest = id, true, f.version, f.open, digest(f.key)
		for _, name := range names {
			f.names = append(f.names, string(name))
		}
		*g.flows[id] = f
	}
	found.Close()
	return found.Err()
}

// follows is the fence: whether a row may follow the stored one. A variable, for the test that shows that it is needed.
var follows = func(f *stored, version int64) error {
	switch {
	case f.version != version-1 && f.version == 0:
		return fmt.Errorf("%w: %s is not stored, version %d of it was put", journal.ErrConflict, f.id, version)
	case f.version != version-1:
		return fmt.Errorf("%w: %s is at version %d, version %d was put", journal.ErrConflict, f.id, f.version, version)
	case f.held:
		return fmt.Errorf("%w: %s is held by another process since", journal.ErrConflict, f.id)
	}
	return nil
}

// admit adds a row to the group, or returns why it is refused.
func (g *group) admit(f *stored, r *journal.Row) error {
	if f.damaged != nil {
		return f.damaged
	}
	if err := follows(f, r.Version); err != nil {
		return err
	}
	if f.version == 0 {
		f.key, f.provider = r.Key, r.Provider
		if f.digest == nil {
			f.digest = digest(r.Key)
		}
	} else if err := r.CheckAfter(f.key, f.provider); err != nil {
		return err
	}
	guarded := r.Key.Payment != ""
	if other := g.open[string(f.digest)]; r.Open && guarded && other != "" && other != f.id {
		if f.version == 0 && !f.exists {
			f.key, f.provider = journal.Key{}, ""
		}
		return &journal.OpenError{Key: r.Key, ID: other}
	}
	if r.Open && guarded {
		g.open[string(f.digest)] = f.id
	} else if g.open[string(f.digest)] == f.id {
		delete(g.open, string(f.digest))
	}
	if f.last == nil {
		g.order = append(g.order, f)
	}
	f.version, f.open, f.last = r.Version, r.Open, r
	for _, name := range r.Names {
		if !slices.Contains(f.names, name) {
			f.names = append(f.names, name)
			f.newNames++
		}
	}
	return nil
}

// raise gives a version to a stored flow, so that no row can get it.
func (f *stored) raise(version int64) {
	if version > f.version {
		f.version, f.raised = version, true
	}
}

// updates are the columns of an UPDATE, one array for each.
type updates struct {
	id, standing     []string
	name             []*string
	was, version     []int64
	open             []bool
	due              []*time.Time
	at, since        []time.Time
	state, tombstone [][]byte
}

func (u *updates) add(f *stored) {
	r := f.last
	u.id, u.was, u.version, u.open = append(u.id, f.id), append(u.was, f.was), append(u.version, f.version), append(u.open, r.Open)
	var due *time.Time
	if !r.Due.IsZero() {
		due = &r.Due
	}
	u.due, u.at, u.since = append(u.due, due), append(u.at, r.At), append(u.since, r.Since)
	u.standing = append(u.standing, r.Standing)
	state, tombstone := r.State, r.Tombstone
	if state == nil {
		state = []byte{}
	}
	if len(tombstone) == 0 {
		tombstone = nil
	}
	u.state, u.tombstone = append(u.state, state), append(u.tombstone, tombstone)
	var names *string
	if f.newNames > 0 || !f.exists {
		text := bytesText(f.names)
		names = &text
	}
	u.name = append(u.name, names)
}

// arguments are the columns as the statements update and insert take them first.
func (u *updates) arguments(token string, was bool) *arguments {
	a := &arguments{}
	a.add(pgtype.TextOID, []byte(token))
	a.texts(u.id)
	if was {
		a.numbers(u.was)
	}
	a.numbers(u.version)
	a.bools(u.open)
	a.timesOrNull(u.due)
	a.times(u.at)
	a.texts(u.standing)
	a.times(u.since)
	a.bytes(u.state)
	a.bytes(u.tombstone)
	a.textsOrNull(u.name)
	return a
}

// bytesText is an array of bytes as PostgreSQL writes it, nil as NULL. What pgx makes of one goes by reflection, and was a
// seventh of this process's work.
func bytesText[T string | []byte](all []T) string {
	size := 2
	for _, one := range all {
		size += 2*len(one) + 6
	}
	b := append(make([]byte, 0, size), '{')
	for i, one := range all {
		if i > 0 {
			b = append(b, ',')
		}
		if bytes, is := any(one).([]byte); is && bytes == nil {
			b = append(b, "NULL"...)
			continue
		}
		b = append(b, `"\\x`...)
		b = hex.AppendEncode(b, []byte(one))
		b = append(b, '"')
	}
	return string(append(b, '}'))
}

// flush writes the flows that the group has changed. Those that end come first: another may open their key.
func (g *group) flush(ctx context.Context, c *pgx.Conn) error {
	var ended, open, created updates
	var keys, hashes [][]byte
	var merchant, operation, payment, provider, named, raised []string
	var to []int64
	for _, f := range g.flows {
		if f.raised && f.exists {
			raised, to = append(raised, f.id), append(to, f.version)
		}
	}
	for _, f := range g.order {
		if f.last == nil {
			continue
		}
		switch {
		case !f.exists:
			created.add(f)
			keys = append(keys, f.digest)
			merchant, operation = append(merchant, f.key.Merchant), append(operation, f.key.Operation.String())
			payment, provider = append(payment, f.key.Payment), append(provider, f.provider)
		case f.last.Open:
			open.add(f)
		default:
			ended.add(f)
		}
		for _, name := range f.names[len(f.names)-f.newNames:] {
			hashes, named = append(hashes, nameHash(f.provider, name)), append(named, f.id)
		}
	}
	s, b, want := &g.j.sql, &pgconn.Batch{}, []int{}
	for _, u := range []*updates{&ended, &open} {
		if len(u.id) > 0 {
			u.arguments(g.j.token, true).queue(b, s.update)
			want = append(want, len(u.id))
		}
	}
	if u := &created; len(u.id) > 0 {
		args := u.arguments(g.j.token, false)
		for _, column := range [][]string{merchant, operation, payment, provider} {
			args.texts(column)
		}
		args.bytes(keys)
		args.queue(b, s.insert)
		want = append(want, len(u.id))
	}
	if len(named) > 0 {
		var args arguments
		args.bytes(hashes)
		args.texts(named)
		args.queue(b, s.insertNames)
		want = append(want, -1)
	}
	if len(raised) > 0 {
		var args arguments
		args.texts(raised)
		args.numbers(to)
		args.queue(b, s.raise)
		want = append(want, -1)
	}
	if len(want) == 0 {
		return nil
	}
	return send(ctx, c, b, want)
}

// send sends a batch. Each statement must concern so many rows as is wanted; -1: any number.
func send(ctx context.Context, c *pgx.Conn, b *pgconn.Batch, want []int) error {
	results := c.PgConn().ExecBatch(ctx, b)
	for _, n := range want {
		if !results.NextResult() {
			return cmp.Or(results.Close(), errChanged)
		}
		tag, err := results.ResultReader().Close()
		if err == nil && n >= 0 && tag.RowsAffected() != int64(n) {
			err = errChanged
		}
		if err != nil {
			_ = results.Close() // err is the first one
			return err
		}
	}
	return results.Close()
}
