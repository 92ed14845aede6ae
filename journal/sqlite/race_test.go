//go:build race

package sqlite

// slower divides the work of the longest tests: the race detector makes SQLite, which is Go
// here, many times slower.
const slower = 10
