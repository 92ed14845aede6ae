#!/usr/bin/env bash
# In expr-eval a condition with = instead of == changes the caller's facts, and is true.
# Ran on 2026-11-30: expr-eval 2.0.2; Node 20.
# Guess: Parser.evaluate is a question; a single = is a syntax error, or writes into a copy.
# Seen:  the object that was handed in is changed. The next condition reads the new value.
# Why:   assignment is on unless `operators: {assignment: false}` is given, and variables are the caller's own object. The right side reaches
#        as far as it can: `amount = 0 or …` makes the amount a boolean.
# So:    one slip in a rule marks a failed payment as paid for every rule after it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent expr-eval@2.0.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import expr from 'expr-eval';

const facts = { status: 'failed', amount: 5 };
for (const text of ['status == "paid"', 'status = "paid"', 'status == "paid"', 'amount = 0 or status == "failed"']) {
  console.log(text.padEnd(34), expr.Parser.evaluate(text, facts), JSON.stringify(facts));
}
const strict = new expr.Parser({ operators: { assignment: false } });
try { strict.evaluate('status = "paid"', facts); } catch (e) { console.log('without assignment:', e.message.split(':')[0]); }
JS
cat >expected.txt <<'TXT'
status == "paid"                   false {"status":"failed","amount":5}
status = "paid"                    paid {"status":"paid","amount":5}
status == "paid"                   true {"status":"paid","amount":5}
amount = 0 or status == "failed"   false {"status":"paid","amount":false}
without assignment: parse error [1
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
