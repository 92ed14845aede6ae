#!/usr/bin/env bash
# A limit of 1,500,000 in the environment is checked, found valid, and is 1.
# Ran on 2026-12-01: envalid 8.2.0, convict 6.2.5 beside env-var 7.5.0, env-schema 8.0.0, Node 20.
# Guess: a library that checks the environment at the start refuses a number that it cannot read to its end, or reads all of it.
# Seen:  envalid's num() and each of convict's number formats take 1,500,000 and 1_500_000 for 1, 1.500.000 for 1.5 or 1, 10s and 10m for 10, and 0x10 for 0. For convict's int and nat 5e6 is 5. No error, and strict validation passes. env-var and env-schema refuse, but env-schema takes 0x10 for 16.
# Why:   parseFloat and parseInt stop at the first character that they do not know; the check runs on what they gave, not on the text.
# So:    a limit that was written for people lets nothing pass, or as a floor or a fee lets everything pass, and "10m" waits ten milliseconds. The check that was to prevent that has seen a 1. Compare String(value) with the text at the start.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent envalid@8.2.0 convict@6.2.5 env-var@7.5.0 env-schema@8.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import convict from 'convict';
import envSchema from 'env-schema';
import envVar from 'env-var';
import { cleanEnv, num } from 'envalid';

const reporter = ({ errors }) => { if (Object.keys(errors).length) throw new Error('refused'); };
const withConvict = (format) => (LIMIT) => {
  const config = convict({ limit: { format, default: 7, env: 'LIMIT' } }, { env: { LIMIT } });
  config.validate({ allowed: 'strict' });
  return config.get('limit');
};
const schema = { type: 'object', required: ['LIMIT'], properties: { LIMIT: { type: 'integer' } } };
const readers = {
  envalid: (LIMIT) => cleanEnv({ LIMIT }, { LIMIT: num() }, { reporter }).LIMIT,
  'convict Number': withConvict(Number),
  'convict int': withConvict('int'),
  'convict nat': withConvict('nat'),
  'env-var': (LIMIT) => envVar.from({ LIMIT }).get('LIMIT').required().asInt(),
  'env-schema': (LIMIT) => envSchema({ data: { LIMIT }, env: false, schema }).LIMIT,
};
for (const text of ['1500000', '1,500,000', '1_500_000', '1.500.000', '5e6', '10s', '10m', '0x10']) {
  const seen = Object.entries(readers).map(([name, read]) => {
    try {
      return `${name} ${read(text)}`;
    } catch {
      return `${name} refused`;
    }
  });
  console.log(`LIMIT=${text}: ${seen.join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
LIMIT=1500000: envalid 1500000, convict Number 1500000, convict int 1500000, convict nat 1500000, env-var 1500000, env-schema 1500000
LIMIT=1,500,000: envalid 1, convict Number 1, convict int 1, convict nat 1, env-var refused, env-schema refused
LIMIT=1_500_000: envalid 1, convict Number 1, convict int 1, convict nat 1, env-var refused, env-schema refused
LIMIT=1.500.000: envalid 1.5, convict Number 1.5, convict int 1, convict nat 1, env-var refused, env-schema refused
LIMIT=5e6: envalid 5000000, convict Number 5000000, convict int 5, convict nat 5, env-var refused, env-schema 5000000
LIMIT=10s: envalid 10, convict Number 10, convict int 10, convict nat 10, env-var refused, env-schema refused
LIMIT=10m: envalid 10, convict Number 10, convict int 10, convict nat 10, env-var refused, env-schema refused
LIMIT=0x10: envalid 0, convict Number 0, convict int 0, convict nat 0, env-var refused, env-schema 16
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
