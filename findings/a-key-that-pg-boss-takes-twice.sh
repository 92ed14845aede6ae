#!/usr/bin/env bash
# Two webhooks about one order, sent to a queue with one singletonKey, are two jobs, and both run.
# Ran on 2026-11-30: pg-boss 12.38.0 on PostgreSQL 15 of Debian 12, Node 20.
# Guess: jobs with a singletonKey are single: the second send gives null.
# Seen:  in a queue of the standard kind both sends give an id, and the handler charges twice. With the policy exclusive the second is null as long as the first waits or runs; after it is done, the third makes a job again. An id of one's own is refused the second time, also after the job is done.
# Why:   the key is used by policies and by singletonSeconds only, and by these for jobs that are not yet done.
# So:    the option that is there against double charges does nothing, without a word, unless the queue was made for it. Send the event's id as the job's id, and make the handler idempotent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent pg-boss@12.38.0
npm ls --depth 0 | tail -n +2
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
export PROBE=postgres://probe@127.0.0.1:$port/postgres
cat >main.mjs <<'JS'
import { PgBoss } from 'pg-boss';

const boss = new PgBoss(process.env.PROBE);
boss.on('error', (e) => console.log(e.message));
await boss.start();
const until = async (ready) => { for (let i = 0; i < 200 && !ready(); i += 1) await new Promise((done) => setTimeout(done, 100)); };
for (const [queue, options, send] of [
  ['standard', {}, { singletonKey: 'order-17' }],
  ['exclusive', { policy: 'exclusive' }, { singletonKey: 'order-17' }],
  ['by id', {}, { id: '00000000-0000-4000-8000-000000000017' }],
]) {
  const name = queue.replace(' ', '-');
  await boss.createQueue(name, options);
  const made = async () => ((await boss.send(name, { order: 17 }, send)) === null ? 'null' : 'a job');
  const said = [await made(), await made()];
  let charges = 0;
  await boss.work(name, { pollingIntervalSeconds: 0.5 }, async () => { charges += 1; });
  await until(() => charges === said.filter((s) => s === 'a job').length);
  const ran = charges;
  await new Promise((done) => setTimeout(done, 1500));
  said.push(await made());
  await until(() => charges > ran || said[2] === 'null');
  console.log(`${queue}: first ${said[0]}, second ${said[1]}, third, after they are done, ${said[2]}; charges ${charges}`);
}
process.exit(0);
JS
cat >expected.txt <<'TXT'
standard: first a job, second a job, third, after they are done, a job; charges 3
exclusive: first a job, second null, third, after they are done, a job; charges 2
by id: first a job, second null, third, after they are done, null; charges 1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
