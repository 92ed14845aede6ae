#!/usr/bin/env bash
# A balance of 5 from which 7 are taken is 0, and giving the 7 back makes it 7.
# Ran on 2026-11-30: memcached 1.6.18 of Debian 12.
# Guess: a decrement below nothing is an error, or gives a negative number; a counter that was 100 and is decremented reads as 99.
# Seen:  `decr` of 5 by 7 answers 0, and `incr` by 7 then 7. After `decr` of 100 by 1, `get` gives three characters, `99 `; the number with zeros 0012 becomes `13  `.
# Why:   counters are unsigned and stop at 0; a shorter number is written over the longer text and filled up with spaces.
# So:    a spending limit or a gift card that is booked and given back has more than before, without an error, and a reader that compares texts or parses strictly fails from 99 on. Keep balances in a database.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'memcached=1.6.18*' 'libevent-2.1-7=2.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
port=$((20000 + RANDOM % 10000))
as=(); [ "$(id -u)" != 0 ] || as=(-u nobody)
usr/bin/memcached "${as[@]}" -p "$port" -l 127.0.0.1 &
trap 'kill %1; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 1; done
cat >main.sh <<'MAIN'
ask() {
  exec 3<>/dev/tcp/127.0.0.1/$port
  printf '%s\r\n' "$@" quit >&3
  tr -d '\r' <&3 | grep -v -e STORED -e END -e VALUE || true
  exec 3>&-
}
store() { ask "set $1 0 0 ${#2}" "$2"; }
store card 5
echo "5 less 7: $(ask 'decr card 7')"
echo "and 7 more: $(ask 'incr card 7')"
store limit 100
echo "100 less 1: $(ask 'decr limit 1'), and get gives \"$(ask 'get limit')\""
store order 0012
echo "0012 and 1: $(ask 'incr order 1'), and get gives \"$(ask 'get order')\""
MAIN
cat >expected.txt <<'TXT'
5 less 7: 0
and 7 more: 7
100 less 1: 99, and get gives "99 "
0012 and 1: 13, and get gives "13  "
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
