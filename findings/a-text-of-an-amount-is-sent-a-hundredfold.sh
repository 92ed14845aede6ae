#!/usr/bin/env bash
# The text "1500000.50" leaves a gRPC client as 150000050, and 3000000000 as a negative number.
# Ran on 2026-12-01: @grpc/grpc-js 1.14.7, @grpc/proto-loader 0.8.1 (protobufjs, long 5), Node 20.
# Guess: an int64 field of a message refuses a text with a point or a comma, and an int32 field refuses a number that it cannot hold.
# Seen:  the call is made. In an int64, "1500000.50" is 150000050, "15000000.00" is 15000000000, "12.50" is 12, "1,500,000" and "1 500 000" are 10, "1e6" is 1, and "abc" is 0. In an int32, 3000000000 is -1294967296 and "1,500,000" is 0. 19.99 is 19 in both.
# Why:   a text is read eight characters at a time, each piece up to its first character that is no digit, and the pieces are joined as if all had been digits. An int32 is what | 0 leaves.
# So:    an amount that comes from a form or a database as a text is charged a hundredfold from a million on, and without its cents below that, with status OK. Turn amounts into BigInt and back into a text of digits before the call, and refuse what does not survive that.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent @grpc/grpc-js@1.14.7 @grpc/proto-loader@0.8.1
npm ls --depth 0 | tail -n +2
cat >pay.proto <<'PROTO'
syntax = "proto3";
package pay;
message Charge {
  int64 amount = 1;
  int32 fee = 2;
}
message Receipt { string text = 1; }
service Payments { rpc Make(Charge) returns (Receipt); }
PROTO
cat >main.cjs <<'JS'
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const { Payments } = grpc.loadPackageDefinition(loader.loadSync('pay.proto', { longs: String, defaults: true })).pay;
const server = new grpc.Server();
server.addService(Payments.service, { Make: ({ request }, answer) => answer(null, { text: `amount ${request.amount}, fee ${request.fee}` }) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), async (error, port) => {
  if (error) throw error;
  const client = new Payments(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  for (const value of ['1500000', '1500000.50', '15000000.00', '12.50', '1,500,000', '1 500 000', '1e6', 'abc', 19.99, 3000000000]) {
    const seen = await new Promise((done) => {
      client.Make({ amount: value, fee: value }, (failed, receipt) => done(failed ? failed.details : receipt.text));
    });
    console.log(`${JSON.stringify(value)}: ${seen}`);
  }
  client.close();
  server.forceShutdown();
});
JS
cat >expected.txt <<'TXT'
"1500000": amount 1500000, fee 1500000
"1500000.50": amount 150000050, fee 1500000
"15000000.00": amount 15000000000, fee 15000000
"12.50": amount 12, fee 12
"1,500,000": amount 10, fee 0
"1 500 000": amount 10, fee 0
"1e6": amount 1, fee 1000000
"abc": amount 0, fee 0
19.99: amount 19, fee 19
3000000000: amount 3000000000, fee -1294967296
TXT
node main.cjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
