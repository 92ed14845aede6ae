#!/usr/bin/env bash
# Two request bodies with different order numbers have the same canonical JSON.
# Ran on 2026-11-30: gowebpki/jcs v1.0.2 and cyberphone/json-canonicalization 2024-12-13, RFC 8785 in Go.
# Guess: a canonical form orders keys and removes spaces; bodies that differ in a number have other forms, or the library refuses a number that it cannot keep.
# Seen:  integers beyond 2^53 are rounded without an error: ...993 and ...992 are one form, and 20261130123456789012 ends in 0000. A key that stands twice is refused.
# Why:   the RFC takes all numbers for doubles and leaves it to the caller to have no others; both libraries parse the text to a float64.
# So:    a fingerprint of the canonical body, which tells a repeated payment from another one under the same key, takes two orders for one. Send ids as texts, or compare the bytes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/gowebpki/jcs@v1.0.2 github.com/cyberphone/json-canonicalization@v0.0.0-20241213102144-19d51d7fe467 2>&1 | grep -E 'github.com/gowebpki/jcs|github.com/cyberphone/json-canonicalization' || true
cat >main.go <<'GO'
package main

import (
	"crypto/sha256"
	"fmt"

	cyberphone "github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/gowebpki/jcs"
)

func main() {
	for _, body := range []string{
		`{"order":9007199254740993,"amount":50000}`,
		`{"order":9007199254740992,"amount":50000}`,
		`{"order":20261130123456789012,"amount":50000}`,
		`{"order":1,"order":2}`,
	} {
		for _, transform := range []func([]byte) ([]byte, error){jcs.Transform, cyberphone.Transform} {
			form, err := transform([]byte(body))
			fmt.Printf("%s -> %s %.4x refused: %t\n", body, form, sha256.Sum256(form), err != nil)
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
{"order":9007199254740993,"amount":50000} -> {"amount":50000,"order":9007199254740992} c039436c refused: false
{"order":9007199254740993,"amount":50000} -> {"amount":50000,"order":9007199254740992} c039436c refused: false
{"order":9007199254740992,"amount":50000} -> {"amount":50000,"order":9007199254740992} c039436c refused: false
{"order":9007199254740992,"amount":50000} -> {"amount":50000,"order":9007199254740992} c039436c refused: false
{"order":20261130123456789012,"amount":50000} -> {"amount":50000,"order":20261130123456790000} b499da32 refused: false
{"order":20261130123456789012,"amount":50000} -> {"amount":50000,"order":20261130123456790000} b499da32 refused: false
{"order":1,"order":2} ->  e3b0c442 refused: true
{"order":1,"order":2} -> {"order":1,"order":2} fe97b906 refused: true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
