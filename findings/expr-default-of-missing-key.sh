#!/usr/bin/env bash
# expr's `??` never gives its default for a key that is missing in a typed Go map.
# Ran on 2026-11-29: expr v1.17.8.
# Guess: `tags.channel ?? "web"` gives "web" when the key is not there, for every kind of map.
# Seen:  it does for map[string]any. For map[string]string the left side is "" (Go's zero value), which is not nil, so
#        the default is dead code; `fired.retry ?? 9` over map[string]int gives 0. Only get() tells the two cases apart.
# Why:   fetching a missing key of a typed map returns reflect.Zero of the element type (vm/runtime), get() returns nil.
# So:    changing an environment from map[string]any to a typed map, usually a tidy-up, silently changes what rules decide.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/expr-lang/expr@v1.17.8 2>&1 | tail -n 1
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/expr-lang/expr"
)

type Env struct {
	Loose map[string]any
	Tags  map[string]string
	Fired map[string]int
}

func main() {
	for _, text := range []string{
		`Loose.channel ?? "web"`,
		`Tags.channel ?? "web"`,
		`Tags?.channel ?? "web"`,
		`Tags["channel"] == nil`,
		`get(Tags, "channel") ?? "web"`,
		`Fired.retry ?? 9`,
		`get(Fired, "retry") ?? 9`,
	} {
		program, err := expr.Compile(text, expr.Env(Env{}))
		if err != nil {
			fmt.Printf("%-32s does not compile\n", text)
			continue
		}
		v, err := expr.Run(program, Env{map[string]any{}, map[string]string{}, map[string]int{}})
		fmt.Printf("%-32s %#v %v\n", text, v, err)
	}
}
GO
cat >expected.txt <<'TXT'
Loose.channel ?? "web"           "web" <nil>
Tags.channel ?? "web"            "" <nil>
Tags?.channel ?? "web"           "" <nil>
Tags["channel"] == nil           false <nil>
get(Tags, "channel") ?? "web"    "web" <nil>
Fired.retry ?? 9                 0 <nil>
get(Fired, "retry") ?? 9         9 <nil>
TXT
go run . | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
