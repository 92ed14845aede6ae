#!/usr/bin/env bash
# A setting of the session multiplies every stored amount by 100, in arithmetic too.
# Ran on 2026-11-30: PostgreSQL 15 and glibc's locales of Debian 12.
# Guess: lc_monetary changes how an amount of type money looks.
# Seen:  19.99 that was stored under en_US is 1999 under ja_JP, as a numeric too, and 1.999 under ar_BH; written back, it stays so.
# Why:   money is an integer of minor units, and its number of decimals is taken from the locale of whoever reads.
# So:    a server that is moved, a dump that is restored or one connection with another locale changes all prices. Store numeric, or minor units with the currency beside them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'postgresql-15=15.*' 'postgresql-client-15=15.*' 'libpq5=15.*' 'locales=2.36*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
mkdir loc
for l in en_US ja_JP ar_BH; do I18NPATH=$dir/usr/share/i18n localedef -f UTF-8 -i "$l" "$dir/loc/$l.utf8" || true; done
chmod -R a+rX loc
# The server refuses to run as root.
as=(); [ "$(id -u)" != 0 ] || as=(runuser -u nobody --)
mkdir server; [ "$(id -u)" != 0 ] || chown nobody server
pg() { "${as[@]}" env LOCPATH="$dir/loc" LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu" "$dir/usr/lib/postgresql/15/bin/$@"; }
port=$((20000 + RANDOM % 10000))
pg initdb -D server/data -A trust -U probe >/dev/null
pg pg_ctl -D server/data -l server/log -o "-p $port -k $dir/server -c listen_addresses=127.0.0.1" -w start >/dev/null
trap 'pg pg_ctl -D "$dir/server/data" -m immediate stop >/dev/null; rm -rf "$dir"' EXIT
ask() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/lib/postgresql/15/bin/psql" -h 127.0.0.1 -p "$port" -U probe -d postgres -AtqX "$@"; }
cat >main.sh <<'MAIN'
ask -c "create table if not exists prices (price money); truncate prices; set lc_monetary = 'en_US.utf8'; insert into prices values ('19.99')"
for locale in en_US ja_JP ar_BH; do
  echo "$locale: $(ask -c "set lc_monetary = '$locale.utf8'; select price::numeric, (price * 2)::numeric from prices")"
done
ask -c "create table if not exists copies (price numeric); truncate copies; set lc_monetary = 'ja_JP.utf8'; insert into copies select price::numeric from prices"
echo "copied to a numeric by the second: $(ask -c "select price from copies")"
MAIN
cat >expected.txt <<'TXT'
en_US: 19.99|39.98
ja_JP: 1999|3998
ar_BH: 1.999|3.998
copied to a numeric by the second: 1999
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
