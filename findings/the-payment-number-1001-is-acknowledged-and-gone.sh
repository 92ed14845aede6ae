#!/usr/bin/env bash
# Of 1500 notices of payments that the broker acknowledged, a settlement service that was away gets 1000.
# Ran on 2026-11-30: mosquitto 2.0.11 of Debian 12, without a configuration.
# Guess: a message of QoS 1 or 2 that the broker acknowledged reaches each subscriber with a stored session, or the publisher gets no acknowledgement.
# Seen:  the publisher ends without an error in both cases, and the subscriber gets the first 1000 messages; nothing tells either of them that 500 are missing; the broker writes one line about it to its log.
# Why:   max_queued_messages is 1000 for each client, and what comes then is dropped; the acknowledgement is for the broker's receipt only.
# So:    exactly once is at most once as soon as a consumer is down for a thousand messages. Set max_queued_messages 0 and a bound in bytes, and number the messages.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mosquitto=2.0.11*' 'mosquitto-clients=2.0.11*' 'libmosquitto1=2.0.11*' 'libwebsockets17=4.1*' 'libdlt2=2.18*' 'libcjson1=1.7*' 'libev4=1:4.33*' 'libuv1=1.44*' 'libwrap0=7.6*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu PATH=$dir/usr/bin:$PATH
port=$((20000 + RANDOM % 10000))
usr/sbin/mosquitto -p "$port" >log.txt 2>&1 &
trap 'kill %1; wait; rm -rf "$dir"' EXIT
for _ in $(seq 60); do (: </dev/tcp/127.0.0.1/$port) 2>/dev/null && break; sleep 1; done
cat >main.sh <<'MAIN'
for qos in 1 2; do
  take() { mosquitto_sub -p "$port" -q "$qos" -t "payments/$qos" -i "settlement-$qos" -c "$@"; }
  take -E # makes the session
  seq 1 1500 | mosquitto_pub -p "$port" -q "$qos" -t "payments/$qos" -l
  echo "QoS $qos: 1500 published, exit $?"
  take -W 5 >got.txt || true
  echo "QoS $qos: received $(wc -l <got.txt), $(head -1 got.txt) to $(tail -1 got.txt)"
done
MAIN
cat >expected.txt <<'TXT'
QoS 1: 1500 published, exit 0
QoS 1: received 1000, 1 to 1000
QoS 2: 1500 published, exit 0
QoS 2: received 1000, 1 to 1000
TXT
. ./main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
