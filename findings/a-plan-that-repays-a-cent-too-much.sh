#!/usr/bin/env bash
# A loan of 1000 is repaid with 1000.01, and a plan at no interest is not a number.
# Ran on 2026-12-01: loanjs 1.1.2, loan-calc 0.2.1 beside amortize 1.1.0, Node 20.
# Guess: the parts of a repayment add up to the loan: the last one takes what is left; and at no interest each part is an equal share.
# Seen:  with loanjs the parts of 1000 over seven months at 5 percent are 1000.01, though the last remainder is shown as 0: of 600 such plans 563 repay another amount than the loan, by up to 48 cents. No interest is refused by loanjs and is NaN for loan-calc; amortize has both right.
# Why:   each part is rounded by itself, and the last one is what the rounded instalment leaves, not what the loan does.
# So:    a customer pays a cent too much or too little, and a ledger that books the parts does not close the loan. Book the last part as the rest.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent loanjs@1.1.2 loan-calc@0.2.1 amortize@1.1.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const amortize = require('amortize').default ?? require('amortize');
const { paymentCalc } = require('loan-calc');
const { Loan } = require('loanjs');

const cents = (amount) => Math.round(amount * 100);
const repaid = (amount, months, rate) => new Loan(amount, months, rate).installments.reduce((sum, part) => sum + cents(part.capital), 0);
const plan = new Loan(1000, 7, 5);
console.log(`loanjs, 1000 over 7 months at 5 percent: ${plan.installments.map((part) => part.capital).join(' + ')} = ${repaid(1000, 7, 5) / 100}, the last remainder is ${plan.installments.at(-1).remain}`);
let differ = 0;
let most = 0;
let plans = 0;
for (let months = 3; months <= 62; months += 1) {
  for (const rate of [1, 2.5, 5, 7.5, 9.9, 12, 15, 18, 19.9, 24]) {
    plans += 1;
    const off = Math.abs(repaid(1000, months, rate) - 100000);
    if (off > 0) differ += 1;
    most = Math.max(most, off);
  }
}
console.log(`loanjs, ${plans} plans for 1000: ${differ} repay another amount, by up to ${most} cents`);
const none = () => { try { return new Loan(1200, 12, 0).installments[0].capital; } catch (error) { return 'refused'; } };
console.log(`1200 over 12 months at 0 percent: loanjs ${none()}, loan-calc ${paymentCalc({ amount: 1200, rate: 0, termMonths: 12 })}, amortize ${amortize({ amount: 1200, rate: 0, totalTerm: 12, amortizeTerm: 12 }).paymentRound}`);
console.log(`amortize, 1000 over 7 months at 5 percent: principal ${amortize({ amount: 1000, rate: 5, totalTerm: 7, amortizeTerm: 7 }).principalRound}, remainder ${amortize({ amount: 1000, rate: 5, totalTerm: 7, amortizeTerm: 7 }).balanceRound}`);
JS
cat >expected.txt <<'TXT'
loanjs, 1000 over 7 months at 5 percent: 141.08 + 141.67 + 142.26 + 142.85 + 143.45 + 144.05 + 144.65 = 1000.01, the last remainder is 0
loanjs, 600 plans for 1000: 563 repay another amount, by up to 48 cents
1200 over 12 months at 0 percent: loanjs refused, loan-calc NaN, amortize 100.00
amortize, 1000 over 7 months at 5 percent: principal 1000.00, remainder 0.00
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
