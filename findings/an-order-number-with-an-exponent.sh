#!/usr/bin/env bash
# jo order=12345678901234567 writes 1.234567890123457e+16.
# Ran on 2026-12-01: jo 1.9 (Debian 12).
# Guess: a value that looks like a number is written into the JSON as it stands, and a telephone number is no number.
# Seen:  of 17 digits the last is lost and an exponent comes in; 20261201000000000017 is 2.0261201e+19. 0012 is 12, 12e5 is 1200000, 0x1F is 31, +84901234567 is 84901234567, 1500.00 is 1500, and 15000000000.55 keeps its cents. 1_500 and 1,500 are texts.
# Why:   what strtod reads to its end is a number, and is printed from a double with 16 digits.
# So:    a shell script that calls a provider with curl and jo sends another order number than it logged, and one that no reader of integers takes; an idempotency key of digits is the same for two payments. Ask for a text: jo -- -s order=12345678901234567.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
command -v jo >/dev/null || { apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends jo >/dev/null; }
jo -v
for word in order=12345678901234567 order=12345678901234568 order=20261201000000000017 order=0012 order=12e5 order=0x1F phone=+84901234567 amount=1500.00 amount=15000000000.55 amount=1,500 amount=1_500; do
  echo "$word: $(jo "$word")"
done >seen.txt
echo "as a text: $(jo -- -s order=12345678901234567)" >>seen.txt
cat seen.txt
cat >expected.txt <<'TXT'
order=12345678901234567: {"order":1.234567890123457e+16}
order=12345678901234568: {"order":1.234567890123457e+16}
order=20261201000000000017: {"order":2.0261201e+19}
order=0012: {"order":12}
order=12e5: {"order":1200000}
order=0x1F: {"order":31}
phone=+84901234567: {"phone":84901234567}
amount=1500.00: {"amount":1500}
amount=15000000000.55: {"amount":15000000000.55}
amount=1,500: {"amount":"1,500"}
amount=1_500: {"amount":"1_500"}
as a text: {"order":"12345678901234567"}
TXT
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
