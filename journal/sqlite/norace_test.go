//go:build !race

package sqlite

const slower = 1
