//go:build race

package sqlite

// slower divides the work of the longest tests. SQLite is compiled to Go here, so the race
// detector makes it many times slower.
const slower = 10
