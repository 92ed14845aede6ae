#!/usr/bin/env bash
# Marking a paid payment as paid changes one row in Node, and none in Go and Python.
# Ran on 2026-11-30: MariaDB 10.11 of Debian 12 with mysql2 3.24.6 (Node 20), go-sql-driver/mysql v1.9.3 (Go 1.26), PyMySQL 1.0.2 (Python 3.11).
# Guess: the number of affected rows is the database's, and alike in each driver.
# Seen:  for an UPDATE that finds its row and sets the value that it has, mysql2 reports 1, go-sql-driver and PyMySQL 0; with clientFoundRows=true Go reports 1.
# Why:   the protocol counts rows that were found, or rows that were changed, as the client asks at the start, and the drivers ask differently.
# So:    `if affected == 0 { return NotFound }` is right in one service and wrong in another on the same table: a webhook that comes a second time is answered as about an unknown payment, and is sent again for days.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mariadb-server-core=1:10.11*' 'mariadb-server=1:10.11*' 'mariadb-client-core=1:10.11*' 'python3-pymysql=1.0*' 'libaio1=0.3*' 'liburing2=2.3*' 'libnuma1=2.0*' 'libsnappy1v5=1.1*' 'libpcre2-8-0=10.42*' 2>/dev/null
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
npm install --no-audit --no-fund --ignore-scripts --silent mysql2@3.24.6
npm ls --depth 0 | tail -n +2
export PYTHONPATH=$dir/usr/lib/python3/dist-packages GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get github.com/go-sql-driver/mysql@v1.9.3 2>&1 | grep mysql || true
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "github.com/go-sql-driver/mysql"
)

func main() {
	for _, options := range []string{"", "?clientFoundRows=true"} {
		db, err := sql.Open("mysql", "root@tcp(127.0.0.1:"+os.Getenv("PORT")+")/probe"+options)
		if err != nil {
			panic(err)
		}
		r, err := db.Exec("update payments set status = 'paid' where id = 'A-17'")
		if err != nil {
			panic(err)
		}
		n, _ := r.RowsAffected()
		fmt.Printf("go-sql-driver%s: %d\n", options, n)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const db = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.PORT), user: 'root' });
await db.query('create or replace database probe');
await db.query('create table probe.payments (id varchar(8) primary key, status varchar(8))');
await db.query("insert into probe.payments values ('A-17', 'paid')");
console.log('mysql2:', (await db.query("update probe.payments set status = 'paid' where id = 'A-17'"))[0].affectedRows);
process.exit(0);
JS
cat >main.py <<'PY'
import os

import pymysql

c = pymysql.connect(host='127.0.0.1', port=int(os.environ['PORT']), user='root', database='probe').cursor()
print('PyMySQL:', c.execute("update payments set status = 'paid' where id = 'A-17'"))
PY
drivers() { node main.mjs && go run . && python3 main.py; }
cat >expected.txt <<'TXT'
mysql2: 1
go-sql-driver: 0
go-sql-driver?clientFoundRows=true: 1
PyMySQL: 0
TXT
drivers 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
