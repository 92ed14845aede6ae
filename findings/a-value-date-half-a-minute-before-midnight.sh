#!/usr/bin/env bash
# A statement's value date is the day before, on a server in Hanoi, Jakarta or Shanghai.
# Ran on 2026-11-30: xlsx 0.18.5 (SheetJS), Node 20.
# Guess: a cell with the date 30 November 2026, read with cellDates, is that day, in the server's time zone or in UTC.
# Seen:  it is 29 November, 23:59:30 in Hanoi, 23:59:48 in Jakarta, 23:59:17 in Shanghai, 23:59:35 in Singapore, 23:59:56 in Bangkok; in São Paulo it is 28 seconds late. In UTC, Berlin and New York it is right.
# Why:   days are counted from 1899 with the zone's offset of that year, local mean time, which getTimezoneOffset gives in whole minutes only.
# So:    a booking of the first is one of last month, and two files of one day differ by the server that read them. Read the number (cellDates: false) and count the days yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent xlsx@0.18.5
npm ls --depth 0 | tail -n +2
zones() { for TZ in UTC Europe/Berlin America/New_York Asia/Ho_Chi_Minh Asia/Jakarta Asia/Shanghai Asia/Singapore Asia/Bangkok Asia/Kolkata America/Sao_Paulo; do export TZ; node "$1"; done; }
cat >main.mjs <<'JS'
import XLSX from 'xlsx';

const cell = { t: 'n', v: 46356, z: 'yyyy-mm-dd' }; // 30 November 2026
const file = XLSX.write({ SheetNames: ['a'], Sheets: { a: { '!ref': 'A1', A1: cell } } }, { type: 'buffer', bookType: 'xlsx' });
console.log(`${process.env.TZ}: ${XLSX.read(file, { cellDates: true }).Sheets.a.A1.v.toString().slice(4, 24)}`);
JS
cat >expected.txt <<'TXT'
UTC: Nov 30 2026 00:00:00
Europe/Berlin: Nov 30 2026 00:00:00
America/New_York: Nov 30 2026 00:00:00
Asia/Ho_Chi_Minh: Nov 29 2026 23:59:30
Asia/Jakarta: Nov 29 2026 23:59:48
Asia/Shanghai: Nov 29 2026 23:59:17
Asia/Singapore: Nov 29 2026 23:59:35
Asia/Bangkok: Nov 29 2026 23:59:56
Asia/Kolkata: Nov 29 2026 23:59:50
America/Sao_Paulo: Nov 30 2026 00:00:28
TXT
zones main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
