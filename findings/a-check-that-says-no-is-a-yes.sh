#!/usr/bin/env bash
# A check that answers "no" after it has looked in the database lets the payment through; one that throws locks the payment for ever.
# Ran on 2026-11-30: javascript-state-machine 3.1.0, Node 20.
# Guess: a handler before a transition that gives false, at once or as a promise, cancels it; one that throws leaves the machine as it was.
# Seen:  false cancels. `async () => false` does not: the state is paid, and the transition reports true. A rejected promise cancels, and the transition can be fired again. A handler that throws at once cancels too, and from then on each transition is refused as "still in progress".
# Why:   a promise is waited for and its value is not looked at; the mark that a transition is under way is taken off only by what comes back.
# So:    making a check asynchronous switches it off, and no test of the happy path shows it. Reject instead of returning false, and never throw at once.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent javascript-state-machine@3.1.0
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const StateMachine = require('javascript-state-machine');

const checks = {
  'gives false': () => false,
  'gives false in a promise': async () => false,
  'rejects': async () => { throw new Error('over the limit'); },
  'throws': () => { throw new Error('over the limit'); },
};
(async () => {
  for (const [name, check] of Object.entries(checks)) {
    let guard = check;
    const payment = new StateMachine({
      init: 'open',
      transitions: [{ name: 'pay', from: 'open', to: 'paid' }],
      methods: { onBeforePay: () => guard() },
    });
    const pay = async () => payment.pay();
    const first = await pay().catch((error) => `error: ${error.message}`);
    const state = payment.state;
    guard = () => true;
    const second = state === 'open' ? await pay().catch((error) => `error: ${error.message}`) : 'not tried';
    console.log(`a check that ${name}: ${first}, the state is ${state}; with a check that passes: ${second}`);
  }
})();
JS
cat >expected.txt <<'TXT'
a check that gives false: false, the state is open; with a check that passes: true
a check that gives false in a promise: true, the state is paid; with a check that passes: not tried
a check that rejects: error: over the limit, the state is open; with a check that passes: true
a check that throws: error: over the limit, the state is open; with a check that passes: error: transition is invalid while previous transition is still in progress
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
