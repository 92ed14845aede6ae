#!/usr/bin/env bash
# A body that was signed as a file arrives with other bytes, and the provider refuses the signature.
# Ran on 2026-11-30: curl 7.88.1, wget 1.21.3, Python 3.11 of Debian 12.
# Guess: curl -d @body.json sends the file.
# Seen:  every line break is gone; --data-binary @body.json and --json @body.json send the file. wget --post-file sends it too.
# Why:   -d is made for forms, and strips carriage returns and newlines from files.
# So:    one-line bodies pass in each trial, and a pretty-printed one, or one that ends with a newline, is refused as forged. Sign what is sent: use --data-binary.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.py <<'PY'
import hashlib
import hmac
import http.server
import subprocess
import threading

got = b''


class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global got
        got = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = 'http://127.0.0.1:%d/' % server.server_port
body = b'{\n  "order": "A-17",\n  "amount": 150000\n}\n'
open('body.json', 'wb').write(body)
mac = lambda b: hmac.new(b'secret', b, hashlib.sha256).hexdigest()
for command in ('curl -s -d @body.json', 'curl -s --data-binary @body.json', 'curl -s --json @body.json', 'wget -q -O /dev/null --post-file body.json'):
    subprocess.run(command.split() + [url], check=True, stdout=subprocess.DEVNULL)
    print('%s: %d of %d bytes, the signature %s' % (command, len(got), len(body), 'holds' if mac(got) == mac(body) else 'is refused'))
PY
cat >expected.txt <<'TXT'
curl -s -d @body.json: 38 of 42 bytes, the signature is refused
curl -s --data-binary @body.json: 42 of 42 bytes, the signature holds
curl -s --json @body.json: 42 of 42 bytes, the signature holds
wget -q -O /dev/null --post-file body.json: 42 of 42 bytes, the signature holds
TXT
python3 main.py 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
