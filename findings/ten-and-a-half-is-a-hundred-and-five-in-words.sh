#!/usr/bin/env bash
# The amount in words on a receipt is ten times the amount in digits.
# Ran on 2026-11-30: angka-menjadi-terbilang 0.5.0, @develoka/angka-terbilang-js 1.4.2, nzh 1.0.14, to-words 5.7.0; Node 20.
# Guess: an amount with decimals is read with them, rounded, or refused.
# Seen:  10.5 is `seratus lima`, a hundred and five, and 1500000.25 a hundred and fifty million and 25, by one Indonesian package; the other reads the point. 19.999 is 19 yuan 99 by one package and 20 rupees by another.
# Why:   the first removes each point as a separator of thousands, also from a number; one cuts after two digits, the other rounds.
# So:    give integers, and compare the words once with a second package.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent angka-menjadi-terbilang@0.5.0 @develoka/angka-terbilang-js@1.4.2 nzh@1.0.14 to-words@5.7.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const of = (name) => { const m = require(name); return m.default ?? m; };
const first = of('angka-menjadi-terbilang');
const second = of('@develoka/angka-terbilang-js');
for (const amount of [10.5, 1500000.25]) console.log(`${amount}: ${first(amount)} | ${second(amount)}`);
const { ToWords } = require('to-words');
console.log(`19.999: ${require('nzh').cn.toMoney(19.999)} | ${new ToWords({ localeCode: 'en-IN' }).convert(19.999, { currency: true })}`);
JS
cat >expected.txt <<'TXT'
10.5: seratus lima | sepuluh koma lima
1500000.25: seratus lima puluh juta dua puluh lima | satu juta lima ratus ribu koma dua lima
19.999: 人民币壹拾玖元玖角玖分 | Twenty Rupees Only
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
