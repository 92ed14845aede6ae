#!/usr/bin/env bash
# Two TOML files decoded over each other: the second file's list elements inherit fields from the first file's.
# Ran on 2026-11-29: BurntSushi/toml v1.6.0, pelletier/go-toml v2.4.3.
# Guess: in a second Decode into the same struct a [[rule]] list replaces the first list whole, and tables merge key by
#        key, in both libraries.
# Seen:  BurntSushi reuses the old elements: the merchant's first rule, which sets only its id, keeps the base file's limit
#        and action. And a table below a map is replaced whole. pelletier does the reverse in both: clean lists, merged tables.
# Why:   BurntSushi shortens the slice and decodes into the memory that is there (unifySlice); a map's value is decoded
#        into a new zero value (unifyMap). encoding/json has the same trap with lists.
# So:    decode every layer into a struct of its own and merge by hand.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/BurntSushi/toml@v1.6.0 github.com/pelletier/go-toml/v2@v2.4.3 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"fmt"

	burnt "github.com/BurntSushi/toml"
	pelletier "github.com/pelletier/go-toml/v2"
)

type Rules struct {
	Rule []struct {
		ID, Then string
		Max      int
	}
	Limits map[string]struct{ Attempts, Queries int }
}

const base = `
[[rule]]
id = "retry-maintenance"
then = "retry_new_request"
max = 5
[limits.refund]
attempts = 2
queries = 40
`

const merchant = `
[[rule]]
id = "hold-large-amounts"
[limits.refund]
attempts = 1
`

func main() {
	var b, p Rules
	for _, file := range []string{base, merchant} {
		if _, err := burnt.Decode(file, &b); err != nil {
			panic(err)
		}
		if err := pelletier.Unmarshal([]byte(file), &p); err != nil {
			panic(err)
		}
	}
	fmt.Printf("BurntSushi %+v\n", b)
	fmt.Printf("pelletier  %+v\n", p)
}
GO
cat >expected.txt <<'TXT'
BurntSushi {Rule:[{ID:hold-large-amounts Then:retry_new_request Max:5}] Limits:map[refund:{Attempts:1 Queries:0}]}
pelletier  {Rule:[{ID:hold-large-amounts Then: Max:0}] Limits:map[refund:{Attempts:1 Queries:40}]}
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
