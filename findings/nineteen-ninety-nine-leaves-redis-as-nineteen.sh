#!/usr/bin/env bash
# A script in Redis that returns 19.99 returns 19, and one that marks an order as paid changes its number and its amount.
# Ran on 2026-11-30: Redis 7.0.15 of Debian 12.
# Guess: a number that a script returns arrives as it is; a JSON text that is decoded and encoded again has the same numbers, or the script fails.
# Seen:  19.99 arrives as 19. Of {"order":20261130123456789,"amount":1234567890123.45,"lines":[]} the script makes order 2.0261130123457e+16, amount 1234567890123.4, and lines {}.
# Why:   replies of scripts are integers, and fractions are cut off; cjson writes 14 digits, and an empty list is an empty table.
# So:    an atomic `read the payment, set its status, store it` stores another payment. Keep fields in a hash, and return numbers as texts.
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
echo "return 19.99: $(ask 'return 19.99' 0)"
ask 'local p = cjson.decode(ARGV[1]); p.status = "paid"; local out = {}
for _, k in ipairs({"order", "amount", "lines", "status"}) do out[#out + 1] = k .. " " .. cjson.encode(p[k]) end
return table.concat(out, ", ")' 0 '{"order":20261130123456789,"amount":1234567890123.45,"lines":[]}'
SH
cat >expected.txt <<'TXT'
return 19.99: 19
order 2.0261130123457e+16, amount 1234567890123.4, lines {}, status "paid"
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
