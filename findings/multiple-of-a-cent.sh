#!/usr/bin/env bash
# `multipleOf: 0.01` in ajv refuses one amount in seven.
# Ran on 2026-11-30: ajv 8.20.0 beside jsonschema 1.5.0 and is-my-json-valid 2.20.6; Node 20.
# Guess: each amount with two decimals is a multiple of 0.01, as the two other validators say.
# Seen:  of 0.00 to 100.00 ajv refuses 1,363 of 10,001, from 0.07 on; 19.99 passes. The others refuse none.
# Why:   ajv divides floats and asks for a whole result; `multipleOfPrecision` is off unless it is set.
# So:    a gateway that checks bodies by schema refuses some prices and not others. Send minor units, or set multipleOfPrecision.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent ajv@8.20.0 jsonschema@1.5.0 is-my-json-valid@2.20.6
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import Ajv from 'ajv';
import jsonschema from 'jsonschema';
import imjv from 'is-my-json-valid';

const schema = { type: 'number', multipleOf: 0.01 };
const validators = {
  ajv: new Ajv().compile(schema),
  'ajv, multipleOfPrecision 6': new Ajv({ multipleOfPrecision: 6 }).compile(schema),
  jsonschema: (n) => jsonschema.validate(n, schema).valid,
  'is-my-json-valid': imjv(schema),
};
for (const [name, valid] of Object.entries(validators)) {
  const refused = [];
  for (let cents = 0; cents <= 10000; cents++) if (!valid(Number((cents / 100).toFixed(2)))) refused.push(cents / 100);
  console.log(name.padEnd(27), 'refuses', refused.length, refused.slice(0, 4).join(' '));
}
JS
cat >expected.txt <<'TXT'
ajv                         refuses 1363 0.07 0.14 0.28 0.29
ajv, multipleOfPrecision 6  refuses 0 
jsonschema                  refuses 0 
is-my-json-valid            refuses 0 
TXT
node main.mjs 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
