#!/usr/bin/env bash
# A price of 20 that comes as a text is shown, and sent back, as 0.20.
# Ran on 2026-12-01: v-money3 3.26.1, v-money 0.8.1 beside simple-mask-money 4.1.4, Node 20 with jsdom 22.1.0.
# Guess: a field for amounts shows the text "20" as the number 20: 20.00.
# Seen:  "20" is 0.20, "19.9" is 1.99, "1500.5" is 150.05, in both v-money packages, for the text a page puts in the field; "19.90" is right, and so is the number 20. simple-mask-money shows 20.00 for both.
# Why:   a text is taken for keystrokes: its digits are strung together and the last two are the cents, whatever its point says.
# So:    an API that gives amounts as texts, as decimals of a database come, fills the form with a hundredth or a tenth of each amount without two decimals, and the form sends that back. Pass a number, or always two decimals.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent v-money3@3.26.1 v-money@0.8.1 simple-mask-money@4.1.4 jsdom@22.1.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { window } = new (require('jsdom').JSDOM)('<input>');
Object.assign(globalThis, { window, document: window.document, Element: window.Element, SVGElement: window.SVGElement });
const { format, options } = { ...require('v-money3'), options: { prefix: '', suffix: '', thousands: ',', decimal: '.', precision: 2, disableNegative: false, allowBlank: false, minimumNumberOfCharacters: 0, shouldRound: true, min: null, max: null } };
const { VMoney } = require('v-money');
const { formatToCurrency } = require('simple-mask-money');
// The directive of v-money formats what stands in the field.
const vmoney = (text) => {
  const input = window.document.createElement('input');
  input.value = text;
  VMoney(input, { value: options }, { data: {} });
  return input.value;
};
for (const amount of ['20', '19.9', '19.90', '1500', '1500.5', 20, 1500.5]) {
  const old = typeof amount === 'string' ? vmoney(amount) : 'no text';
  console.log(`${JSON.stringify(amount)}: v-money3 ${format(amount, options)}, v-money ${old}, simple-mask-money ${formatToCurrency(amount, { decimalSeparator: '.', thousandsSeparator: ',' })}`);
}
process.exit();
JS
cat >expected.txt <<'TXT'
"20": v-money3 0.20, v-money 0.20, simple-mask-money 20.00
"19.9": v-money3 1.99, v-money 1.99, simple-mask-money 19.90
"19.90": v-money3 19.90, v-money 19.90, simple-mask-money 19.90
"1500": v-money3 15.00, v-money 15.00, simple-mask-money 1,500.00
"1500.5": v-money3 150.05, v-money 150.05, simple-mask-money 1,500.50
20: v-money3 20.00, v-money no text, simple-mask-money 20.00
1500.5: v-money3 1,500.50, v-money no text, simple-mask-money 1,500.50
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
