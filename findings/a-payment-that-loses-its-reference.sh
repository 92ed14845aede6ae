#!/usr/bin/env bash
# Asking the provider how a payment stands takes the reference out of one's own record.
# Ran on 2026-12-01: paystack-api 2.0.6, Node 20.
# Guess: a client's call leaves the object that it was given as it was, and an argument that is missing rejects the promise.
# Seen:  transaction.verify(payment) asks for the reference and deletes it from the object. The second verify(payment) throws that the reference is required, and throws at once instead of rejecting, so that a .catch behind it does not run. customer.update takes the customer's code away, and a retry of an update that had a 503 cannot be made.
# Why:   what stands in the address is deleted from the caller's object, so that it is not sent in the body too.
# So:    a loop that polls with one object asks once, and ends in an error of one's own code while the payment is pending; a record that is saved after the question is saved without the key by which it could be found. Hand a copy to each call: verify({ ...payment }).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent paystack-api@2.0.6 >/dev/null 2>&1
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const http = require('node:http');
const paystack = require('paystack-api');

const server = http.createServer((request, response) => {
  console.log(`the provider sees ${request.method} ${request.url}`);
  response.writeHead(request.method === 'PUT' ? 503 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data: { status: 'pending' } }));
}).listen(0, '127.0.0.1', async () => {
  const client = paystack('sk_test_x');
  client.endpoint = `http://127.0.0.1:${server.address().port}`;
  const twice = async (name, call, record) => {
    for (let i = 1; i <= 2; i++) {
      let seen;
      try {
        seen = await call(record).then(({ data }) => data.status).catch(({ statusCode }) => `rejected with ${statusCode}`);
      } catch ({ message }) {
        seen = `thrown: ${message}`;
      }
      console.log(`${name} ${i}: ${seen}; the record is now ${JSON.stringify(record)}`);
    }
  };
  await twice('verify', (payment) => client.transaction.verify(payment), { reference: 'A-17', amount: 2500 });
  await twice('update', (customer) => client.customer.update(customer), { id: 'CUS_1', first_name: 'An' });
  server.close();
});
JS
cat >expected.txt <<'TXT'
the provider sees GET /transaction/verify/A-17
verify 1: pending; the record is now {"amount":2500}
verify 2: thrown: Argument 'reference' is required; the record is now {"amount":2500}
the provider sees PUT /customer/CUS_1
update 1: rejected with 503; the record is now {"first_name":"An"}
update 2: thrown: Argument 'id' is required; the record is now {"first_name":"An"}
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
