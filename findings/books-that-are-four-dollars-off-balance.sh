#!/usr/bin/env bash
# A thousand payments of which each is booked with 100.00 in and 100.004 out pass the check of double-entry bookkeeping.
# Ran on 2026-11-30: beancount 2.3.5 beside hledger 1.25, of Debian 12.
# Guess: a transaction whose two sides differ is refused, by however little.
# Seen:  beancount's check has nothing to say, and the accounts are 4.00 USD apart; one payment of 100.006 is refused. hledger refuses both.
# Why:   beancount infers a tolerance from the digits of each transaction: half of the last digit of its amounts, here half a cent.
# So:    fees with more digits than the currency has (0.29 % of an amount) let each payment be off by up to half a cent without a word. Round the postings, or set inferred_tolerance_multiplier to 0.001.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'beancount=2.3.5*' 'python3-dateutil=2.8.2*' 'python3-six=1.16*' 'python3-ply=3.11*' 'hledger=1.25*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PYTHONPATH=$dir/usr/lib/python3/dist-packages
PATH=$dir/usr/bin:$PATH
books() { # books OUT TIMES
  printf 'account Assets:Bank\naccount Assets:Provider\n\n' >"h$1.journal"
  printf '2026-01-01 open Assets:Bank\n2026-01-01 open Assets:Provider\n' >"b$1.beancount"
  for i in $(seq "$2"); do
    printf '2026-11-30 payment %s\n  Assets:Bank  100.00 USD\n  Assets:Provider  -%s USD\n\n' "$i" "$1" >>"h$1.journal"
    printf '2026-11-30 * "payment %s"\n  Assets:Bank  100.00 USD\n  Assets:Provider  -%s USD\n' "$i" "$1" >>"b$1.beancount"
  done
}
books 100.004 1000
books 100.006 1
cat >run.sh <<'SH'
for out in 100.004 100.006; do
  if /usr/bin/python3 -m beancount.scripts.check "b$out.beancount" >/dev/null 2>&1; then echo "beancount, 100.00 in, $out out: in balance"; else echo "beancount, 100.00 in, $out out: refused"; fi
  if hledger -f "h$out.journal" check >/dev/null 2>&1; then echo "hledger, 100.00 in, $out out: in balance"; else echo "hledger, 100.00 in, $out out: refused"; fi
done
/usr/bin/python3 - <<'PY'
from beancount import loader
from beancount.core import data, inventory
entries, errors, options = loader.load_file("b100.004.beancount")
total = inventory.Inventory()
for e in entries:
    if isinstance(e, data.Transaction):
        for p in e.postings:
            total.add_position(p)
print("beancount: errors", len(errors), "sum of all accounts", total)
PY
SH
cat >expected.txt <<'TXT'
beancount, 100.00 in, 100.004 out: in balance
hledger, 100.00 in, 100.004 out: refused
beancount, 100.00 in, 100.006 out: refused
hledger, 100.00 in, 100.006 out: refused
beancount: errors 0 sum of all accounts (-4.000 USD)
TXT
bash run.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
