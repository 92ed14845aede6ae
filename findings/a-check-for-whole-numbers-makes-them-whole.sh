#!/usr/bin/env bash
# An amount of 19.99 passes a check for whole numbers, as 19.
# Ran on 2026-12-01: @sinclair/typebox 0.34.52 beside typebox 1.4.3, ajv 8.20.0 with coerceTypes and zod 4.6.7, Node 20.
# Guess: parsing 19.99 or "19.99" as an integer fails, as checking it does.
# Seen:  Value.Check says no, and Value.Parse gives 19, without an error; "1e3" is 1, true is 1. typebox 1, its successor, refuses all of them; ajv and zod refuse 19.99 and "19.99", and read "1e3" as 1000.
# Why:   Parse converts before it checks, and the conversion to an integer cuts off what does not fit.
# So:    a service that takes amounts in minor units and is sent major ones by mistake books 19 for 1999 instead of refusing it, and a price of "1e3" is 1. Check before you convert, or multiply and check.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @sinclair/typebox@0.34.52 typebox@1.4.3 ajv@8.20.0 zod@4.6.7
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import Ajv from 'ajv';
import { Type as Type1 } from 'typebox';
import { Value as Value1 } from 'typebox/value';
import { z } from 'zod';

const body = new Ajv.default({ coerceTypes: true }).compile({ type: 'object', properties: { amount: { type: 'integer' } } });
const parsers = {
  'typebox 0.34': (v) => Value.Parse(Type.Integer(), v),
  'typebox 1': (v) => Value1.Parse(Type1.Integer(), v),
  ajv: (v) => { const data = { amount: v }; if (!body(data)) throw new Error('refused'); return data.amount; },
  zod: (v) => z.coerce.number().int().parse(v),
};
for (const [name, parse] of Object.entries(parsers)) {
  const all = [19.99, '19.99', '1e3', '0x10', true].map((v) => {
    try { return `${JSON.stringify(v)} is ${parse(v)}`; } catch { return `${JSON.stringify(v)} is refused`; }
  });
  console.log(`${name}: ${all.join(', ')}`);
}
console.log(`typebox 0.34, Check of 19.99: ${Value.Check(Type.Integer(), 19.99)}`);
JS
cat >expected.txt <<'TXT'
typebox 0.34: 19.99 is 19, "19.99" is 19, "1e3" is 1, "0x10" is 16, true is 1
typebox 1: 19.99 is refused, "19.99" is refused, "1e3" is refused, "0x10" is refused, true is refused
ajv: 19.99 is refused, "19.99" is refused, "1e3" is 1000, "0x10" is 16, true is 1
zod: 19.99 is refused, "19.99" is refused, "1e3" is 1000, "0x10" is 16, true is 1
typebox 0.34, Check of 19.99: false
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
