#!/usr/bin/env bash
# A payment code that one library makes is refused by another, though both compute `CRC-16 CCITT`.
# Ran on 2026-11-30: crc 4.3.2, crc16-ccitt-node 1.0.6, crc-full 1.1.0 (Node 20), howeyc/crc16 20171223, sigurn/crc16 20211026 (Go 1.26), binascii of Python 3.11.
# Guess: a function of that name gives the checksum that EMV payment codes (VietQR, QRIS, PromptPay) ask for: polynomial 1021, start FFFF, 29B1 for 123456789.
# Seen:  npm's crc gives 29B1, crc16-ccitt-node and Go's howeyc/crc16 906E, Python's crc_hqx, which its manual calls CRC-CCITT, 31C3 unless it is started with FFFF. `IBM` of howeyc is B4C8, where crc16 of npm's crc is BB3D.
# Why:   CCITT names a polynomial; the start value, the direction of the bits and a last inversion are each library's own choice.
# So:    the code can be scanned, and the wallet says that it is invalid. Test the function with 123456789 before its first use; the name to look for is CCITT-FALSE.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent crc@4.3.2 crc16-ccitt-node@1.0.6 crc-full@1.1.0
npm ls --depth 0 | tail -n +2
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get github.com/howeyc/crc16@v0.0.0-20171223171357-2b2a61e366a6 github.com/sigurn/crc16@v0.0.0-20211026045750-20ab5afb07e3 2>&1 | grep crc16 || true
cat >main.cjs <<'JS'
const { CRC } = require('crc-full');
const { getCrc16 } = require('crc16-ccitt-node');
const crc = require('crc');

const b = Buffer.from('123456789');
const hex = (n) => n.toString(16).toUpperCase();
console.log(`crc: crc16ccitt ${hex(crc.crc16ccitt(b))}, crc16xmodem ${hex(crc.crc16xmodem(b))}, crc16 ${hex(crc.crc16(b))}`);
console.log(`crc16-ccitt-node: getCrc16 ${hex(getCrc16(b))}`);
console.log(`crc-full: ${['CRC16_CCIT_ZERO', 'CRC16_CCITT_FALSE'].map((n) => `${n} ${hex(CRC.default(n).compute(b))}`).join(', ')}`);
JS
cat >main.go <<'GO'
package main

import (
	"fmt"

	howeyc "github.com/howeyc/crc16"
	sigurn "github.com/sigurn/crc16"
)

func main() {
	b := []byte("123456789")
	fmt.Printf("howeyc: ChecksumCCITT %X, ChecksumCCITTFalse %X, ChecksumIBM %X\n", howeyc.ChecksumCCITT(b), howeyc.ChecksumCCITTFalse(b), howeyc.ChecksumIBM(b))
	fmt.Printf("sigurn: CRC16_CCITT_FALSE %X\n", sigurn.Checksum(b, sigurn.MakeTable(sigurn.CRC16_CCITT_FALSE)))
}
GO
go mod tidy >/dev/null 2>&1
cat >main.py <<'PY'
import binascii

print('binascii: crc_hqx from 0 %X, from FFFF %X' % (binascii.crc_hqx(b'123456789', 0), binascii.crc_hqx(b'123456789', 0xFFFF)))
PY
all() { node main.cjs && go run . && python3 main.py; }
cat >expected.txt <<'TXT'
crc: crc16ccitt 29B1, crc16xmodem 31C3, crc16 BB3D
crc16-ccitt-node: getCrc16 906E
crc-full: CRC16_CCIT_ZERO 31C3, CRC16_CCITT_FALSE 29B1
howeyc: ChecksumCCITT 906E, ChecksumCCITTFalse 29B1, ChecksumIBM B4C8
sigurn: CRC16_CCITT_FALSE 29B1
binascii: crc_hqx from 0 31C3, from FFFF 29B1
TXT
all 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
