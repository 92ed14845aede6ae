#!/usr/bin/env bash
# A script in Redis that marks an order as paid changes its number, its amount and its lines.
# Ran on 2026-12-01: Redis 7.0.15 of Debian 12.
# Guess: a JSON text that a script decodes and encodes again has the same numbers and lists but for the field that it sets, or the script fails.
# Seen:  of {"order":20261130123456789,"amount":1234567890123.45,"fee":19.99,"lines":[]} the script makes order 2.0261130123457e+16, amount 1234567890123.4 and lines {}; the fee stays 19.99.
# Why:   cjson writes 14 digits of a number, and a table without elements is an object.
# So:    an atomic `read the payment, set its status, store it` stores another payment, and each test with small numbers is green. Keep fields in a hash, and ids and amounts as texts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'redis-server=5:7.0.15*' 'redis-tools=5:7.0.15*' 'libjemalloc2=5.3.0*' 'liblzf1=3.6*' 'libatomic1=12.2.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu PATH=$dir/usr/bin:$PATH
port=$((20000 + RANDOM % 10000))
redis-server --port "$port" --bind 127.0.0.1 --save '' >/dev/null &
trap 'kill %1; wait; rm -rf "$dir"' EXIT
sleep 1
ask() { redis-cli -p "$port" eval "$@"; }
cat >main.sh <<'SH'
ask 'local p = cjson.decode(ARGV[1]); p.status = "paid"; local out = {}
for _, k in ipairs({"order", "amount", "fee", "lines", "status"}) do out[#out + 1] = k .. " " .. cjson.encode(p[k]) end
return table.concat(out, ", ")' 0 '{"order":20261130123456789,"amount":1234567890123.45,"fee":19.99,"lines":[]}'
SH
cat >expected.txt <<'TXT'
order 2.0261130123457e+16, amount 1234567890123.4, fee 19.99, lines {}, status "paid"
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
