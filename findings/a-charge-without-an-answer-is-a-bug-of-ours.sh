#!/usr/bin/env bash
# A charge whose answer was lost looks like a bug in one's own code, or like an answer.
# Ran on 2026-12-01: razorpay 2.9.8, @paypayopa/paypayopa-sdk-node 2.2.0, wechatpay-node-v3 2.2.1, omise 1.1.0, iyzipay 2.0.69, flutterwave-node-v3 1.4.1, xendit-node 7.0.0 beside midtrans-client 1.4.3, Node 20.
# Guess: a provider's client rejects when the connection breaks, with a code, and when the provider answers 502 or 503, with that status.
# Seen:  a broken connection is a TypeError "Cannot read properties of undefined" from razorpay, and an answer without a status from paypay and wechatpay. A proxy's page with 502 is a TypeError "Body is unusable" from xendit and flutterwave, and an answer from paypay, wechatpay and iyzipay. A 503 with JSON is an answer of omise, iyzipay and flutterwave too. Only midtrans rejects all three with what happened.
# Why:   the code for errors reads the answer's status, or its body a second time, where there is none; others decide by a field of the body.
# So:    who takes a TypeError for a bug fails the order, and who has no try around `await` that resolves ships it; the payer may have paid. Treat each of these as unknown, and query.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export TMPDIR=$dir
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent razorpay@2.9.8 @paypayopa/paypayopa-sdk-node@2.2.0 wechatpay-node-v3@2.2.1 omise@1.1.0 iyzipay@2.0.69 flutterwave-node-v3@1.4.1 xendit-node@7.0.0 midtrans-client@1.4.3
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const crypto = require('crypto');
const http = require('http');
const https = require('https');

// Each client is led to a server of this script, those with a fixed address by way of https.request.
let mode, port;
const server = http.createServer((request, response) => {
  request.resume().on('end', () => {
    if (mode === 'broken') return request.socket.resetAndDestroy();
    if (mode === '502 page') return response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"message":"unavailable"}');
  });
});
const send = http.request;
https.request = (options, callback) => send({ method: options.method, path: options.path, headers: options.headers, host: '127.0.0.1', port }, callback);
const print = console.log;
console.log = console.error = () => {};

const text = (v) => {
  if (typeof v === 'string') return `the text ${v.slice(0, 6)}...`;
  const parts = [];
  for (const name of ['STATUS', 'status', 'statusCode', 'httpStatusCode', 'code', 'message']) {
    let value = v[name];
    if (v.name === 'MidtransError' && name === 'message') value = /connection failure/.test(value) ? 'likely connection failure' : 'API error';
    if (value !== undefined && value !== null) parts.push(`${name} ${value}`);
  }
  return `${v instanceof Error ? v.name : 'an object'} with ${parts.join(', ') || 'no status'}`;
};
server.listen(0, '127.0.0.1', async () => {
  port = server.address().port;
  const at = `http://127.0.0.1:${port}`;
  const amount = { amount: 1999, currency: 'JPY' };
  const pem = { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } };
  const key = Buffer.from(crypto.generateKeyPairSync('rsa', pem).privateKey);
  const razorpay = new (require('razorpay'))({ key_id: 'k', key_secret: 's' });
  razorpay.api.rq.defaults.baseURL = at;
  const paypay = require('@paypayopa/paypayopa-sdk-node');
  paypay.Configure({ clientId: 'c', clientSecret: 's', merchantId: 'm', productionMode: false });
  const wechat = new (require('wechatpay-node-v3'))({ appid: 'a', mchid: '7', publicKey: Buffer.from('x'), privateKey: key, serial_no: '7' });
  const omise = require('omise')({ secretKey: 's' });
  const iyzipay = new (require('iyzipay'))({ apiKey: 'a', secretKey: 's', uri: at });
  const flutterwave = new (require('flutterwave-node-v3'))('FLWPUBK_TEST-x', 'FLWSECK_TEST-x', `${at}/`);
  const xendit = new (require('xendit-node').Xendit)({ secretKey: 'xnd_x', xenditURL: at });
  const midtrans = new (require('midtrans-client').CoreApi)({ isProduction: false, serverKey: 's', clientKey: 'c' });
  midtrans.httpClient.http_client.interceptors.request.use((config) => Object.assign(config, { url: `${at}/charge` }));
  const charges = {
    razorpay: () => razorpay.payments.capture('pay_7', 1999, 'INR'),
    paypay: () => paypay.CreatePayment({ merchantPaymentId: 'order-7', amount }),
    wechatpay: () => wechat.refunds({ out_trade_no: 'order-7', out_refund_no: 'refund-7', amount: { refund: 1999, total: 1999, currency: 'CNY' } }),
    omise: () => omise.charges.create({ amount: 1999, currency: 'thb' }),
    iyzipay: () => new Promise((done, fail) => { iyzipay.refund.create({ price: '19.99', paymentTransactionId: '7', currency: 'TRY' }, (error, answer) => (error ? fail(error) : done(answer))); }),
    flutterwave: () => flutterwave.Transfer.initiate({ account_bank: '044', account_number: '0690000040', amount: 1999, currency: 'NGN', narration: 'order-7' }),
    xendit: () => xendit.PaymentRequest.createPaymentRequest({ data: { referenceId: 'order-7', amount: 1999, currency: 'IDR' } }),
    midtrans: () => midtrans.charge({ payment_type: 'gopay', transaction_details: { order_id: 'order-7', gross_amount: 1999 } }),
  };
  for (const [name, charge] of Object.entries(charges)) {
    for (mode of ['broken', '502 page', '503 JSON']) {
      print(`${name}, ${mode}: ${await charge().then((v) => `resolves to ${text(v)}`, (e) => `rejects with ${text(e)}`)}`);
    }
  }
  process.exit();
});
JS
cat >expected.txt <<'TXT'
razorpay, broken: rejects with TypeError with message Cannot read properties of undefined (reading 'status')
razorpay, 502 page: rejects with an object with statusCode 502
razorpay, 503 JSON: rejects with an object with statusCode 503
paypay, broken: resolves to an object with no status
paypay, 502 page: resolves to an object with STATUS 500
paypay, 503 JSON: resolves to an object with STATUS 503
wechatpay, broken: resolves to an object with no status
wechatpay, 502 page: resolves to an object with status 502
wechatpay, 503 JSON: resolves to an object with status 503
omise, broken: rejects with Error with code ECONNRESET, message read ECONNRESET
omise, 502 page: rejects with the text <html>...
omise, 503 JSON: resolves to an object with message unavailable
iyzipay, broken: rejects with Error with code ECONNRESET, message read ECONNRESET
iyzipay, 502 page: resolves to the text <html>...
iyzipay, 503 JSON: resolves to an object with message unavailable
flutterwave, broken: rejects with TypeError with message fetch failed
flutterwave, 502 page: rejects with TypeError with message Body is unusable: Body has already been read
flutterwave, 503 JSON: resolves to an object with message unavailable
xendit, broken: rejects with TypeError with message fetch failed
xendit, 502 page: rejects with TypeError with message Body is unusable: Body has already been read
xendit, 503 JSON: rejects with XenditSdkError with status 503, message [Xendit SDK Error] 503 Service Unavailable
midtrans, broken: rejects with MidtransError with message likely connection failure
midtrans, 502 page: rejects with MidtransError with httpStatusCode 502, message API error
midtrans, 503 JSON: rejects with MidtransError with httpStatusCode 503, message API error
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
