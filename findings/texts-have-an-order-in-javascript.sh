#!/usr/bin/env bash
# One JMESPath filter on amounts finds other payments in JavaScript than in Go.
# Ran on 2026-11-30: jmespath 0.16.0 (npm) beside @jmespath-community/jmespath 1.3.0 and go-jmespath v0.4.0; Node 20, Go 1.26.
# Guess: the language has a specification and a test suite, so each implementation selects the same elements.
# Seen:  where an amount is a text, npm's jmespath compares with JavaScript's own >, with all conversions; Go and the community's package find nothing.
#        to_number of an empty text is 0 in both npm packages, null in Go.
# Why:   the specification orders numbers only, else null; the first package has no such check. Number('') is 0.
# So:    an idempotency key, a filter or a policy by JMESPath that was tried in one runtime selects other payments in the next.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent jmespath@0.16.0 @jmespath-community/jmespath@1.3.0
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/jmespath/go-jmespath"
)

func main() {
	var facts any
	if err := json.Unmarshal([]byte(os.Args[2]), &facts); err != nil {
		panic(err)
	}
	v, err := jmespath.Search(os.Args[1], facts)
	if err != nil {
		panic(err)
	}
	text, _ := json.Marshal(v)
	fmt.Println(string(text))
}
GO
go mod init probe >/dev/null 2>&1
go get github.com/jmespath/go-jmespath@v0.4.0 >/dev/null 2>&1
go build -o probe .
cat >main.mjs <<'JS'
import old from 'jmespath';
import * as community from '@jmespath-community/jmespath';
import { execFileSync } from 'node:child_process';

const facts = { refunds: [{ id: 1, amount: '200' }, { id: 2, amount: 150 }, { id: 3, amount: '90' }] };
for (const q of ["refunds[?amount > `100`].id", "refunds[?amount > '100'].id", "to_number('')"]) {
  const go = execFileSync('./probe', [q, JSON.stringify(facts)]).toString().trim();
  console.log(q.padEnd(28), 'jmespath', JSON.stringify(old.search(facts, q)), '| community', JSON.stringify(community.search(facts, q)), '| Go', go);
}
JS
cat >expected.txt <<'TXT'
refunds[?amount > `100`].id  jmespath [1,2] | community [2] | Go [2]
refunds[?amount > '100'].id  jmespath [1,2,3] | community [] | Go []
to_number('')                jmespath 0 | community 0 | Go null
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
