#!/usr/bin/env bash
# Half of a compressed log of payments is read, without an error.
# Ran on 2026-11-30: fflate 0.8.3 beside pako 3.0.3, node:zlib and DecompressionStream of Node 20.20.2.
# Guess: a .gz file that was appended to, which gzip -d reads whole, is read whole, or refused.
# Seen:  fflate's gunzipSync gives the first of two members and drops the rest; its own stream, pako, node:zlib and DecompressionStream give both.
# Why:   each append makes a member of its own; the call inflates one and does not look at what is left.
# So:    a reconciliation over logs that are rotated by appending, or joined with cat, misses all that came after the first part. Compare the number of lines with gzip -dc | wc -l once.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pako@3.0.3 fflate@0.8.3
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import zlib from 'node:zlib';
import { gunzipSync, Gunzip, strFromU8 } from 'fflate';
import * as pako from 'pako';

const log = Buffer.concat(['A-17', 'A-18'].map((order) => zlib.gzipSync(`{"order":"${order}"}\n`)));
const readers = {
  'node:zlib': () => zlib.gunzipSync(log).toString(),
  'DecompressionStream': () => new Response(new Blob([log]).stream().pipeThrough(new DecompressionStream('gzip'))).text(),
  'pako': () => strFromU8(pako.ungzip(log)),
  'fflate, gunzipSync': () => strFromU8(gunzipSync(log)),
  'fflate, Gunzip': () => { let text = ''; new Gunzip((part) => { text += strFromU8(part); }).push(log, true); return text; },
};
for (const [name, read] of Object.entries(readers)) console.log(`${name}: ${(await read()).trim().split('\n').length} of 2 payments`);
JS
cat >expected.txt <<'TXT'
node:zlib: 2 of 2 payments
DecompressionStream: 2 of 2 payments
pako: 2 of 2 payments
fflate, gunzipSync: 1 of 2 payments
fflate, Gunzip: 2 of 2 payments
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
