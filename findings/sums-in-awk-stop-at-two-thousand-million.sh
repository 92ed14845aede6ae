#!/usr/bin/env bash
# The sum of a settlement file, printed as an integer, is 2147483647.
# Ran on 2026-11-30: mawk 1.3.4.20200120 (the awk of Debian 12), gawk 5.2.1, datamash 1.7.
# Guess: printf "%d" prints the sum, and print prints whole numbers whole, as numbers up to 2^53 are exact in awk.
# Seen:  mawk prints 2147483647 for every larger sum with %d, and 1.5e+10 with print; gawk prints 15000000000. A reference of 0x1F counts as 31 in mawk, as 0 in gawk. datamash prints 123456789012345 + 1 as 1.2345678901235e+14.
# Why:   mawk's integers have 32 bits on their way to %d; datamash prints 14 digits.
# So:    a total of 15,000 million rupiah is an ordinary day, and a check that compares two such totals finds them equal. Use printf "%.0f", or gawk; datamash with --format '%.2f'.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'mawk=1.3.4.20200120*' 'gawk=1:5.2.1*' 'datamash=1.7*' 'libsigsegv2=2.14*' 'libmpfr6=4.2.0*' 'libreadline8=8.2*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PATH=$dir/usr/bin:$PATH LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
cat >main.sh <<'MAIN'
for awk in mawk gawk; do
  printf '7500000000\n7500000000\n' | "$awk" -v name="$awk" '{ sum += $1 } END { printf "%s: %%d %d, %%.0f %.0f, print ", name, sum, sum; print sum }'
  printf '7500000000\n1\n' | "$awk" -v name="$awk" '{ sum += $1 } END { printf "%s: another sum with %%d %d\n", name, sum }'
  echo 0x1F | "$awk" -v name="$awk" '{ print name ": 0x1F + 0 is " $1 + 0 }'
done
printf '123456789012345\n1\n' | datamash sum 1
MAIN
cat >expected.txt <<'TXT'
mawk: %d 2147483647, %.0f 15000000000, print 1.5e+10
mawk: another sum with %d 2147483647
mawk: 0x1F + 0 is 31
gawk: %d 15000000000, %.0f 15000000000, print 15000000000
gawk: another sum with %d 7500000001
gawk: 0x1F + 0 is 0
1.2345678901235e+14
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
