#!/usr/bin/env bash
# A transaction whose function throws reports the error, and its rows are stored.
# Ran on 2026-11-30: drizzle-orm 0.45.4 on sql.js 1.17.0; Node 20.
# Guess: db.transaction(async (tx) => …) rolls back when the function throws, as with every other driver of the library, or refuses an async function.
# Seen:  the error reaches the caller, and the row is in the table. The same function without async is rolled back.
# Why:   this driver's transaction is synchronous: it commits when the function returns, and an async function returns at its first await, with a promise.
# So:    code that moves from PostgreSQL to a test on SQLite in memory keeps its shape and loses its transactions, without a type error: a refused payment stays booked.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent drizzle-orm@0.45.4 sql.js@1.17.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/sql-js';
import { sqliteTable, text } from 'drizzle-orm/sqlite-core';
import initSqlJs from 'sql.js';

const file = new (await initSqlJs()).Database();
const db = drizzle(file);
const payments = sqliteTable('payments', { id: text('id').primaryKey() });
db.run(sql`create table payments (id text primary key)`);

async function attempt(what, run) {
  let said = 'no error';
  try { await db.transaction(run); } catch (e) { said = `error: ${e.message}`; }
  console.log(`${what}: ${said}; rows stored: ${db.select().from(payments).all().length}`);
  db.delete(payments).run();
}
await attempt('async function', async (tx) => {
  await tx.insert(payments).values({ id: 'order 7' });
  throw new Error('the provider refused');
});
await attempt('plain function', (tx) => {
  tx.insert(payments).values({ id: 'order 7' }).run();
  throw new Error('the provider refused');
});
JS
cat >expected.txt <<'TXT'
async function: error: the provider refused; rows stored: 1
plain function: error: the provider refused; rows stored: 0
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
