#!/usr/bin/env bash
# An order of 20 lines is a list, and one of 21 is none.
# Ran on 2026-11-30: qs 6.17.1, Node 20.
# Guess: lines[0][amount]=…&lines[1][amount]=… is a list of as many lines as were sent, up to a limit that gives an error.
# Seen:  from 21 lines on it is an object without a length, so that a loop over it adds up to 0; so are 21 times lines[]= and 21 times lines=. Of 1,200 fields 1,000 are read. None of it is an error; throwOnLimitExceeded makes it one.
# Why:   arrayLimit is 20 and parameterLimit 1000; what is beyond the first becomes keys, and what is beyond the second is dropped.
# So:    the total of a large order, or a batch of refunds, is 0 or short, and each test with three lines is green. Set both limits and throwOnLimitExceeded.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent qs@6.17.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import qs from 'qs';

const total = (lines) => { let sum = 0; for (let i = 0; i < lines.length; i += 1) sum += Number(lines[i].amount ?? lines[i]); return sum; };
const forms = { 'lines[i][amount]=100': (i) => `lines[${i}][amount]=100`, 'lines[]=100': () => 'lines[]=100', 'lines=100': () => 'lines=100' };
for (const [name, field] of Object.entries(forms)) {
  for (const n of [20, 21]) {
    const { lines } = qs.parse(Array.from({ length: n }, (_, i) => field(i)).join('&'));
    console.log(`${n} of ${name}: a list ${Array.isArray(lines)}, total ${total(lines)}`);
  }
}
const many = Array.from({ length: 1200 }, (_, i) => `refund${i}=100`).join('&');
console.log(`1200 fields: ${Object.keys(qs.parse(many)).length}`);
for (const [name, text] of [['21 lines', Array.from({ length: 21 }, () => 'lines[]=100').join('&')], ['1200 fields', many]]) {
  try { qs.parse(text, { throwOnLimitExceeded: true }); } catch (e) { console.log(`throwOnLimitExceeded, ${name}: ${e.message}`); }
}
JS
cat >expected.txt <<'TXT'
20 of lines[i][amount]=100: a list true, total 2000
21 of lines[i][amount]=100: a list false, total 0
20 of lines[]=100: a list true, total 2000
21 of lines[]=100: a list false, total 0
20 of lines=100: a list true, total 2000
21 of lines=100: a list false, total 0
1200 fields: 1000
throwOnLimitExceeded, 21 lines: Array limit exceeded. Only 20 elements allowed in an array.
throwOnLimitExceeded, 1200 fields: Parameter limit exceeded. Only 1000 parameters allowed.
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
