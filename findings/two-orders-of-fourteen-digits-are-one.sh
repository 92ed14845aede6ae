#!/usr/bin/env bash
# Two orders whose numbers have fourteen digits are equal, and one amount is not larger than another that it exceeds.
# Ran on 2026-11-30: mathjs 15.2.0, Node 20.
# Guess: == and > compare numbers exactly while they are far below 2^53 (16 digits).
# Seen:  10000000000001 == 10000000000000 is true, > is false, and their difference is 1. floor(9.99999999999999) is 10, and ceil(10.0000000000001) is 10. So it is with bignumber(); fraction() and bigint() keep the two apart.
# Why:   comparisons take numbers for equal whose relative difference is below relTol, 1e-12 by default, bignumbers too; floor and ceil round first.
# So:    a rule `order == 26113000000001` fires for the neighbours' orders, and a limit of a million million rupiah is one rupiah loose. Keep ids as texts and compare with a difference.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mathjs@15.2.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { evaluate } from 'mathjs';

for (const rule of [
  '26113000000001 == 26113000000002',
  '26113000000001 != 26113000000002',
  '26113000000002 > 26113000000001',
  '26113000000002 - 26113000000001',
  '2611300000001 == 2611300000003',
  '261130000001 == 261130000002',
  'bignumber("26113000000001") == bignumber("26113000000002")',
  'fraction("26113000000001") == fraction("26113000000002")',
  'bigint("26113000000001") == bigint("26113000000002")',
  '1000000000000 > 999999999999.5',
  'floor(9.99999999999999)',
  'ceil(10.0000000000001)',
]) console.log(`${rule}: ${evaluate(rule)}`);
JS
cat >expected.txt <<'TXT'
26113000000001 == 26113000000002: true
26113000000001 != 26113000000002: false
26113000000002 > 26113000000001: false
26113000000002 - 26113000000001: 1
2611300000001 == 2611300000003: true
261130000001 == 261130000002: false
bignumber("26113000000001") == bignumber("26113000000002"): true
fraction("26113000000001") == fraction("26113000000002"): false
bigint("26113000000001") == bigint("26113000000002"): false
1000000000000 > 999999999999.5: false
floor(9.99999999999999): 10
ceil(10.0000000000001): 10
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
