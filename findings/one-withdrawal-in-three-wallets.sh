#!/usr/bin/env bash
# 1.9999999 of a coin with six decimals is 2, 1.999999 or an error.
# Ran on 2026-12-01: viem 2.57.20, web3-utils 4.3.3, ethers 6.17.0, Node 20.
# Guess: an amount with more decimals than the coin has is refused, or cut off, as no more can be paid than there is.
# Seen:  ethers refuses. viem rounds up: 1.9999999 is 2000000, 999999999.9999999 is a thousand million, 0.0000005 is 1. web3-utils cuts off: 1999999, and 0.0000005 is the empty text, which Number and BigInt read as 0. An empty text is an amount of 0 for it, too.
# Why:   viem rounds the decimals behind the last one to the nearest, which no page of its manual says; web3 takes the first six.
# So:    a payout of all that a customer has, computed with a fee or a rate, asks for one unit more than there is, and is refused by the chain after the fee for trying; the book of one service differs from that of another by a unit a payment. Round down to the coin's decimals before these functions, and compare.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent viem@2.57.20 web3-utils@4.3.3 ethers@6.17.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { parseUnits as withEthers } from 'ethers';
import { parseUnits as withViem } from 'viem';
import { toWei } from 'web3-utils';

const readers = { viem: (text) => withViem(text, 6), 'web3-utils': (text) => toWei(text, 'mwei'), ethers: (text) => withEthers(text, 6) };
for (const text of ['1.5', '1.9999999', '-1.9999999', '999999999.9999999', '0.0000005', '']) {
  const seen = Object.entries(readers).map(([name, read]) => {
    try {
      const units = read(text);
      return `${name} ${units === '' ? 'the empty text' : units}`;
    } catch {
      return `${name} refused`;
    }
  });
  console.log(`${JSON.stringify(text)}: ${seen.join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
"1.5": viem 1500000, web3-utils 1500000, ethers 1500000
"1.9999999": viem 2000000, web3-utils 1999999, ethers refused
"-1.9999999": viem -2000000, web3-utils -1999999, ethers refused
"999999999.9999999": viem 1000000000000000, web3-utils 999999999999999, ethers refused
"0.0000005": viem 1, web3-utils the empty text, ethers refused
"": viem refused, web3-utils 0, ethers refused
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
