#!/usr/bin/env bash
# An amount of 19.991 with two decimals is 20.00.
# Ran on 2026-11-30: numfmt of GNU coreutils 9.1 beside printf of bash, Debian 12.
# Guess: numfmt --format=%.2f rounds to the nearest, as printf does with the same format.
# Seen:  19.991 is 20.00, 0.001 is 0.01, -19.991 is -20.00, and 1501 with --to=si is 1.6K. printf gives 19.99, 0.00 and -19.99. --round=nearest gives what printf gives.
# Why:   its default is to round away from zero, whatever the last digit is.
# So:    a column of fees that is brought to cents is a cent too high in nearly each line, and the sum does not agree with the ledger. Use --round=nearest.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'coreutils=9.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
all() {
  for amount in 19.991 19.999 0.001 -19.991 19.990; do
    echo "$amount: numfmt $(usr/bin/numfmt --format=%.2f -- "$amount"), --round=nearest $(usr/bin/numfmt --round=nearest --format=%.2f -- "$amount"), printf $(printf %.2f "$amount")"
  done
  echo "1501 with --to=si: $(usr/bin/numfmt --to=si 1501)"
  echo "the sum of 1000 fees of 0.021, each in cents: $(for _ in $(seq 1000); do echo 0.021; done | usr/bin/numfmt --format=%.2f | awk '{ s += $1 } END { printf "%.2f", s }')"
}
cat >expected.txt <<'TXT'
19.991: numfmt 20.00, --round=nearest 19.99, printf 19.99
19.999: numfmt 20.00, --round=nearest 20.00, printf 20.00
0.001: numfmt 0.01, --round=nearest 0.00, printf 0.00
-19.991: numfmt -20.00, --round=nearest -19.99, printf -19.99
19.990: numfmt 19.99, --round=nearest 19.99, printf 19.99
1501 with --to=si: 1.6K
the sum of 1000 fees of 0.021, each in cents: 30.00
TXT
export LC_ALL=C
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
