#!/usr/bin/env bash
# A request whose amount is null is a request for 0, and one whose amount is true asks for 1.
# Ran on 2026-11-30: fastify 5.12.8 (its default settings), zod 4.6.7 (z.coerce), joi 18.3.2, yup 1.7.1; Node 20.
# Guess: a schema that says `integer, at least 0, required` refuses null, true, false and lists in a JSON body.
# Seen:  fastify reads null and false as 0, true as 1, [100] as 100, and "0x10" as 16; z.coerce.number() reads an empty text and an empty list as 0 besides. joi refuses all of these but texts of decimal digits; yup takes [100] and "0x10".
# Why:   fastify converts types for bodies as for query strings, by default; z.coerce is JavaScript's Number().
# So:    a refund whose amount was lost on the way is a refund of nothing that succeeds. Set ajv's coerceTypes: false for bodies, and require a number.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent fastify@5.12.8 zod@4.6.7 joi@18.3.2 yup@1.7.1
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import Fastify from 'fastify';
import Joi from 'joi';
import * as yup from 'yup';
import { z } from 'zod';

const app = Fastify();
app.post('/', { schema: { body: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer', minimum: 0 } } } } }, async (r) => ({ amount: r.body.amount }));
const joi = Joi.object({ amount: Joi.number().integer().min(0).required() });
const yupped = yup.object({ amount: yup.number().integer().min(0).required() });
const zodded = z.object({ amount: z.coerce.number().int().min(0) });
const readers = {
  fastify: async (body) => {
    const r = await app.inject({ method: 'POST', url: '/', payload: body, headers: { 'content-type': 'application/json' } });
    if (r.statusCode !== 200) throw new Error('refused');
    return r.json();
  },
  'z.coerce': (body) => zodded.parse(JSON.parse(body)),
  joi: (body) => Joi.attempt(JSON.parse(body), joi),
  yup: (body) => yupped.validateSync(JSON.parse(body)),
};
for (const amount of ['null', 'false', 'true', '""', '[]', '[100]', '"0x10"', '"100"']) {
  const said = [];
  for (const [name, read] of Object.entries(readers)) {
    try { said.push(`${name} ${(await read(`{"amount":${amount}}`)).amount}`); } catch { said.push(`${name} refuses`); }
  }
  console.log(`${amount}: ${said.join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
null: fastify 0, z.coerce 0, joi refuses, yup refuses
false: fastify 0, z.coerce 0, joi refuses, yup refuses
true: fastify 1, z.coerce 1, joi refuses, yup refuses
"": fastify refuses, z.coerce 0, joi refuses, yup refuses
[]: fastify refuses, z.coerce 0, joi refuses, yup refuses
[100]: fastify 100, z.coerce 100, joi refuses, yup 100
"0x10": fastify 16, z.coerce 16, joi refuses, yup 16
"100": fastify 100, z.coerce 100, joi 100, yup 100
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
