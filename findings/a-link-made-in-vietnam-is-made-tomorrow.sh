#!/usr/bin/env bash
# A payment link gets a creation time of seven hours ahead, if the server stands in Vietnam.
# Ran on 2026-11-30: vnpay 2.5.0; Node 20.
# Guess: vnp_CreateDate is Vietnam's time, wherever the server stands; vnp_ExpireDate made with the package's dateFormat lies 15 minutes after it.
# Seen:  on a server in UTC the creation time is right, and the expiry lies 6 h 45 min before it; in Vietnam the expiry is right, and the creation time lies 7 hours ahead, so again after the expiry.
# Why:   the default adds seven hours to the clock and then prints it in the server's own zone; dateFormat only prints it in the server's own zone.
# So:    there is no zone in which both are right; each link is expired before it exists. Give both dates, made by the same means.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent vnpay@2.5.0
npm ls --depth 0 | tail -n +2
for_zones() { for zone in UTC Asia/Ho_Chi_Minh Asia/Singapore; do TZ=$zone node "$1"; done; }
cat >main.mjs <<'JS'
import { VNPay } from 'vnpay';
import { dateFormat } from 'vnpay/utils';

const vnpay = new VNPay({ tmnCode: 'SHOP', secureSecret: 'secret', vnpayHost: 'https://pay.example', testMode: true });
const url = vnpay.buildPaymentUrl({ vnp_Amount: 150000, vnp_IpAddr: '127.0.0.1', vnp_TxnRef: 'A-17', vnp_OrderInfo: 'A-17', vnp_ReturnUrl: 'https://shop.example', vnp_ExpireDate: dateFormat(new Date(Date.now() + 15 * 60000)) });
const { searchParams } = new URL(url);
const vietnam = (name) => {
  const [, y, mo, d, h, mi] = /^(....)(..)(..)(..)(..)/.exec(searchParams.get(name));
  return Math.round((Date.parse(`${y}-${mo}-${d}T${h}:${mi}:00+07:00`) - Date.now()) / 900000) / 4;
};
console.log(`${process.env.TZ}: created ${vietnam('vnp_CreateDate')} h from now, expires ${vietnam('vnp_ExpireDate')} h from now`);
JS
cat >expected.txt <<'TXT'
UTC: created 0 h from now, expires -6.75 h from now
Asia/Ho_Chi_Minh: created 7 h from now, expires 0.25 h from now
Asia/Singapore: created 8 h from now, expires 1.25 h from now
TXT
for_zones main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
