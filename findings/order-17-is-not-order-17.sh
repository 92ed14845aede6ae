#!/usr/bin/env bash
# Order 17 is stored as 17.0, and is not found as 17.
# Ran on 2026-12-01: libsql 0.5.29 (the interface of better-sqlite3), sql.js 1.17.0 beside node-sqlite3-wasm 0.8.60 and sqlite3 of Python 3.11, Node 20.
# Guess: the number 17 in a column of texts is the text 17, and an amount of 1999 in a JSON is 1999.
# Seen:  with libsql it is 17.0, json_object gives 1999.0, and 3 / 2 is 1.5. With sql.js that begins where 32 bits end: an order number of 14 digits is 26113000000001.0. A column of integers hides it. The other two store what was given.
# Why:   each number of JavaScript is bound as a float, with sql.js each one beyond 32 bits, and SQLite writes a float with its point.
# So:    the same order stored by Go or Python beside Node is another text: a unique index lets it in twice, a lookup of '17' finds nothing, and an id in a signed JSON has a point. Pass String(id), or a BigInt.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent libsql@0.5.29 sql.js@1.17.0 node-sqlite3-wasm@0.8.60
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const setUp = 'create table orders (id text primary key)';
const query = "select ? || '' as text, json_object('amount', ?) as json, ? / 2 as half";
async function main() {
  const Libsql = require('libsql');
  const one = new Libsql(':memory:');
  const two = new ((await require('sql.js')()).Database)();
  const three = new (require('node-sqlite3-wasm').Database)(':memory:');
  const first = (rows) => (rows.length ? Object.fromEntries(rows[0].columns.map((name, i) => [name, rows[0].values[0][i]])) : undefined);
  const all = {
    libsql: { run: (q, ...v) => one.prepare(q).run(...v), get: (q, ...v) => one.prepare(q).get(...v) },
    'sql.js': { run: (q, ...v) => two.run(q, v), get: (q, ...v) => first(two.exec(q, v)) },
    'node-sqlite3-wasm': { run: (q, ...v) => three.run(q, v), get: (q, ...v) => three.get(q, v) },
  };
  for (const [name, db] of Object.entries(all)) {
    db.run(setUp);
    for (const id of [17, 26113000000001]) {
      db.run('insert into orders values (?)', id);
      const found = db.get('select count(*) as n from orders where id = ?', String(id)).n;
      const { text, json, half } = db.get(query, id, 1999, 3);
      console.log(`${name}: ${id} is '${text}', found as '${id}': ${found}; 1999 in JSON ${json}; 3 / 2 ${half}`);
    }
    db.run('insert into orders values (?)', 26113000000002n);
    console.log(`${name}, a BigInt: found as '26113000000002': ${db.get("select count(*) as n from orders where id = '26113000000002'").n}`);
  }
}
main();
JS
cat >main.py <<'PY'
import sqlite3
db = sqlite3.connect(':memory:')
db.execute('create table orders (id text primary key)')
for id in (17, 26113000000001):
    db.execute('insert into orders values (?)', (id,))
    found = db.execute('select count(*) from orders where id = ?', (str(id),)).fetchone()[0]
    text, json, half = db.execute("select ? || '', json_object('amount', ?), ? / 2", (id, 1999, 3)).fetchone()
    print(f"Python: {id} is '{text}', found as '{id}': {found}; 1999 in JSON {json}; 3 / 2 {half}")
PY
cat >expected.txt <<'TXT'
libsql: 17 is '17.0', found as '17': 0; 1999 in JSON {"amount":1999.0}; 3 / 2 1.5
libsql: 26113000000001 is '26113000000001.0', found as '26113000000001': 0; 1999 in JSON {"amount":1999.0}; 3 / 2 1.5
libsql, a BigInt: found as '26113000000002': 1
sql.js: 17 is '17', found as '17': 1; 1999 in JSON {"amount":1999}; 3 / 2 1
sql.js: 26113000000001 is '26113000000001.0', found as '26113000000001': 0; 1999 in JSON {"amount":1999}; 3 / 2 1
sql.js, a BigInt: found as '26113000000002': 1
node-sqlite3-wasm: 17 is '17', found as '17': 1; 1999 in JSON {"amount":1999}; 3 / 2 1
node-sqlite3-wasm: 26113000000001 is '26113000000001', found as '26113000000001': 1; 1999 in JSON {"amount":1999}; 3 / 2 1
node-sqlite3-wasm, a BigInt: found as '26113000000002': 1
Python: 17 is '17', found as '17': 1; 1999 in JSON {"amount":1999}; 3 / 2 1
Python: 26113000000001 is '26113000000001', found as '26113000000001': 1; 1999 in JSON {"amount":1999}; 3 / 2 1
TXT
{ node main.cjs 2>&1; python3 main.py; } | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
