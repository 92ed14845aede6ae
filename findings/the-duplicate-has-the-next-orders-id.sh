#!/usr/bin/env bash
# After a batch in which one payment was known already, the payments have the ids of other payments.
# Ran on 2026-11-30: gorm v1.31.2 on glebarez/sqlite v1.11.0, Go 1.26; TypeORM 1.1.1 and sequelize 6.37.8 on MariaDB 10.11 of Debian 12 with mysql2 3.24.6, Node 20.
# Guess: of three payments that are inserted with `leave out what is known`, each object has its own row's id or none.
# Seen:  the first is a duplicate of row 2. gorm gives it 5, which is the second's row, gives the second 6 and the third none; sequelize's bulkCreate with ignoreDuplicates does the like; TypeORM's orIgnore gives each the id of the next one, and its upsert gives the updated payment the id of a new one.
# Why:   the database gives the ids of the rows that were made (or the first of them), and they are laid on the objects from the front.
# So:    the ledger entry, the event and the refund that are written next name another customer's payment. Read the rows back by their key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 'libpcre2-8-0=10.42*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir data; [ "$(id -u)" != 0 ] || chown nobody data
maria() { "${as[@]}" env LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu" "$@"; }
export PORT=$((20000 + RANDOM % 10000))
maria usr/bin/mariadb-install-db --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
maria usr/sbin/mariadbd --no-defaults --basedir="$dir/usr" --datadir="$dir/data" --socket="$dir/data/s" --pid-file="$dir/data/pid" --port="$PORT" --bind-address=127.0.0.1 --lc-messages-dir="$dir/usr/share/mysql" --innodb-buffer-pool-size=64M >/dev/null 2>&1 &
trap 'kill "$(cat "$dir/data/pid")"; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$PORT) 2>/dev/null && break; sleep 1; done
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent mysql2@3.24.6 typeorm@1.1.1 sequelize@6.37.8 reflect-metadata@0.2.2
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get gorm.io/gorm@v1.31.2 github.com/glebarez/sqlite@v1.11.0 2>&1 | grep -E 'gorm.io/gorm |glebarez/sqlite' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type payment struct {
	ID    int64
	Event string `gorm:"uniqueIndex"`
}

func main() {
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		panic(err)
	}
	if err := db.AutoMigrate(&payment{}); err != nil {
		panic(err)
	}
	db.Create(&[]payment{{Event: "a"}, {Event: "b"}, {Event: "c"}})
	batch := []payment{{Event: "b"}, {Event: "d"}, {Event: "e"}}
	if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&batch).Error; err != nil {
		panic(err)
	}
	for _, p := range batch {
		var own, has payment
		db.First(&own, "event = ?", p.Event)
		db.Limit(1).Find(&has, "id = ?", p.ID)
		fmt.Printf("gorm DoNothing: %s is row %d, its object has %d, the row of %q\n", p.Event, own.ID, p.ID, has.Event)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >main.cjs <<'JS'
require('reflect-metadata');
const mysql = require('mysql2/promise');
const { DataTypes, Sequelize } = require('sequelize');
const { DataSource, EntitySchema } = require('typeorm');

(async () => {
  const server = { host: '127.0.0.1', port: Number(process.env.PORT) };
  const db = await mysql.createConnection({ ...server, user: 'root' });
  await db.query('create or replace database probe');
  const show = async (name, batch) => {
    const [rows] = await db.query('select id, event from probe.payment');
    for (const p of batch) console.log(`${name}: ${p.event} is row ${rows.find((r) => r.event === p.event).id}, its object has ${p.id}, the row of ${JSON.stringify(rows.find((r) => r.id === p.id)?.event ?? '')}`);
  };
  const start = async () => {
    await db.query('create or replace table probe.payment (id int auto_increment primary key, event varchar(20) unique)');
    await db.query("insert into probe.payment (event) values ('a'), ('b'), ('c')");
  };
  const fresh = () => ['b', 'd', 'e'].map((event) => ({ event }));
  const schema = new EntitySchema({ name: 'payment', columns: { id: { type: 'int', primary: true, generated: true }, event: { type: 'varchar', length: 20, unique: true } } });
  const source = await new DataSource({ type: 'mysql', ...server, username: 'root', database: 'probe', entities: [schema] }).initialize();
  const repo = source.getRepository('payment');
  let batch = fresh();
  await start();
  await repo.createQueryBuilder().insert().values(batch).orIgnore().execute();
  await show('TypeORM orIgnore', batch);
  batch = fresh();
  await start();
  await repo.upsert(batch, ['event']);
  await show('TypeORM upsert', batch);
  const sequelize = new Sequelize('probe', 'root', '', { ...server, dialect: 'mysql', logging: false });
  const model = sequelize.define('payment', { event: DataTypes.STRING(20) }, { timestamps: false, freezeTableName: true });
  await start();
  await show('sequelize ignoreDuplicates', await model.bulkCreate(fresh(), { ignoreDuplicates: true }));
  process.exit(0);
})();
JS
all() { go run . && node main.cjs; }
cat >expected.txt <<'TXT'
gorm DoNothing: b is row 2, its object has 5, the row of "d"
gorm DoNothing: d is row 5, its object has 6, the row of "e"
gorm DoNothing: e is row 6, its object has 0, the row of ""
TypeORM orIgnore: b is row 2, its object has 4, the row of "d"
TypeORM orIgnore: d is row 4, its object has 5, the row of "e"
TypeORM orIgnore: e is row 5, its object has 6, the row of ""
TypeORM upsert: b is row 2, its object has 4, the row of "d"
TypeORM upsert: d is row 4, its object has 5, the row of "e"
TypeORM upsert: e is row 5, its object has 6, the row of ""
sequelize ignoreDuplicates: b is row 2, its object has 4, the row of "d"
sequelize ignoreDuplicates: d is row 4, its object has 5, the row of "e"
sequelize ignoreDuplicates: e is row 5, its object has null, the row of ""
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
