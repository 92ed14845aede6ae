#!/usr/bin/env bash
# The calculator of any precision cuts cents off products.
# Ran on 2026-11-30: bc and dc 1.07.1 of Debian 12.
# Guess: bc, which computes with as many digits as are needed, says that 1.5 * 0.5 is .75 and 0.1 * 0.1 is .01.
# Seen:  1.5 * 0.5 is .7, 0.1 * 0.1 is 0, 19.99 * 1.075 is 21.489 where it is 21.48925, and 0.05 * 0.5 is .02; 1.50 * 0.5 is .75. dc does the same. With -l, or scale=4, the products are whole; the last digit of a quotient is cut, not rounded.
# Why:   a product keeps the digits of the factor that has more of them (or of scale, 0 at the start), and the rest is cut.
# So:    a fee in a shell script depends on how many zeros its amount is written with. Set scale first, and round in a step of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'bc=1.07.1*' 'dc=1.07.1*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PATH=$dir/usr/bin:$PATH
cat >main.sh <<'MAIN'
for product in '1.5 * 0.5' '1.50 * 0.5' '0.1 * 0.1' '19.99 * 1.075' '0.05 * 0.5'; do
  read -r a _ b <<<"$product"
  echo "$product: bc $(echo "$product" | bc), dc $(echo "$a $b * p" | dc), bc -l $(echo "$product" | bc -l)"
done
echo "2 / 3 with scale=2: $(echo 'scale=2; 2 / 3' | bc)"
MAIN
cat >expected.txt <<'TXT'
1.5 * 0.5: bc .7, dc .7, bc -l .75
1.50 * 0.5: bc .75, dc .75, bc -l .750
0.1 * 0.1: bc 0, dc 0, bc -l .01
19.99 * 1.075: bc 21.489, dc 21.489, bc -l 21.48925
0.05 * 0.5: bc .02, dc .02, bc -l .025
2 / 3 with scale=2: .66
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
