#!/usr/bin/env bash
# One JsonLogic rule decides otherwise in the browser than in the Go service.
# Ran on 2026-11-30: json-logic-js 2.0.5 (npm) beside jsonlogic/v3 v3.5.1 (Go); Node 20, Go 1.26.
# Guess: rules as data decide alike wherever they run: to share them between browser and server is what the format is for.
# Seen:  an empty code equals 0 (success!) in JavaScript only; "0010" equals 10 and a missing amount is >= 0 there only; 1 is in ["1"] in Go only.
# Why:   the first uses JavaScript's == and >=, the second converts by rules of its own.
# So:    `{"==": [{"var": "code"}, 0]}` takes an answer without a code for a success in one of the two. Write ===, and texts as texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent json-logic-js@2.0.5
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
cat >main.go <<'GO'
package main

import (
	"os"
	"strings"

	"github.com/diegoholiveira/jsonlogic/v3"
)

func main() {
	if err := jsonlogic.Apply(strings.NewReader(os.Args[1]), strings.NewReader(os.Args[2]), os.Stdout); err != nil {
		panic(err)
	}
}
GO
go mod init probe >/dev/null 2>&1
go get github.com/diegoholiveira/jsonlogic/v3@v3.5.1 >/dev/null 2>&1
go build -o probe .
cat >main.mjs <<'JS'
import logic from 'json-logic-js';
import { execFileSync } from 'node:child_process';

const facts = { empty: '', code: '0010', ten: '10', nine: '9' };
for (const rule of ['{"==":[{"var":"empty"},0]}', '{"==":[{"var":"code"},10]}', '{">=":[{"var":"missing"},0]}', '{"in":[1,["1","2"]]}', '{"==":["1.0",1]}', '{"===":[{"var":"empty"},0]}', '{"<":[{"var":"ten"},{"var":"nine"}]}']) {
  const go = execFileSync('./probe', [rule, JSON.stringify(facts)]).toString().trim();
  console.log(rule.padEnd(38), 'JavaScript', String(logic.apply(JSON.parse(rule), facts)).padEnd(5), 'Go', go);
}
JS
cat >expected.txt <<'TXT'
{"==":[{"var":"empty"},0]}             JavaScript true  Go false
{"==":[{"var":"code"},10]}             JavaScript true  Go false
{">=":[{"var":"missing"},0]}           JavaScript true  Go false
{"in":[1,["1","2"]]}                   JavaScript false Go true
{"==":["1.0",1]}                       JavaScript true  Go false
{"===":[{"var":"empty"},0]}            JavaScript false Go false
{"<":[{"var":"ten"},{"var":"nine"}]}   JavaScript true  Go true
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
