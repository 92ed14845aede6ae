#!/usr/bin/env bash
# A payment without an amount is below each limit, and one of "100" is above it.
# Ran on 2026-11-30: Open Policy Agent v1.22.3, Go 1.26; jq 1.6 of Debian 12.
# Guess: a comparison of a number with null, true or a text is undefined, or an error.
# Seen:  in both, null < 500 and true < 500 hold; "100" < 500 does not and "100" > 500 does. In jq a missing field is null. No error, and none with OPA's strict builtin errors.
# Why:   all values have one order over their types: null, booleans, numbers, texts, lists, objects.
# So:    `allow if input.amount < 500` allows a payment whose amount was left empty, and a filter of large payments lists small ones that are texts. Ask for the type first: is_number(x), or (x | type).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'jq=1.6*' 'libjq1=1.6*' libonig5 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/open-policy-agent/opa@v1.22.3 2>&1 | grep -E 'added (github.com/open-policy-agent/opa) ' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	for _, body := range os.Args[1:] {
		var input any
		if err := json.Unmarshal([]byte(body), &input); err != nil {
			panic(err)
		}
		for _, rule := range []string{"input.amount < 500", "input.amount > 500"} {
			set, err := rego.New(rego.Query(rule), rego.Input(input), rego.StrictBuiltinErrors(true)).Eval(context.Background())
			if err != nil {
				panic(err)
			}
			held := any("undefined")
			if len(set) > 0 {
				held = set[0].Expressions[0].Value
			}
			fmt.Printf("OPA, %s, %s: %v\n", body, rule, held)
		}
	}
}
GO
go mod tidy >/dev/null 2>&1
bodies=('{"amount":100}' '{"amount":900}' '{"amount":null}' '{}' '{"amount":true}' '{"amount":"100"}' '{"amount":[900]}')
all() {
  go run . "${bodies[@]}"
  for body in "${bodies[@]}"; do
    for rule in '.amount < 500' '.amount > 500'; do
      echo "jq, $body, $rule: $(LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu usr/bin/jq "$rule" <<<"$body")"
    done
  done
}
cat >expected.txt <<'TXT'
OPA, {"amount":100}, input.amount < 500: true
OPA, {"amount":100}, input.amount > 500: false
OPA, {"amount":900}, input.amount < 500: false
OPA, {"amount":900}, input.amount > 500: true
OPA, {"amount":null}, input.amount < 500: true
OPA, {"amount":null}, input.amount > 500: false
OPA, {}, input.amount < 500: undefined
OPA, {}, input.amount > 500: undefined
OPA, {"amount":true}, input.amount < 500: true
OPA, {"amount":true}, input.amount > 500: false
OPA, {"amount":"100"}, input.amount < 500: false
OPA, {"amount":"100"}, input.amount > 500: true
OPA, {"amount":[900]}, input.amount < 500: false
OPA, {"amount":[900]}, input.amount > 500: true
jq, {"amount":100}, .amount < 500: true
jq, {"amount":100}, .amount > 500: false
jq, {"amount":900}, .amount < 500: false
jq, {"amount":900}, .amount > 500: true
jq, {"amount":null}, .amount < 500: true
jq, {"amount":null}, .amount > 500: false
jq, {}, .amount < 500: true
jq, {}, .amount > 500: false
jq, {"amount":true}, .amount < 500: true
jq, {"amount":true}, .amount > 500: false
jq, {"amount":"100"}, .amount < 500: false
jq, {"amount":"100"}, .amount > 500: true
jq, {"amount":[900]}, .amount < 500: false
jq, {"amount":[900]}, .amount > 500: true
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
