// Package sqlite is the journal for production on one machine: a SQLite file in a folder on a
// local disk, owned by one process. It needs no C compiler.
//
// Guarantees:
//
//   - A row that was put [journal.Synced] survives the loss of power once Put has returned nil:
//     its group was committed with synchronous=FULL. Puts made at the same time share a
//     commit. A lazy row is committed within a few milliseconds, in the order of the puts. A
//     process that is killed may lose its last lazy rows.
//   - A row is stored whole or not at all, and so is a group. It stands in a batch first, and within a second
//     in the table flow; reads of this package find it at once.
//   - A second owner is refused at once with an error that wraps [journal.ErrOwned]. The operating system ends the
//     ownership when the owner's process ends, also after SIGKILL.
//   - If a second owner opens the file nevertheless, because the lock file was deleted, the
//     first owner cannot commit any more. Every commit reads the owner's token in the
//     file. After the token has changed, every call fails with [journal.ErrLost]; see [Journal.Lost].
//   - A full disk, a read-only file or a disk error fails the puts of a group. The journal
//     works again when the cause is removed.
//   - A file whose pages are not what was written is refused, or, if it is large, lost within moments: a damaged index would free a paid key.
//
// A synced Put that failed for such a reason may turn out to be stored after a crash: the state
// of an interrupted commit on the disk is unknown. Read the flow again.
//
// Not guaranteed: anything on a network disk, whose locks and flushes are not reliable; access
// from a second machine; more than one writing process. Other processes may read the file at
// any time (another program finds the last moments in the table batch only), but while one of them holds a read transaction open, the -wal file grows.
//
// The files are path, path-wal, path-shm and path.lock. To back up a running journal, use
// [Journal.Backup]. A copy of the file alone, or a backup, is refused for writing: see Options.Restored.
//
// What must not enter: the format of a row's state, and anything about payments or retries.
// The package is a module of its own, so that programs with another journal do not download
// SQLite.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package sqlite
