#!/usr/bin/env bash
# The reference of a bank transfer is another one after the statement was parsed, and two transfers share it.
# Ran on 2026-11-30: fast-xml-parser 5.12.1 (its default settings) beside xml2js 0.6.2, Node 20.
# Guess: the text of an XML element is its text.
# Seen:  of camt.053 references 0012 is 12, 12E5 is 1200000, 0x1F is 31, 000123456789 is 123456789 and +84901234567 loses its sign; 0b11, 17 digits and more stay texts. A statement with one entry has an object where one with two has a list, and its length is undefined. xml2js keeps all texts, and a list of one.
# Why:   parseTagValue is on by default, and what looks like a number becomes one, exponents and hexadecimals too, as long as its digits survive.
# So:    a payment is matched with the order of another reference, or with none; the field's type depends on the bank's counter. Set parseTagValue: false, and isArray for Ntry.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent fast-xml-parser@5.12.1 xml2js@0.6.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { XMLParser } from 'fast-xml-parser';
import xml2js from 'xml2js';

const statement = (ids) => `<Stmt>${ids.map((id) => `<Ntry><Amt Ccy="EUR">19.90</Amt><EndToEndId>${id}</EndToEndId></Ntry>`).join('')}</Stmt>`;
const ids = ['0012', '12E5', '0x1F', '000123456789', '+84901234567', '0b11', '20261130123456789', 'A-17'];
const entries = new XMLParser({ ignoreAttributes: false }).parse(statement(ids)).Stmt.Ntry;
const others = (await xml2js.parseStringPromise(statement(ids))).Stmt.Ntry;
ids.forEach((id, i) => console.log(`${id}: fast-xml-parser ${JSON.stringify(entries[i].EndToEndId)}, xml2js ${JSON.stringify(others[i].EndToEndId[0])}`));
console.log(`amount 19.90: ${JSON.stringify(entries[0].Amt['#text'])} beside ${JSON.stringify(others[0].Amt[0]._)}`);
for (const n of [1, 2]) console.log(`${n} entries: length ${new XMLParser().parse(statement(ids.slice(0, n))).Stmt.Ntry.length} beside ${(await xml2js.parseStringPromise(statement(ids.slice(0, n)))).Stmt.Ntry.length}`);
JS
cat >expected.txt <<'TXT'
0012: fast-xml-parser 12, xml2js "0012"
12E5: fast-xml-parser 1200000, xml2js "12E5"
0x1F: fast-xml-parser 31, xml2js "0x1F"
000123456789: fast-xml-parser 123456789, xml2js "000123456789"
+84901234567: fast-xml-parser 84901234567, xml2js "+84901234567"
0b11: fast-xml-parser "0b11", xml2js "0b11"
20261130123456789: fast-xml-parser "20261130123456789", xml2js "20261130123456789"
A-17: fast-xml-parser "A-17", xml2js "A-17"
amount 19.90: 19.9 beside "19.90"
1 entries: length undefined beside 1
2 entries: length 2 beside 2
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
