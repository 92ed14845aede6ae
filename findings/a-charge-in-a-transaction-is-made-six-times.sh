#!/usr/bin/env bash
# A provider that is called inside a database transaction is called six times when another request is in the way.
# Ran on 2026-11-30: slonik 47.3.2 beside postgres 3.4.9 and pg-promise 12.7.1, PostgreSQL 15 of Debian 12, Node 20; the clients' default settings.
# Guess: a transaction that fails with "could not serialize access" rejects, and the caller decides whether its function may run again.
# Seen:  slonik runs the whole function six times and then rejects with the last error; when the conflict ends earlier, it resolves and nothing shows the tries before. The other two run it once.
# Why:   its transactionRetryLimit is 5 for errors of the class 40, a transaction rollback.
# So:    each run sends the charge again. The rollback undoes the rows, which would have shown the first five. Set transactionRetryLimit to 0, or call no provider in a transaction.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent slonik@47.3.2 postgres@3.4.9 pg-promise@12.7.1
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import pgPromise from 'pg-promise';
import postgres from 'postgres';
import { createPool, sql } from 'slonik';

const other = postgres(process.env.PROBE, { onnotice: () => {} });
await other`create table account (id int, balance int)`;
await other`insert into account values (1, 1000)`;
await other`create table log (charge int)`;
const pool = await createPool(process.env.PROBE);
const promise = pgPromise()(process.env.PROBE);
const clients = {
  slonik: (run) => pool.transaction((t) => run((text) => t.query({ ...sql.unsafe`select 1`, sql: text }))),
  postgres: (run) => other.begin((t) => run((text) => t.unsafe(text))),
  'pg-promise': (run) => promise.tx((t) => run((text) => t.any(text))),
};
for (const [name, transaction] of Object.entries(clients)) {
  for (const conflicts of [99, 2]) {
    await other`truncate log`;
    let charges = 0;
    const end = await transaction(async (query) => {
      await query('set transaction isolation level repeatable read');
      await query('select balance from account');
      charges += 1; // the call of the provider
      await query(`insert into log values (${charges})`);
      if (charges <= conflicts) await other`update account set balance = balance + 1`;
      await query('update account set balance = balance - 100');
    }).then(() => 'done', (error) => `error: ${(error.cause ?? error).message.replace('Query failed: ', '')}`);
    console.log(`${name}, ${conflicts === 99 ? 'a conflict each time' : `${conflicts} conflicts`}: charged ${charges} times, rows in the log: ${(await other`select charge from log`).length}, ${end}`);
  }
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
slonik, a conflict each time: charged 6 times, rows in the log: 0, error: could not serialize access due to concurrent update
slonik, 2 conflicts: charged 3 times, rows in the log: 1, done
postgres, a conflict each time: charged 1 times, rows in the log: 0, error: could not serialize access due to concurrent update
postgres, 2 conflicts: charged 1 times, rows in the log: 0, error: could not serialize access due to concurrent update
pg-promise, a conflict each time: charged 1 times, rows in the log: 0, error: could not serialize access due to concurrent update
pg-promise, 2 conflicts: charged 1 times, rows in the log: 0, error: could not serialize access due to concurrent update
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
