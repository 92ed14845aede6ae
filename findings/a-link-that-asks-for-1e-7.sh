#!/usr/bin/env bash
# A payment link for ten satoshi asks for "1e-7", which no decimal reader of the standard takes.
# Ran on 2026-12-01: bip21 3.0.0, @psf/bip21 2.0.1, Node 20.
# Guess: a library that writes BIP 21 links writes an amount of 0.0000001 in digits, as the standard has them, or refuses it.
# Seen:  it writes `amount=1e-7`, from 99 satoshi down; 0.1 + 0.2 is `amount=0.30000000000000004`, which is no number of satoshi. The same amounts as texts are left as they are, and toFixed(8) is right.
# Why:   the number is written as JavaScript prints it; nothing checks what was written.
# So:    refunds and tips of less than 100 satoshi make a link, or a QR code, that another wallet may refuse or read as 1. Give the amount as a text of toFixed(8).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent bip21@3.0.0 @psf/bip21@2.0.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const load = async (name) => {
  try { return require(name); } catch { return import(name); }
};
const address = '1BoatSLRHtKNngkdXEeobR76b53LETtpyT';
for (const name of ['bip21', '@psf/bip21']) {
  const library = await load(name);
  const { encode } = library.encode ? library : library.default;
  for (const amount of [0.5, 0.000001, 0.00000099, 0.0000001, 0.1 + 0.2, (0.0000001).toFixed(8)]) {
    console.log(`${name}, ${typeof amount} ${amount}: ${encode(address, { amount }).split('?')[1]}`);
  }
}
JS
cat >expected.txt <<'TXT'
bip21, number 0.5: amount=0.5
bip21, number 0.000001: amount=0.000001
bip21, number 9.9e-7: amount=9.9e-7
bip21, number 1e-7: amount=1e-7
bip21, number 0.30000000000000004: amount=0.30000000000000004
bip21, string 0.00000010: amount=0.00000010
@psf/bip21, number 0.5: amount=0.5
@psf/bip21, number 0.000001: amount=0.000001
@psf/bip21, number 9.9e-7: amount=9.9e-7
@psf/bip21, number 1e-7: amount=1e-7
@psf/bip21, number 0.30000000000000004: amount=0.30000000000000004
@psf/bip21, string 0.00000010: amount=0.00000010
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
