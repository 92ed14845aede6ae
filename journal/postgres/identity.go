package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// In a copy of the database, or in one that has gone back to an earlier time, the keys that were paid since are free.
// What tells it from the journal itself:
//
//   - The place: the server's system identifier, the database and the table are noted in the database. A restored dump
//     and a copied database bear the note of another place.
//   - The timeline: the server begins a new one when it ends a recovery to an earlier time, and when a standby is
//     promoted. A process that was connected before, and whose count of groups is still right, has lost
//     nothing: it notes the new timeline. No process opens the journal before that.
//   - A process that finds its commits gone notes that, and no process goes on.
//   - A mark that the caller keeps elsewhere. A snapshot of the disks has the old place and the old timeline.

// timeline is that of the server's log, a new one after each recovery to an earlier time and each promotion.
const timeline = `pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)`

// placeStatements are those about the journal as a whole.
type placeStatements struct {
	system, relation, noted, fillIn string
	noteTimeline, isNoted           string
	noteLoss, lost                  string
	adopt, dropMarks, endOwners     string
	mark, hasMark                   string
}

func newPlaceStatements(in func(string) string) placeStatements {
	return placeStatements{
		system:   `SELECT system_identifier::text FROM pg_catalog.pg_control_system()`,
		relation: in(`SELECT d.oid::text || '.' || '{schema}.flow'::regclass::oid::text FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`),
		noted:    in(`SELECT system, relation, timeline, lost FROM {schema}.journal`),
		fillIn: in(`UPDATE {schema}.journal SET system = coalesce(nullif(system, ''), $1), relation = coalesce(nullif(relation, ''), $2), timeline = coalesce(nullif(timeline, ''), $3)
			WHERE system = '' AND $1 <> '' OR relation = '' AND $2 <> '' OR timeline = '' AND $3 <> ''`),
		// Another process may be noting it.
		noteTimeline: in(`UPDATE {schema}.journal SET timeline = $1 WHERE one IN (SELECT one FROM {schema}.journal WHERE timeline <> $1 FOR UPDATE SKIP LOCKED)`),
		isNoted:      in(`SELECT timeline = $1 FROM {schema}.journal`),
		noteLoss:     in(`UPDATE {schema}.journal SET lost = $1 WHERE lost = ''`),
		lost:         in(`SELECT lost FROM {schema}.journal`),
		adopt:        in(`UPDATE {schema}.journal SET system = $1, relation = $2, timeline = $3, lost = ''`),
		dropMarks:    in(`DELETE FROM {schema}.mark`),
		endOwners:    in(`UPDATE {schema}.owner SET written = -1, until = least(until, pg_catalog.now())`),
		mark:         in(`WITH flushed AS (SELECT ` + flushed + `) INSERT INTO {schema}.mark (mark) SELECT $1 FROM flushed`),
		hasMark:      in(`SELECT pg_catalog.count(*) > 0 FROM {schema}.mark WHERE mark = $1`),
	}
}

// place is what the server says of where the tables lie. "" is not known: not each server says it to each role.
type place struct{ system, relation, timeline string }

// unknowable is what a server says that has no such function, keeps it from the role, or does not say it now.
func unknowable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (strings.HasPrefix(e.Code, "42") || strings.HasPrefix(e.Code, "0A") || strings.HasPrefix(e.Code, "55"))
}

// where asks the server for the place.
func (j *Journal) where(ctx context.Context, c *pgx.Conn) (at place, err error) {
	var missing []string
	for _, question := range []struct {
		what, query string
		into        *string
	}{
		{"its system identifier", j.sql.system, &at.system},
		{"the table's number", j.sql.relation, &at.relation},
		{"its timeline", "SELECT " + timeline, &at.timeline},
	} {
		err := c.QueryRow(ctx, question.query).Scan(question.into)
		if unknowable(err) {
			missing = append(missing, question.what)
		} else if err != nil {
			return at, fmt.Errorf("postgres: %w", err)
		}
	}
	if missing != nil {
		j.report(fmt.Errorf("postgres: the server does not say %s: a restored copy may go unnoticed; keep marks (Journal.Mark)", strings.Join(missing, " nor ")))
	}
	return at, nil
}

// differs says in what a noted place is another one. What is not known differs from nothing.
func (noted place) differs(now place) (elsewhere, later bool) {
	other := func(a, b string) bool { return a != "" && b != "" && a != b }
	return other(noted.system, now.system) || other(noted.relation, now.relation), other(noted.timeline, now.timeline)
}

// advice ends each refusal.
const advice = "keys that were paid since are free in it. Hold it against the providers' records, and open it once with Options.Restored; nothing was changed"

