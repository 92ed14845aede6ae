#!/usr/bin/env bash
# A message that a worker has and has not acknowledged is trimmed from its stream, and given to no one again.
# Ran on 2026-11-30: Redis 7.0.15 of Debian 12.
# Guess: XADD with MAXLEN trims what is done, and a message that a worker took and never acknowledged is given to another one by XAUTOCLAIM.
# Seen:  two messages that a worker took are trimmed by two new ones, though nobody acknowledged them: XPENDING still counts 2, XAUTOCLAIM gives none of them and forgets both, and then XPENDING is 0. The worker that reads its own list again gets an id without fields.
# Why:   the length counts all messages, and the list of pending ones has their ids alone.
# So:    a payout of a worker that died while many came is never made, and no count shows it. Trim by hand, below the oldest pending id.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
chmod 755 .
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'redis-server=5:7.0.15*' 'redis-tools=5:7.0.15*' 'libjemalloc2=5.3.0*' 'liblzf1=3.6*' 'libatomic1=12.2.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
port=$((20000 + RANDOM % 10000))
LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-server" --port "$port" --bind 127.0.0.1 --save '' >/dev/null &
trap 'kill %1; rm -rf "$dir"' EXIT
r() { LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/redis-cli" -p "$port" "$@"; }
until [ "$(r ping 2>/dev/null)" = PONG ]; do sleep 0.1; done
cat >expected.txt <<'TXT'
taken: 7 8
pending before the claim: 2
claimed: none
deleted by the claim: 1-0 2-0
pending after it: 0
the worker's own list: 1-0 without fields
TXT
{
r xgroup create payouts g 0 mkstream >/dev/null
r xadd payouts maxlen 2 1-0 order 7 >/dev/null
r xadd payouts maxlen 2 2-0 order 8 >/dev/null
echo "taken: $(r xreadgroup group g one streams payouts '>' | grep -A1 '^order$' | grep '^[0-9]' | xargs)"
r xadd payouts maxlen 2 3-0 order 9 >/dev/null
r xadd payouts maxlen 2 4-0 order 10 >/dev/null
echo "pending before the claim: $(r xpending payouts g | head -1)"
own=$(r xreadgroup group g one count 1 streams payouts 0 | tail -n +2 | xargs)
claim=$(r eval "local a = redis.call('xautoclaim', 'payouts', 'g', 'two', 0, '0'); return {#a[2], a[3][1], a[3][2]}" 0 | xargs)
[ "${claim%% *}" = 0 ] && echo "claimed: none"
echo "deleted by the claim: ${claim#* }"
echo "pending after it: $(r xpending payouts g | head -1)"
echo "the worker's own list: $own without fields"
} 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
