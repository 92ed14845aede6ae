#!/usr/bin/env bash
# The owner of an exclusive file lock asks for a shared one too, and loses the exclusive one without notice.
# Ran on 2026-11-29: gofrs/flock v0.13.2 on Linux.
# Guess: TryRLock on a lock that this same value holds exclusively does nothing, or is refused; the lock stays exclusive.
# Seen:  it answers true and the file's lock becomes shared: a second holder gets in. Locked() of the first still says true,
#        and a later TryLock of the first answers true at once without asking the system, while the second holds the file.
# Why:   flock(2) converts the lock of an open file; the library keeps two flags and clears neither. Its comments warn of
#        the other direction only (shared becomes exclusive).
# So:    a journal that guards its file with Lock and a reader routine that takes RLock on the same value open the file to a
#        second writer. Use one value per purpose, and never both kinds on one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/gofrs/flock@v0.13.2 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/gofrs/flock"
)

func main() {
	owner, other := flock.New("journal.lock"), flock.New("journal.lock")
	show := func(what string, ok bool, err error) { fmt.Printf("%-36s %v %v\n", what, ok, err) }
	ok, err := owner.TryLock()
	show("owner takes the exclusive lock", ok, err)
	ok, err = other.TryRLock()
	show("other asks for a shared lock", ok, err)
	ok, err = owner.TryRLock()
	show("owner asks for a shared lock too", ok, err)
	ok, err = other.TryRLock()
	show("other asks again", ok, err)
	show("owner still believes it is exclusive", owner.Locked(), nil)
	ok, err = owner.TryLock()
	show("owner asks for exclusive again", ok, err)
	show("other holds it shared meanwhile", other.RLocked(), nil)
}
GO
cat >expected.txt <<'TXT'
owner takes the exclusive lock       true <nil>
other asks for a shared lock         false <nil>
owner asks for a shared lock too     true <nil>
other asks again                     true <nil>
owner still believes it is exclusive true <nil>
owner asks for exclusive again       true <nil>
other holds it shared meanwhile      true <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
