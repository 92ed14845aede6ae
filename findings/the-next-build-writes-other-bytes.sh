#!/usr/bin/env bash
# The same message has other JSON bytes after the next deploy.
# Ran on 2026-11-30: google.golang.org/protobuf v1.36.12, Go 1.26.
# Guess: protojson writes one message alike, whichever program and build it is in.
# Seen:  of a few builds of one program that differ in an array nobody reads, some write {"amount":150000, "order":"A-17"} with a space and some without.
# Why:   on purpose: a hash of the program decides on extra spaces, so that nobody relies on the bytes.
# So:    an idempotency fingerprint, a signature or a stored comparison made from protojson's output breaks at a deploy, for requests that are retried across it: the same key with another fingerprint. Make them from the binary form with Deterministic, or from fields.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get google.golang.org/protobuf@v1.36.12 2>&1 | grep protobuf || true
cat >main.go.txt <<'GO'
package main

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// unread makes the builds differ.
var unread = [BUILD000]byte{BUILD: 1}

func main() {
	s, err := structpb.NewStruct(map[string]any{"order": "A-17", "amount": 150000})
	if err != nil {
		panic(err)
	}
	b, err := protojson.Marshal(s)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(b), unread[0] > 1)
}
GO
cat >main.sh <<'SH'
for build in $(seq 40); do
  mkdir -p "v$build"
  sed "s/BUILD/$build/g" main.go.txt >"v$build/main.go"
  [ "$build" != 1 ] || go mod tidy >/dev/null 2>&1
  go build -o "build$build" "./v$build"
  "./build$build" >>out.txt
  [ "$(sort -u out.txt | wc -l)" = 1 ] || break
done
cut -d' ' -f1-2 out.txt | sed 's/ false//' | sort -u
SH
cat >expected.txt <<'TXT'
{"amount":150000, "order":"A-17"}
{"amount":150000,"order":"A-17"}
TXT
rm -f out.txt; bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
