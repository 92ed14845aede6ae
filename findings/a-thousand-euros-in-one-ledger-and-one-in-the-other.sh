#!/usr/bin/env bash
# 1,000 EUR is a thousand euros in ledger and one euro in hledger, and both print it as 1,000 EUR.
# Ran on 2026-11-30: hledger 1.25, ledger 3.3.0 of Debian 12.
# Guess: two programs for one file format read an amount alike, or refuse one that can be read in two ways.
# Seen:  1,000 EUR and $1,500 are 1 and 1.5 for hledger, 1000 and 1500 for ledger; 1,500.00 and 1,500,000 are alike. The reports show the digits and marks that were written, so that the difference is seen in a sum, a comparison or an export as JSON only.
# Why:   a single mark, whichever it is, is hledger's decimal mark; ledger takes a comma for a thousands mark unless it is told otherwise.
# So:    books that are moved between the two change whole amounts a thousandfold, and only those without cents. Declare decimal-mark and each commodity's format, and write two decimals.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'hledger=1.25*' 'ledger=3.3.0*' 'libboost-filesystem1.74.0' 'libboost-iostreams1.74.0' 'libboost-python1.74.0' 'libboost-regex1.74.0' 'libgmp10' 'libicu72' 'libmpfr6' 'libpython3.11' 'libedit2' 'libbsd0' 'libmd0' 'libtinfo6' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu PATH=$dir/usr/bin:$PATH LC_ALL=C.UTF-8
cat >main.sh <<'MAIN'
for amount in '1,000 EUR' '$1,500' '1,500.00 USD' '1,500,000 VND'; do
  printf '2026-11-30 sale\n    bank   %s\n    sales\n' "$amount" >books.journal
  echo "$amount: hledger $(hledger -f books.journal print -O json | grep -m1 floatingPoint | tr -dc '0-9.'), ledger $(ledger -f books.journal reg bank --format '%(quantity(amount))'), printed as $(hledger -f books.journal bal bank -N | awk '{ sub(/ *bank$/, ""); sub(/^ */, ""); print }') and $(ledger -f books.journal reg bank --format '%(amount)')"
done
MAIN
cat >expected.txt <<'TXT'
1,000 EUR: hledger 1, ledger 1000, printed as 1,000 EUR and 1,000 EUR
$1,500: hledger 1.5, ledger 1500, printed as $1,500 and $1,500
1,500.00 USD: hledger 1500, ledger 1500, printed as 1,500.00 USD and 1,500.00 USD
1,500,000 VND: hledger 1500000, ledger 1500000, printed as 1,500,000 VND and 1,500,000 VND
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
