// Package source reads TOML files whose every mistake is to be reported with its
// place: FILE:LINE:COLUMN, all of them at once.
//
// The values come from BurntSushi/toml. That library keeps the positions of keys
// to itself, so they are taken from go-toml's syntax tree of the same bytes. What
// the keys mean is not known here; packages rules and providers know it.
package source
