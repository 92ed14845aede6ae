#!/usr/bin/env bash
# A worker of a Redis stream that is shut down properly loses the payments that it had begun.
# Ran on 2026-11-30: Redis 7.0.15 of Debian 12.
# Guess: XGROUP DELCONSUMER gives the messages that the worker has not acknowledged back to the group.
# Seen:  of three payments the worker had two; after it was deleted none is pending, another worker gets the third only, XAUTOCLAIM finds neither, and the group's lag is 0. A worker that is killed instead leaves two, and XAUTOCLAIM gives them to the next one.
# Why:   the list of what is pending belongs to the consumer and goes with it; the group has read past those entries.
# So:    each deploy loses what was under way, and a crash does not, so that the cleaner program loses more; all figures of the group say that everything is done. Claim the entries before you delete the consumer, or leave it.
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
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 1; done
ask() { redis-cli -p "$port" "$@"; }
cat >main.sh <<'SH'
orders() { { grep -A1 order || true; } | grep -v -e order -e -- | paste -sd, ; }
for end in deleted killed; do
  ask del payments >/dev/null
  ask xgroup create payments group 0 mkstream >/dev/null
  for order in A-1 A-2 A-3; do ask xadd payments '*' order "$order" >/dev/null; done
  echo "first worker has $(ask xreadgroup group group first count 2 streams payments '>' | orders)"
  [ "$end" = killed ] || ask xgroup delconsumer payments group first >/dev/null
  echo "$end: pending $(ask xpending payments group | head -1), the second reads $(ask xreadgroup group group second streams payments '>' | orders), claims $(ask xautoclaim payments group second 0 0 count 2 | orders), lag $(ask xinfo groups payments | tail -1)"
done
SH
cat >expected.txt <<'TXT'
first worker has A-1,A-2
deleted: pending 0, the second reads A-3, claims A-3, lag 0
first worker has A-1,A-2
killed: pending 2, the second reads A-3, claims A-1,A-2, lag 0
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
