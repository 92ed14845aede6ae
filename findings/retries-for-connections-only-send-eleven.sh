#!/usr/bin/env bash
# A client that is told to repeat only what could not be sent sends a refused payment eleven times.
# Ran on 2026-11-30: urllib3 1.26.12, Python 3.11 of Debian 12.
# Guess: Retry(connect=3, read=0, allowed_methods=None), with no status to repeat on, sends a POST that was answered with 503 once.
# Seen:  once, if the answer has no Retry-After; with Retry-After it is sent eleven times, for 503, 429 and 413 alike. Retry(total=3, allowed_methods={'POST'}, status_forcelist=[500]) sends such a 503 four times.
# Why:   an answer with Retry-After is repeated for each allowed method, whatever status_forcelist says; connect and read don't bound it, and total is 10 by default.
# So:    a payment behind a proxy that answers 503 after it has passed the request on is sent again. Give status=0 and respect_retry_after_header=False, or leave POST out of the allowed methods.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'python3-urllib3=1.26.12*' 'python3-six=1.16*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export PYTHONPATH=$dir/usr/lib/python3/dist-packages
cat >main.py <<'PY'
import http.server
import threading

import urllib3
from urllib3.util.retry import Retry

sent = 0
answer = (503, None)


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global sent
        sent += 1
        self.rfile.read(int(self.headers['Content-Length']))
        status, after = answer
        self.send_response(status)
        if after is not None:
            self.send_header('Retry-After', after)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
print('urllib3', urllib3.__version__)
policies = [
    ('connect=3, read=0, any method', dict(connect=3, read=0, allowed_methods=None)),
    ('total=3, POST, status_forcelist=[500]', dict(total=3, allowed_methods={'POST'}, status_forcelist=[500])),
    ('connect=3, read=0, any method, status=0, no Retry-After', dict(connect=3, read=0, status=0, allowed_methods=None, respect_retry_after_header=False)),
]
for name, policy in policies:
    for answer in [(503, None), (503, '0'), (429, '0'), (413, '0')]:
        sent = 0
        reply = urllib3.PoolManager(retries=Retry(**policy)).request('POST', 'http://127.0.0.1:%d/pay' % server.server_port, body=b'{}')
        print('%s; answer %d, Retry-After %s: sent %d, status %d' % (name, answer[0], answer[1], sent, reply.status))
PY
cat >expected.txt <<'TXT'
urllib3 1.26.12
connect=3, read=0, any method; answer 503, Retry-After None: sent 1, status 503
connect=3, read=0, any method; answer 503, Retry-After 0: sent 11, status 503
connect=3, read=0, any method; answer 429, Retry-After 0: sent 11, status 429
connect=3, read=0, any method; answer 413, Retry-After 0: sent 11, status 413
total=3, POST, status_forcelist=[500]; answer 503, Retry-After None: sent 1, status 503
total=3, POST, status_forcelist=[500]; answer 503, Retry-After 0: sent 4, status 503
total=3, POST, status_forcelist=[500]; answer 429, Retry-After 0: sent 4, status 429
total=3, POST, status_forcelist=[500]; answer 413, Retry-After 0: sent 4, status 413
connect=3, read=0, any method, status=0, no Retry-After; answer 503, Retry-After None: sent 1, status 503
connect=3, read=0, any method, status=0, no Retry-After; answer 503, Retry-After 0: sent 1, status 503
connect=3, read=0, any method, status=0, no Retry-After; answer 429, Retry-After 0: sent 1, status 429
connect=3, read=0, any method, status=0, no Retry-After; answer 413, Retry-After 0: sent 1, status 413
TXT
python3 main.py 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
