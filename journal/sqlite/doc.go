// Package sqlite is the journal for production on one machine: a SQLite file in a folder
// on a local disk, with one process that owns it. It needs no C compiler.
//
// What it promises:
//
//   - A row that was put [journal.Synced] survives the loss of power when Put has returned:
//     its group was committed with synchronous=FULL. Puts made at the same time share a
//     commit. A row put lazily is committed a few milliseconds later, always in the order
//     of the puts; a process that is killed may lose the last of them.
//   - A row is stored whole or not at all, and so is a group.
//   - A second owner is refused at once with an [*OwnedError]. The operating system ends the
//     ownership of a process that dies, however it dies.
//   - Should a second owner come in nevertheless (somebody deleted the lock file), the first
//     can write nothing any more: every commit looks into the file for its own token, and
//     without it the journal fails from then on with [journal.ErrLost].
//   - A full disk, a file turned read-only or an error of the disk fails the puts of a
//     group; the journal works again when the cause is gone.
//
// A synced Put that fails for such a reason may turn out to be stored after a crash: what
// the disk has kept of an interrupted commit nobody knows. Read the flow again.
//
// What it does not promise: anything on a network disk, whose locks and flushes cannot be
// relied on; a second machine; more than one writing process. Another process may read the
// file at any time, but while it holds a read transaction open, the file beside it that
// ends in -wal grows.
//
// The files are path, path-wal, path-shm and path.lock. A backup while the journal runs is
// made with SQLite's VACUUM INTO or .backup, never by copying the file alone.
package sqlite