// admit refuses a database that is a copy, or has gone back.
func (j *Journal) admit(ctx context.Context, c *pgx.Conn) error {
	if m := j.opts.Mark; m != "" {
		var has bool
		if err := c.QueryRow(ctx, j.sql.hasMark, m).Scan(&has); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		if !has {
			return fmt.Errorf("postgres: schema %s does not have the mark %s of Options.Mark: it is another journal, or has gone back to before that mark was made, and %s", j.opts.Schema, m, advice)
		}
	}
	if j.opts.ReadOnly {
		return nil
	}
	now, err := j.where(ctx, c)
	if err != nil {
		return err
	}
	j.timeline = now.timeline
	if now.timeline == "" {
		j.settings = strings.Replace(j.settings, timeline, "''", 1)
	}
	if j.opts.Restored {
		return j.adopt(ctx, c, now)
	}
	// After a failover a process that was connected before it notes the new timeline within a third of its lease.
	for limit := time.Now().Add(j.opts.Lease); ; {
		var noted place
		var lost string
		if err := c.QueryRow(ctx, j.sql.noted).Scan(&noted.system, &noted.relation, &noted.timeline, &lost); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		elsewhere, later := noted.differs(now)
		switch {
		case lost != "":
			return fmt.Errorf("postgres: schema %s has lost commits: %s; %s", j.opts.Schema, lost, advice)
		case elsewhere:
			return fmt.Errorf("postgres: schema %s is a copy: it was made as %s and is %s (server/database.table). In a restored or copied database, %s", j.opts.Schema, noted, now, advice)
		case !later:
			return j.fillIn(ctx, c, now)
		case time.Now().After(limit):
			return fmt.Errorf("postgres: the server was restored to an earlier time, or is a standby that was promoted (its timeline is %s and was %s), and no process that was connected before says that nothing is lost: %s",
				now.timeline, noted.timeline, advice)
		}
		select {
		case <-time.After(min(j.opts.Lease/20, 100*time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (noted place) String() string { return noted.system + "/" + noted.relation }

// fillIn notes what was not known before.
func (j *Journal) fillIn(ctx context.Context, c *pgx.Conn, now place) error {
	if _, err := c.Exec(ctx, j.sql.fillIn, now.system, now.relation, now.timeline); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// adopt makes a restored database the journal. No mark of before holds, and no process of before goes on.
func (j *Journal) adopt(ctx context.Context, c *pgx.Conn, now place) error {
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	b.Queue("SELECT " + flushed)
	b.Queue(j.sql.adopt, now.system, now.relation, now.timeline)
	b.Queue(j.sql.dropMarks)
	b.Queue(j.sql.endOwners)
	err := c.SendBatch(ctx, b).Close()
	if err == nil {
		err = commit(ctx, c)
	}
	if err != nil {
		rollback(ctx, c)
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// noteTimeline notes, in the transaction of a group that was counted, that the server's new timeline has lost nothing
// of this process.
func (g *group) noteTimeline(ctx context.Context, c *pgx.Conn) error {
	if g.timeline == g.j.timeline {
		return nil
	}
	tag, err := c.Exec(ctx, g.j.sql.noteTimeline, g.timeline)
	if err != nil || tag.RowsAffected() > 0 {
		return err
	}
	var noted bool
	err = c.QueryRow(ctx, g.j.sql.isNoted, g.timeline).Scan(&noted)
	if !noted { // another program has the row: with the next group
		g.timeline = g.j.timeline
	}
	return err
}

// noteLoss stops the other processes too: this one alone may have lost commits, and the keys in them are free for all.
func (j *Journal) noteLoss(why string) {
	ctx, cancel := context.WithTimeout(j.life, 5*time.Second)
	defer cancel()
	if _, err := j.pool.Exec(ctx, j.sql.noteLoss, why); err != nil {
		j.report(fmt.Errorf("postgres: the other processes do not know that commits are lost: %w", err))
	}
}

// Mark stores a random text and returns it. Keep the last one where the database's backups and its failover do not
// reach, and open the journal with [Options.Mark]: a database that has gone back to before the mark is
// refused. Each mark is a row of 100 bytes, for ever.
func (j *Journal) Mark(ctx context.Context) (string, error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return "", err
	}
	if j.opts.ReadOnly {
		return "", errReadOnly
	}
	mark := strings.ToLower(rand.Text())
	if _, err := j.pool.Exec(ctx, j.sql.mark, mark); err != nil {
		return "", fmt.Errorf("postgres: %w", err)
	}
	return mark, nil
}
