#!/usr/bin/env bash
# A payment without an amount is booked with 1.
# Ran on 2026-12-01: knex 3.3.0, sequelize 6.37.8, prom-client 15.1.3 beside objection 3.1.5, typeorm 1.1.1, Node 20.
# Guess: increment("balance", payment.amount) with an amount that is undefined is an error, as in a where; null is one too, or sets nothing.
# Seen:  knex and sequelize write balance + 1 and balance - 1 for undefined. With null knex adds NaN and subtracts 0, sequelize and objection add NULL, which makes the balance null. A counter of prom-client counts 1 for undefined and for null. objection and typeorm refuse undefined.
# Why:   the amount is a parameter with the default 1, and a default is taken for undefined.
# So:    a misspelt field, or an event of another version, moves a cent in a ledger and a payment in a counter, each time, where every other call with undefined would have thrown. Look at the amount before; give the column not null.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent knex@3.3.0 sequelize@6.37.8 prom-client@15.1.3 objection@3.1.5 typeorm@1.1.1 sql.js@1.17.0
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const knexOf = require('knex');
const { Model } = require('objection');
const { Counter } = require('prom-client');
const { DataTypes, Sequelize } = require('sequelize');
const { DataSource, EntitySchema } = require('typeorm');

const attempt = async (f) => {
  try {
    return await f();
  } catch {
    return 'refused';
  }
};
// Of a statement, what is added to the balance.
const added = (sql) => sql.match(/balance"\s*([+-]\s*\S+)/)[1].replace(' ', '');

(async () => {
  const knex = knexOf({ client: 'pg' });
  class Account extends Model {
    static tableName = 'account';
  }
  Account.knex(knex);

  const sequelize = new Sequelize({ dialect: 'postgres', dialectModule: { defaults: {}, types: { setTypeParser() {}, getTypeParser() {} } }, logging: false });
  const table = sequelize.define('account', { id: { type: DataTypes.INTEGER, primaryKey: true }, balance: DataTypes.BIGINT }, { timestamps: false });
  let sent;
  sequelize.query = async (sql) => {
    sent = sql;
    return [[], 0];
  };

  const entity = new EntitySchema({ name: 'account', columns: { id: { type: Number, primary: true }, balance: { type: Number, nullable: true } } });
  const repository = (await new DataSource({ type: 'sqljs', entities: [entity], synchronize: true }).initialize()).getRepository('account');

  let counters = 0;
  for (const payment of [{ amount: 25 }, {}, { amount: null }]) {
    const seen = {
      'knex increment': await attempt(() => added(knex('account').increment('balance', payment.amount).toString())),
      'knex decrement': await attempt(() => added(knex('account').decrement('balance', payment.amount).toString())),
      'sequelize increment': await attempt(async () => {
        await table.increment('balance', { by: payment.amount, where: { id: 1 } });
        return added(sent);
      }),
      'objection increment': await attempt(() => added(Account.query().increment('balance', payment.amount).toKnexQuery().toString())),
      'typeorm increment': await attempt(async () => {
        await repository.save({ id: 1, balance: 100 });
        await repository.increment({ id: 1 }, 'balance', payment.amount);
        return `balance ${(await repository.findOneBy({ id: 1 })).balance}`;
      }),
      'prom-client inc': await attempt(async () => {
        counters += 1;
        const counter = new Counter({ name: `paid_${counters}`, help: 'paid', registers: [] });
        counter.inc(payment.amount);
        return (await counter.get()).values[0].value;
      }),
    };
    console.log(`${JSON.stringify(payment)}: ${Object.entries(seen).map(([name, value]) => `${name} ${value}`).join(', ')}`);
  }
})();
JS
cat >expected.txt <<'TXT'
{"amount":25}: knex increment +25, knex decrement -25, sequelize increment +25, objection increment +25, typeorm increment balance 125, prom-client inc 25
{}: knex increment +1, knex decrement -1, sequelize increment +1, objection increment refused, typeorm increment refused, prom-client inc 1
{"amount":null}: knex increment +NaN, knex decrement +0, sequelize increment +NULL, objection increment +NULL, typeorm increment balance null, prom-client inc 1
TXT
node main.cjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
