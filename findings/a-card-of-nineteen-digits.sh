#!/usr/bin/env bash
# A valid card is refused before its issuer is asked, by one form and not by the other.
# Ran on 2026-12-01: validator 13.15.35, payment 2.4.7, node-luhn 1.0.0, creditcards 5.0.0 beside card-validator 10.0.4 and fast-luhn 2.0.2, Node 20.
# Guess: a check of card numbers takes each number with a right check digit that ISO 7812 allows, up to 19 digits.
# Seen:  validator refuses Verve, Troy, Mir and Maestro cards whatever their digits; payment refuses a Visa of 19 digits, creditcards a Mir card; node-luhn refuses what is not 13 to 16 digits and a Troy card. card-validator and the plain algorithm take them all.
# Why:   each has its own list of first digits and lengths, and what is on no list is invalid, as a mistyped number is.
# So:    a customer with a card that the provider takes is told to look at the number again, in one of two forms of a shop. Check the digit only, and let the provider decide.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent validator@13.15.35 payment@2.4.7 node-luhn@1.0.0 creditcards@5.0.0 card-validator@10.0.4 fast-luhn@2.0.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const cards = require('card-validator');
const { card } = require('creditcards');
const fastLuhn = require('fast-luhn');
const nodeLuhn = require('node-luhn');
const payment = require('payment');
const validator = require('validator');

const withCheckDigit = (digits) => {
  let sum = 0;
  [...digits].reverse().forEach((digit, index) => {
    const twice = index % 2 === 0 ? digit * 2 : Number(digit);
    sum += twice > 9 ? twice - 9 : twice;
  });
  return digits + ((10 - (sum % 10)) % 10);
};
const checks = {
  validator: (number) => validator.isCreditCard(number),
  payment: (number) => payment.fns.validateCardNumber(number),
  'node-luhn': (number) => nodeLuhn(number),
  creditcards: (number) => card.isValid(number),
  'card-validator': (number) => cards.number(number).isValid,
  'fast-luhn': (number) => (fastLuhn.default ?? fastLuhn)(number),
};
const numbers = { 'Visa, 16': '411111111111111', 'Visa, 19': '411111111111111111', 'Verve, 19': '506111111111111111', 'Troy, 16': '979200000000000', 'Mir, 16': '220011111111111', 'Maestro, 12': '50000000000' };
for (const [kind, digits] of Object.entries(numbers)) {
  const number = withCheckDigit(digits);
  console.log(`${kind} (${number}): ${Object.entries(checks).map(([name, valid]) => `${name} ${valid(number) ? 'yes' : 'no'}`).join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
Visa, 16 (4111111111111111): validator yes, payment yes, node-luhn yes, creditcards yes, card-validator yes, fast-luhn yes
Visa, 19 (4111111111111111110): validator yes, payment no, node-luhn no, creditcards yes, card-validator yes, fast-luhn yes
Verve, 19 (5061111111111111116): validator no, payment yes, node-luhn no, creditcards yes, card-validator yes, fast-luhn yes
Troy, 16 (9792000000000003): validator no, payment yes, node-luhn no, creditcards yes, card-validator yes, fast-luhn yes
Mir, 16 (2200111111111117): validator no, payment yes, node-luhn yes, creditcards no, card-validator yes, fast-luhn yes
Maestro, 12 (500000000009): validator no, payment yes, node-luhn yes, creditcards yes, card-validator yes, fast-luhn yes
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
