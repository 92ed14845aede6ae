#!/usr/bin/env bash
# A load test whose every charge loses its answer reports no error.
# Ran on 2026-12-01: autocannon 9.0.0, Node 20.
# Guess: a call whose connection is closed without an answer, or in the middle of one, is counted among the errors.
# Seen:  of ten POSTs to a server that closes each connection the report says errors 0, timeouts 0, non2xx 0, and 0 answers; of ten of which the server answers each second one: five answers and no error. A connection that is reset is an error. Only sent, less the answers, shows what was lost.
# Why:   a connection that closes in order is opened again and the next request is sent; an error is a connection that cannot be made, or one that is reset.
# So:    a test that is to show what a provider's outage does says that all is well, and a check of errors === 0 cannot fail. Compare requests.sent with requests.total.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent autocannon@9.0.0
npm ls --depth 0 | tail -n +2
cat >main.mjs <<'JS'
import net from 'node:net';
import autocannon from 'autocannon';

const answer = 'HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}';
const servers = {
  'answers each': (socket) => socket.write(answer),
  'closes each': (socket) => socket.end(),
  'closes each second': (socket, count) => (count % 2 ? socket.write(answer) : socket.end()),
  'resets each': (socket) => socket.resetAndDestroy(),
};
for (const [name, react] of Object.entries(servers)) {
  let received = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => { received += 1; react(socket, received); });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const report = await autocannon({ url: `http://127.0.0.1:${server.address().port}/payments`, method: 'POST', body: '{"amount":1}', amount: 10, connections: 1, timeout: 5 });
  console.log(`a server that ${name}: received ${received}; report: sent ${report.requests.sent}, answers ${report.requests.total}, errors ${report.errors}, timeouts ${report.timeouts}, non2xx ${report.non2xx}`);
  server.close();
}
process.exit();
JS
cat >expected.txt <<'TXT'
a server that answers each: received 10; report: sent 10, answers 10, errors 0, timeouts 0, non2xx 0
a server that closes each: received 10; report: sent 10, answers 0, errors 0, timeouts 0, non2xx 0
a server that closes each second: received 10; report: sent 10, answers 5, errors 0, timeouts 0, non2xx 0
a server that resets each: received 10; report: sent 10, answers 0, errors 10, timeouts 0, non2xx 0
TXT
node main.mjs | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
