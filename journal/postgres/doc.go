// Package postgres is the journal for several processes: a PostgreSQL database (15 or later) that any number of
// executors use at once.
//
// Guarantees, beside those of [journal.Journal]:
//
//   - A row that was put [journal.Synced] is committed when Put returns nil. If the answer to a COMMIT is lost, the
//     journal finds out on another connection whether it was executed, before Put returns.
//   - A flow has one owner: the process that wrote it last. A write of another process is refused with
//     [journal.ErrConflict] while the owner's lease runs, and by its version in any case. An owner that was paused
//     beyond its lease finds its writes refused once another process has taken the flow over.
//   - At most one flow of a key is open, whichever processes begin them: a unique index guards it.
//   - A database that has lost acknowledged commits (a standby that was promoted without them) is noticed by every
//     process that was connected to the old one: all its calls fail with [journal.ErrLost], and no process goes on; see [Journal.Lost].
//   - A copy of the database is refused, and one that was restored to an earlier time; see [Options.Restored] and
//     [Journal.Mark].
//
// A process needs 2 connections and takes 6 by default, however many flows it holds. They may go through a pooler
// that gives a session for a transaction only (PgBouncer's pool_mode = transaction).
//
// The role that creates the tables needs the right to create a schema; see [Options.Migrate]. The role of every day
// needs no more than this:
//
//	GRANT USAGE ON SCHEMA recourse TO shop;
//	GRANT SELECT ON recourse.version TO shop;
//	GRANT SELECT, UPDATE ON recourse.journal TO shop;
//	GRANT SELECT, INSERT, DELETE ON recourse.mark TO shop;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON recourse.owner, recourse.flow, recourse.name, recourse.message TO shop;
//
// A search_path that names another schema before pg_catalog is refused.
//
// It may read all flows, so it is the payment service's own. For people who look, GRANT SELECT and
// [Options.ReadOnly].
//
// Back up the database as any other (pg_dump, or a base backup with its log). In a copy the keys that were paid since
// are free: open it with [Options.ReadOnly]. docs/scale.md says which copies are noticed, and which only by a mark.
//
// What must not enter: the format of a row's state, and anything about payments or retries. The package is a module of
// its own, so that programs with another journal do not download pgx.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package postgres
