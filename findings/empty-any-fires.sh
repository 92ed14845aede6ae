#!/usr/bin/env bash
# In json-rules-engine a rule whose list of alternatives is empty fires for everything.
# Ran on 2026-11-29: json-rules-engine 7.3.1 beside json-logic-js 2.0.5; Node 20.
# Guess: `any: []` is false, as [].some() is and as "or" of nothing is in logic; only `all: []` is true.
# Seen:  both are true, also when the empty `any` is one of several conditions. `not: {any: []}` is false.
# Why:   Rule.prioritizeAndRun returns true for an empty list before it looks at the operator.
# So:    "refund without review if any of these merchants": the list is built from a database, the last merchant is
#        removed, and the rule then holds for all merchants. Refuse empty lists when rules are loaded.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent json-rules-engine@7.3.1 json-logic-js@2.0.5
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { Engine } from 'json-rules-engine';
import logic from 'json-logic-js';

const facts = { amount: 120000, merchant: 'acme' };
const fires = async (conditions) => {
  const engine = new Engine();
  engine.addRule({ conditions, event: { type: 'refund-without-review' } });
  return (await engine.run(facts)).events.length > 0;
};
const small = { fact: 'amount', operator: 'lessThan', value: 1000000 };
const merchants = (...names) => ({ any: names.map((value) => ({ fact: 'merchant', operator: 'equal', value })) });
console.log('small, any of [bravo, charlie]:', await fires({ all: [small, merchants('bravo', 'charlie')] }));
console.log('small, any of [bravo]:         ', await fires({ all: [small, merchants('bravo')] }));
console.log('small, any of []:              ', await fires({ all: [small, merchants()] }));
console.log('any of [] alone:               ', await fires(merchants()));
console.log('not any of []:                 ', await fires({ all: [{ not: merchants() }] }));
console.log('[].some(), json-logic some []: ', [].some(() => true), logic.apply({ some: [[], true] }));
JS
cat >expected.txt <<'TXT'
small, any of [bravo, charlie]: false
small, any of [bravo]:          false
small, any of []:               true
any of [] alone:                true
not any of []:                  false
[].some(), json-logic some []:  false false
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
