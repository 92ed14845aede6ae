#!/usr/bin/env bash
# A payment with a version column is saved from a stale copy: the save succeeds, and the version goes back.
# Ran on 2026-11-30: typeorm 1.1.1 (sql.js 1.17.0) beside MikroORM 6.6.16 (libsql); Node 20.
# Guess: a version column is an optimistic lock: saving a copy that is older than the row is refused, or at least counts the version up.
# Seen:  TypeORM overwrites `paid` with `failed`, without an error, and writes the stale copy's version 1 over the row's 2. MikroORM raises OptimisticLockError and leaves the row.
# Why:   save() compares the copy with the row as it is now; the version differs as any column does, so it is written, and no WHERE names it.
# So:    a late webhook turns a paid payment into a failed one, and whoever compares versions afterwards sees none. Write the compare-and-set yourself: UPDATE … WHERE id = ? AND version = ?.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent typeorm@1.1.1 sql.js@1.17.0 reflect-metadata@0.2.2 @mikro-orm/core@6.6.16 @mikro-orm/libsql@6.6.16
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import 'reflect-metadata';
import { EntitySchema as MikroSchema, MikroORM } from '@mikro-orm/libsql';
import { DataSource, EntitySchema } from 'typeorm';

const row = (p) => `${p.status}, version ${p.version}`;

const source = await new DataSource({
  type: 'sqljs', synchronize: true,
  entities: [new EntitySchema({ name: 'Payment', columns: { id: { type: String, primary: true }, status: { type: String }, version: { type: Number, version: true } } })],
}).initialize();
const payments = source.getRepository('Payment');
await payments.save({ id: '7', status: 'open' });
const [a, b] = [await payments.findOneBy({ id: '7' }), await payments.findOneBy({ id: '7' })];
a.status = 'paid';
await payments.save(a);
console.log('typeorm, first save: ', row(await payments.findOneBy({ id: '7' })));
b.status = 'failed';
const said = await payments.save(b).then(() => 'no error', (e) => e.name);
console.log('typeorm, stale save: ', row(await payments.findOneBy({ id: '7' })) + ';', said);

const mikro = await MikroORM.init({
  dbName: ':memory:',
  entities: [new MikroSchema({ name: 'Payment', properties: { id: { type: 'string', primary: true }, status: { type: 'string' }, version: { type: 'number', version: true } } })],
});
await mikro.schema.createSchema();
const first = mikro.em.fork();
first.create('Payment', { id: '7', status: 'open', version: 1 });
await first.flush();
const [m, n] = [mikro.em.fork(), mikro.em.fork()];
const [c, d] = [await m.findOne('Payment', '7'), await n.findOne('Payment', '7')];
c.status = 'paid';
await m.flush();
console.log('mikro-orm, first save:', row(await mikro.em.fork().findOne('Payment', '7')));
d.status = 'failed';
const says = await n.flush().then(() => 'no error', (e) => e.name);
console.log('mikro-orm, stale save:', row(await mikro.em.fork().findOne('Payment', '7')) + ';', says);
process.exit(0);
JS
cat >expected.txt <<'TXT'
typeorm, first save:  paid, version 2
typeorm, stale save:  failed, version 1; no error
mikro-orm, first save: paid, version 2
mikro-orm, stale save: paid, version 2; OptimisticLockError
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
