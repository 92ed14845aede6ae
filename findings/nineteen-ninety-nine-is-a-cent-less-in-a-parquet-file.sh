#!/usr/bin/env bash
# A column of decimals holds a cent less than each amount that was given, and its own reader gives one order another's amount.
# Ran on 2026-12-01: @dsnp/parquetjs 1.8.8 beside hyparquet 1.33.0, Node 20.
# Guess: a DECIMAL of two decimals holds 19.99 as 1999, and what was written is read again.
# Seen:  19.99 is stored as 19.98, 1.15 as 1.14, 4.35 as 4.34: 573 of the 10,000 amounts from 0.01 to 100.00 lose a cent, and two readers agree. With a precision of up to nine digits the package reads its own file otherwise than it wrote it: the second order has 0 and the third one the second's amount; hyparquet reads the same file as it was written.
# Why:   the number is multiplied by 100 and the fraction is cut off, 1998.9999999999998; and the column is always written in eight bytes, of which the reader takes four for a small precision.
# So:    a day's payments that are handed over as Parquet add up to less than the ledger, without an error. Store whole minor units as INT64.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @dsnp/parquetjs@1.8.8 hyparquet@1.33.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import parquet from '@dsnp/parquetjs';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

const write = async (file, precision, amounts) => {
  const schema = new parquet.ParquetSchema({ amount: { type: 'DECIMAL', precision, scale: 2 } });
  const writer = await parquet.ParquetWriter.openFile(schema, file);
  for (const amount of amounts) await writer.appendRow({ amount });
  await writer.close();
};
const own = async (file) => {
  const reader = await parquet.ParquetReader.openFile(file);
  const cursor = reader.getCursor();
  const amounts = [];
  for (let row = await cursor.next(); row; row = await cursor.next()) amounts.push(row.amount);
  await reader.close();
  return amounts;
};
const other = async (file) => (await parquetReadObjects({ file: await asyncBufferFromFile(file) })).map((row) => row.amount);
const amounts = [19.99, 1.15, 4.35, 20, 5.5];
for (const precision of [15, 9]) {
  await write('payments.parquet', precision, amounts);
  console.log(`precision ${precision}: given ${amounts.join(', ')}; read by itself ${(await own('payments.parquet')).join(', ')}; by hyparquet ${(await other('payments.parquet')).join(', ')}`);
}
const all = Array.from({ length: 10000 }, (_, cent) => (cent + 1) / 100);
await write('all.parquet', 15, all);
const read = await other('all.parquet');
console.log(`of 10000 amounts from 0.01 to 100.00 ${read.filter((amount, index) => Math.round(amount * 100) === index).length} lose a cent`);
JS
cat >expected.txt <<'TXT'
precision 15: given 19.99, 1.15, 4.35, 20, 5.5; read by itself 19.98, 1.14, 4.34, 20, 5.5; by hyparquet 19.98, 1.14, 4.34, 20, 5.5
precision 9: given 19.99, 1.15, 4.35, 20, 5.5; read by itself 19.98, 0, 1.14, 0, 4.34; by hyparquet 19.98, 1.14, 4.34, 20, 5.5
of 10000 amounts from 0.01 to 100.00 573 lose a cent
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
