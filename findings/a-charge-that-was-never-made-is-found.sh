#!/usr/bin/env bash
# Asked for a charge that was never made, a provider's own mock server says that it is paid.
# Ran on 2026-11-30: stripe-mock v0.203.0; Go 1.26.
# Guess: an id that was never given out is not found (404), so a client that lost an answer learns that nothing happened.
# Seen:  each id is found, and it is paid; a test card that is declined pays; one Idempotency-Key makes two charges, of two amounts.
# Why:   the server keeps no state, as its README says: it fills in the requested id in a fixed object.
# So:    the tests of "time out, then ask" and of "repeat under the same key" pass here whatever the client does. They need a mock with a ledger.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod GOBIN=$dir
go install github.com/stripe/stripe-mock@v0.203.0 2>/dev/null
go version -m stripe-mock | grep -E '^.mod' | cut -f 3,4
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
./stripe-mock -http-addr "127.0.0.1:$port" >mock.log 2>&1 &
mock=$!
trap 'kill $mock 2>/dev/null; rm -rf "$dir"' EXIT
for i in $(seq 100); do curl -s -o up.json -u sk_test_123: "http://127.0.0.1:$port/v1/charges/ch_up" && break; sleep 0.2; done
export PORT=$port
cat >main.mjs <<'JS'
const call = async (method, path, body, key) => {
  const r = await fetch(`http://127.0.0.1:${process.env.PORT}/v1/${path}`, {
    method, headers: { Authorization: 'Bearer sk_test_123', ...(key && { 'Idempotency-Key': key }) }, body: body && new URLSearchParams(body),
  });
  const o = await r.json();
  return { status: r.status, ...o };
};
const show = (what, o) => console.log(`${what}: ${o.status === 'succeeded' ? 200 : o.status} ${o.object}, paid ${o.paid}, amount ${o.amount}`);

const never = await call('GET', 'charges/ch_never_made');
show('asked for ch_never_made', never);
console.log('  its id:', never.id);
show('a card that is declined', await call('POST', 'charges', { amount: 15000, currency: 'vnd', source: 'tok_chargeDeclined' }));
const one = await call('POST', 'charges', { amount: 15000, currency: 'vnd', source: 'tok_visa' }, 'order-7');
const two = await call('POST', 'charges', { amount: 99, currency: 'usd', source: 'tok_visa' }, 'order-7');
console.log(`one key, twice: amounts ${one.amount} and ${two.amount}, the same charge: ${one.id === two.id}`);
JS
cat >expected.txt <<'TXT'
asked for ch_never_made: 200 charge, paid true, amount 100
  its id: ch_never_made
a card that is declined: 200 charge, paid true, amount 15000
one key, twice: amounts 15000 and 99, the same charge: false
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
