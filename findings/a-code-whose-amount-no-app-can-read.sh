#!/usr/bin/env bash
# A QR code for 79000 dong has no readable amount, and a right checksum.
# Ran on 2026-12-01: vietnam-qr-pay 1.5.1, promptpay-js 1.0.7, paynowqr 1.1.2 beside promptpay-qr 0.5.0 and bakong-khqr 1.0.20, Node 20.
# Guess: the number 79000 makes the same code as the text "79000", or is refused, and an amount of 0.1 + 0.2 is written as 0.30.
# Seen:  with a number vietnam-qr-pay writes the amount's length as "ed" (the end of the word undefined) and promptpay-js as "undefined". The first one's own parser finds no amount in it. paynowqr writes 0.30000000000000004 and 19.999. All three add a checksum that is right. promptpay-qr writes a number with two decimals and refuses the text, bakong-khqr refuses what has more.
# Why:   the length is taken from a text's property that a number does not have, and a number is written as JavaScript prints it.
# So:    a service that passes an amount from JSON prints codes that each bank's app reads otherwise: as damaged, as a code without an amount, or with one of its own. Pass the text with the currency's decimals, and parse each code before you show it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent vietnam-qr-pay@1.5.1 promptpay-js@1.0.7 paynowqr@1.1.2 promptpay-qr@0.5.0 bakong-khqr@1.0.20
npm ls --depth 0 | tail -n +2
cat >main.cjs <<'JS'
const { BakongKHQR, IndividualInfo, khqrData } = require('bakong-khqr');
const PaynowQR = require('paynowqr');
const promptpay = require('promptpay-js');
const promptpayQr = require('promptpay-qr');
const { QRPay } = require('vietnam-qr-pay');

const makers = {
  'vietnam-qr-pay': (amount) => QRPay.initVietQR({ bankBin: '970415', bankNumber: '113366668888', amount }).build(),
  'promptpay-js': (amount) => promptpay.generate({ method: 'QR_DYNAMIC', application: 'PROMPTPAY_CREDIT_TRANSFER', mobileNumber: '0066800000000', currencyCode: '764', countryCode: 'TH', amount }),
  paynowqr: (amount) => new PaynowQR({ uen: '200000000A', amount, expiry: '20301231', company: 'SHOP' }).output(),
  'promptpay-qr': (amount) => promptpayQr('0800000000', { amount }),
  'bakong-khqr': (amount) => {
    const { data } = new BakongKHQR().generateIndividual(new IndividualInfo('shop@bank', 'Shop', 'Phnom Penh', { currency: khqrData.currency.usd, amount, expirationTimestamp: Date.now() + 600000 }));
    if (!data) throw new Error('refused');
    return data.qr;
  },
};
// CRC-16 of EMV: the last four digits, over all before them.
const right = (code) => {
  let crc = 0xffff;
  for (const byte of Buffer.from(code.slice(0, -4))) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = ((crc & 0x8000 ? 0x1021 : 0) ^ (crc << 1)) & 0xffff;
  }
  return code.slice(-4).toUpperCase() === crc.toString(16).toUpperCase().padStart(4, '0');
};
for (const [name, make] of Object.entries(makers)) {
  const all = ['79000', 79000, 0.1 + 0.2, 19.999].map((amount) => {
    try {
      const code = make(amount);
      // The amount's field is 54, and stands behind the currency's, 53, before the country's, 58, or the checksum.
      return `${JSON.stringify(amount)} is ${code.match(/5303\d{3}54(.*?)(?:5802|6304....$)/)[1].replace(/^(\d\d)(?=.)/, '$1:')}, checksum ${right(code) ? 'right' : 'wrong'}`;
    } catch {
      return `${JSON.stringify(amount)} is refused`;
    }
  });
  console.log(`${name}: ${all.join('; ')}`);
}
const read = (f) => { try { return String(f()); } catch { return 'an error'; } };
console.log(`vietnam-qr-pay reads its code for the number: amount ${read(() => new QRPay(makers['vietnam-qr-pay'](79000)).amount)}, for the text: ${read(() => new QRPay(makers['vietnam-qr-pay']('79000')).amount)}`);
process.exit();
JS
cat >expected.txt <<'TXT'
vietnam-qr-pay: "79000" is 05:79000, checksum right; 79000 is ed79000, checksum right; 0.30000000000000004 is ed0.30000000000000004, checksum right; 19.999 is ed19.999, checksum right
promptpay-js: "79000" is 05:79000, checksum right; 79000 is undefined79000, checksum right; 0.30000000000000004 is undefined0.30000000000000004, checksum right; 19.999 is undefined19.999, checksum right
paynowqr: "79000" is 05:79000, checksum right; 79000 is 05:79000, checksum right; 0.30000000000000004 is 19:0.30000000000000004, checksum right; 19.999 is 06:19.999, checksum right
promptpay-qr: "79000" is refused; 79000 is 08:79000.00, checksum right; 0.30000000000000004 is 04:0.30, checksum right; 19.999 is 05:20.00, checksum right
bakong-khqr: "79000" is 05:79000, checksum right; 79000 is 05:79000, checksum right; 0.30000000000000004 is refused; 19.999 is refused
vietnam-qr-pay reads its code for the number: amount undefined, for the text: 79000
TXT
node main.cjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
