#!/usr/bin/env bash
# refund --order 12345678901234567 refunds the order 12345678901234568.
# Ran on 2026-12-01: minimist 1.2.8, mri 1.2.0, cac 7.1.0, sade 1.8.1, yargs-parser 22.0.0 beside meow 14.1.0, citty 0.2.2, Node 20.
# Guess: an option that was declared as --order <id>, or not declared, gives what was typed, or a number with the same digits.
# Seen:  four of seven give 12345678901234568, and 12 for 0012. For five the order 12e5 is 1200000 and 1500.00 is 1500. yargs-parser keeps a number that it could not hold, and 0012. meow and citty give what was typed.
# Why:   what looks like a number becomes one; only yargs-parser looks whether it fits. <id> in the declaration is a name for the help, not a type.
# So:    the tool that support runs by hand refunds, captures or looks up another order, and prints its number as if it had been asked for it. An order number with an e is the one in a thousand that nobody can find. Declare ids as texts, or begin each with a letter.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent minimist@1.2.8 mri@1.2.0 cac@7.1.0 sade@1.8.1 yargs-parser@22.0.0 meow@14.1.0 citty@0.2.2
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import cac from 'cac';
import { parseArgs } from 'citty';
import meow from 'meow';
import minimist from 'minimist';
import mri from 'mri';
import sade from 'sade';
import yargs from 'yargs-parser';

const readers = {
  minimist: (args) => minimist(args).order,
  mri: (args) => mri(args).order,
  cac: (args) => {
    const tool = cac();
    tool.option('--order <id>', 'the order');
    return tool.parse(['node', 'refund', ...args]).options.order;
  },
  sade: (args) => {
    let order;
    sade('refund', true).option('--order', 'the order').action((options) => { order = options.order; }).parse(['node', 'refund', ...args]);
    return order;
  },
  'yargs-parser': (args) => yargs(args).order,
  meow: (args) => meow('', { importMeta: import.meta, argv: args }).flags.order,
  citty: (args) => parseArgs(args, { order: { type: 'string' } }).order,
};
for (const typed of ['12345678901234567', '0012', '12e5', '1500.00', 'A-17']) {
  console.log(`--order ${typed}: ${Object.entries(readers).map(([name, read]) => `${name} ${read(['--order', typed])}`).join(', ')}`);
}
JS
cat >expected.txt <<'TXT'
--order 12345678901234567: minimist 12345678901234568, mri 12345678901234568, cac 12345678901234568, sade 12345678901234568, yargs-parser 12345678901234567, meow 12345678901234567, citty 12345678901234567
--order 0012: minimist 12, mri 12, cac 12, sade 12, yargs-parser 0012, meow 0012, citty 0012
--order 12e5: minimist 1200000, mri 1200000, cac 1200000, sade 1200000, yargs-parser 1200000, meow 12e5, citty 12e5
--order 1500.00: minimist 1500, mri 1500, cac 1500, sade 1500, yargs-parser 1500, meow 1500.00, citty 1500.00
--order A-17: minimist A-17, mri A-17, cac A-17, sade A-17, yargs-parser A-17, meow A-17, citty A-17
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
