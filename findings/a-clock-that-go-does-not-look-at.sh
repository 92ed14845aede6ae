#!/usr/bin/env bash
# A test that sets the clock past a key's expiry tests nothing, if the program is written in Go.
# Ran on 2026-11-30: faketime 0.9.10 of Debian 12, Go 1.26, Node 20, Python 3.11.
# Guess: under faketime each program sees the faked time, or the command fails.
# Seen:  date, Node and Python live in 2027; the Go program lives today, and faketime says nothing.
# Why:   faketime stands before the C library's functions, and Go asks the kernel's page itself, without the C library.
# So:    "the link has expired by then" and "the replay window is over" pass because nothing was tried. Give the program a clock of its own, or a container with a time of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'faketime=0.9.10*' 'libfaketime=0.9.10*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PATH=$dir/usr/bin:$PATH LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu/faketime
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() { fmt.Println(time.Now().Year() == 2027) }
GO
GOWORK=off go build -o in-go main.go
cat >main.sh <<'MAIN'
fake() { LD_PRELOAD=libfaketime.so.1 FAKETIME='@2027-06-30 12:00:00' "$@"; }
echo "2027 in date: $([ "$(fake date +%Y)" = 2027 ] && echo true)"
echo "2027 in Node: $(fake node -p 'new Date().getFullYear() === 2027')"
echo "2027 in Python: $(fake python3 -c 'import time; print(time.localtime().tm_year == 2027)')"
echo "2027 in Go: $(fake ./in-go)"
MAIN
cat >expected.txt <<'TXT'
2027 in date: true
2027 in Node: true
2027 in Python: True
2027 in Go: false
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
