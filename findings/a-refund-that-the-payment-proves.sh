#!/usr/bin/env bash
# A refund that never arrived is reported as done, because the payment that it was to give back exists.
# Ran on 2026-12-01: line-pay-merchant 0.9.0, nock 13.5.6, Node 20.
# Guess: after a refund that timed out, the recovery handler of the package reports a refund only if the payment's details list one.
# Seen:  it asks for the details of the payment, finds the payment, and resolves with 0000 and a refundTransactionId: the id of the payment itself. A list of refunds in the details is not read: one refund of 500 that is listed stands for the second one of 300, too. A partial refund that LINE Pay refuses as a duplicate (1198) ends in the same way.
# Why:   the converter for refunds looks for an entry with the payment's id, as the one for confirmations does. A confirmation is proved by that; of a refund it says nothing.
# So:    the shopper waits for money that nobody sent, and the merchant's books have a refund whose id is the payment's. Compare refundList with what was refunded before, or give the handler a converter of your own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent line-pay-merchant@0.9.0 nock@13.5.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
import nock from 'nock';

const require = createRequire(import.meta.url);
const { createLinePayClient, createPaymentDetailsRecoveryHandler, paymentDetailsToRefund } = require('line-pay-merchant');
nock.disableNetConnect();
const payment = '2026120100000000001';
const host = 'https://sandbox-api-pay.line.me';

async function refund(what, answer, refundList) {
  nock.cleanAll();
  let arrived = 0;
  answer(nock(host).post(`/v3/payments/${payment}/refund`), () => { arrived++; });
  nock(host).get('/v3/payments').query(true).reply(200, {
    returnCode: '0000', returnMessage: 'Success.',
    info: [{ transactionId: payment, transactionType: 'PAYMENT', transactionDate: '2026-12-01T09:00:00Z', payInfo: [{ method: 'BALANCE', amount: 800 }], ...(refundList && { refundList }) }],
  });
  const client = createLinePayClient({ channelId: '1', channelSecretKey: 'secret', env: 'development', timeout: 300 });
  client.refund.addHandler(createPaymentDetailsRecoveryHandler(paymentDetailsToRefund));
  const said = await client.refund.send({ transactionId: payment, body: { refundAmount: 300 }, timeout: 300 })
    .then(({ body }) => `resolves with ${body.returnCode}, refundTransactionId ${body.info.refundTransactionId}`)
    .catch((e) => `rejects with ${e.constructor.name} ${e.data?.returnCode ?? ''}`.trim());
  console.log(`${what}: refunds that the provider made of it: ${arrived}; the client ${said}`);
}

await refund('a refund that gets no answer', (r) => r.delay(1000).reply(200, {}));
await refund('the same, after another refund of 500', (r) => r.delay(1000).reply(200, {}), [{ refundTransactionId: '2026120100000000002', transactionType: 'PARTIAL_REFUND', refundAmount: 500 }]);
await refund('a refund that is refused as a duplicate', (r) => r.reply(200, { returnCode: '1198', returnMessage: 'duplicated' }));
await refund('a refund that is refused otherwise', (r) => r.reply(200, { returnCode: '1164', returnMessage: 'more than the balance' }));
await refund('a refund that is made', (r, made) => r.reply(200, () => { made(); return { returnCode: '0000', info: { refundTransactionId: '2026120100000000003' } }; }));
nock.abortPendingRequests();
JS
cat >expected.txt <<'TXT'
a refund that gets no answer: refunds that the provider made of it: 0; the client resolves with 0000, refundTransactionId 2026120100000000001
the same, after another refund of 500: refunds that the provider made of it: 0; the client resolves with 0000, refundTransactionId 2026120100000000001
a refund that is refused as a duplicate: refunds that the provider made of it: 0; the client resolves with 0000, refundTransactionId 2026120100000000001
a refund that is refused otherwise: refunds that the provider made of it: 0; the client rejects with LinePayApiError 1164
a refund that is made: refunds that the provider made of it: 1; the client resolves with 0000, refundTransactionId 2026120100000000003
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
