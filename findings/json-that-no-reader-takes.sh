#!/usr/bin/env bash
# A report that was converted to JSON can't be read as JSON, when one amount is less than 1.
# Ran on 2026-11-30: miller 6.6.0 of Debian 12; Node 20 as the reader.
# Guess: converting CSV to JSON gives JSON: each field is a JSON number or a text.
# Seen:  .50, 5. and 0x1F are written as they stand, without quotes; Node refuses the file. The order number 0012 is a text and 12 a number, so a sum over the column leaves the first out, and its maximum is a text.
# Why:   what Miller takes for a number is printed with the characters that it had in the file, and its numbers are more than JSON's.
# So:    a month's settlement converts well until the first fee of half a cent. Run it with -S (texts only), or format the numbers.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'miller=6.6.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PATH=$dir/usr/bin:$PATH
cat >main.sh <<'SH'
mlr --version
for row in '0012,15.00' '12,.50' '13,5.' '0x1F,1.00'; do
  json=$(printf 'order,fee\n%s\n' "$row" | mlr --icsv --ojson --jvstack cat | tr -d '\n' | tr -s ' ')
  node -e 'const [row, text] = process.argv.slice(1); let said = "valid"; try { JSON.parse(text); } catch { said = "no JSON"; } console.log(`${row}: ${text} ${said}`)' "$row" "$json"
done
printf 'order\n0012\n13\n' | mlr --icsv --ojson --jvstack stats1 -a sum,max -f order | tr -d '\n' | tr -s ' '
echo
SH
cat >expected.txt <<'TXT'
mlr 6.6.0
0012,15.00: [{ "order": "0012", "fee": 15.00}] valid
12,.50: [{ "order": 12, "fee": .50}] no JSON
13,5.: [{ "order": 13, "fee": 5.}] no JSON
0x1F,1.00: [{ "order": 0x1F, "fee": 1.00}] no JSON
[{ "order_sum": 13, "order_max": "0012"}]
TXT
bash main.sh 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
