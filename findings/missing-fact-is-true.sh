#!/usr/bin/env bash
# In filtrex a condition about a property that is missing gives an Error as its value, and an Error is true.
# Ran on 2026-11-30: filtrex 3.1.0; Node 20.
# Guess: a rule about a missing property throws, or is false.
# Seen:  the compiled function returns an Error object. `if (rule(facts))` takes it for true; so does its negation.
# Why:   version 3 hands errors back as values (its own page says so); JavaScript finds every object true.
# So:    `refunded > 0` fires for a payment that has no such field, and so does `not (refunded > 0)`. Compare with === true.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent filtrex@3.1.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { compileExpression } from 'filtrex';

const facts = { code: '0010', amount: 100 };
for (const text of ['amount > 50', 'amount > 500', 'refunded > 0', 'not (refunded > 0)', 'refunded > 0 and amount > 500', 'amount > 500 and refunded > 0']) {
  const value = compileExpression(text)(facts);
  console.log(text.padEnd(32), value instanceof Error ? `${value.constructor.name}: ${value.message}` : value, '| the rule fires:', value ? 'yes' : 'no');
}
JS
cat >expected.txt <<'TXT'
amount > 50                      true | the rule fires: yes
amount > 500                     false | the rule fires: no
refunded > 0                     UnknownPropertyError: Property “refunded” does not exist. | the rule fires: yes
not (refunded > 0)               UnknownPropertyError: Property “refunded” does not exist. | the rule fires: yes
refunded > 0 and amount > 500    UnknownPropertyError: Property “refunded” does not exist. | the rule fires: yes
amount > 500 and refunded > 0    false | the rule fires: no
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
