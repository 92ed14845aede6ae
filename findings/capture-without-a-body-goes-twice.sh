#!/usr/bin/env bash
# Two reverse proxies send a POST without a body a second time, though no retry is switched on.
# Ran on 2026-11-30: varnish 7.1.1-2+deb12u1 and caddy 2.6.2-5 beside nginx 1.22.1-9+deb12u11, Debian 12.
# Guess: a proxy sends a POST once. It does not know that the application can bear it twice, and RFC 9110 (9.2.2) tells it not to guess.
# Seen:  the application reads the POST from a kept-alive connection and closes it without an answer. Varnish then sends every POST that has no body
#        again, on a new connection; Caddy does if the client gave it an Idempotency-Key; nginx does not. With a body each sends it once. The client sees one 502 or 503.
# Why:   Varnish repeats once on a connection that it used before, unless it has sent a body. Caddy's transport takes a key for the promise that
#        the application knows repeats, and a request without a body for one that it can repeat.
# So:    "POST /payments/1/capture" and its like have no body. The second one comes from the proxy in front of the application, where no log of the client shows it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
for package in 'varnish=7.1.1*' 'libvarnishapi3=7.1.1*' libjemalloc2 libedit2 'caddy=2.6.2*' 'nginx=1.22.1*'; do
  apt-get download "$package" >/dev/null 2>&1 || { echo "$package cannot be downloaded" >&2; exit 1; }
done
for package in *.deb; do dpkg -x "$package" root; done
command -v gcc >/dev/null || { echo "varnish needs a C compiler" >&2; exit 1; }
ls varnish_* caddy_* nginx_* | sed 's/_amd64.deb//; s/_/ /'
cat >main.py <<'PY'
import os, socket, subprocess, threading, time

work = os.getcwd()
root = work + "/root"
library = root + "/usr/lib/x86_64-linux-gnu"
env = dict(os.environ, LD_LIBRARY_PATH=library + ":" + library + "/varnish:" + root + "/usr/lib/varnish", HOME=work)


class Application:
    """Answers the first POST of a round, and closes the connection after it has read the second."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.posts, self.silent = 0, False
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        reader = connection.makefile("rb")
        while line := reader.readline():
            length = 0
            while (field := reader.readline().strip().lower()):
                if field.startswith(b"content-length:"):
                    length = int(field.split(b":")[1])
            reader.read(length)
            if line.startswith(b"POST"):
                self.posts += 1
                if self.silent:
                    break
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def post(port, body, key):
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(b"POST /payments/1/capture HTTP/1.1\r\nHost: shop\r\n" + key + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        while s.recv(65536):
            pass


def file(name, text):
    with open(name, "w") as f:
        f.write(text)
    return work + "/" + name


def proxies(listen, to):
    temporary = "".join(f"{kind}_temp_path {work}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    yield "nginx", [root + "/usr/sbin/nginx", "-p", work, "-c", file("nginx.conf", f"""daemon off; master_process off; pid {work}/pid; error_log stderr; events {{}}
http {{ access_log off; {temporary} upstream app {{ server 127.0.0.1:{to}; keepalive 8; }}
server {{ listen 127.0.0.1:{listen}; location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}""")]
    yield "varnish", [root + "/usr/sbin/varnishd", "-F", "-a", f"127.0.0.1:{listen}", "-b", f"127.0.0.1:{to}", "-n", work + "/v", "-j", "none", "-s", "malloc,16m"]
    yield "caddy", [root + "/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config",
                    file("Caddyfile", f"{{\n admin off\n auto_https off\n}}\nhttp://:{listen} {{\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:{to}\n}}\n")]


with socket.create_server(("127.0.0.1", 0)) as s:
    listen = s.getsockname()[1]
application = Application()
for name, command in proxies(listen, application.port):
    with open(name + ".log", "w") as log:
        proxy = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", listen)).close()
                break
            except OSError:
                time.sleep(0.1)
        for what, body, key in (("with a body", b'{"amount":1}', b""), ("without", b"", b""), ("with body and key", b'{"amount":1}', b"Idempotency-Key: k1\r\n"), ("without body, with a key", b"", b"Idempotency-Key: k1\r\n")):
            application.posts, application.silent = 0, False
            post(listen, body, key)
            time.sleep(0.3)
            application.silent = True
            post(listen, body, key)
            time.sleep(0.5)
            print(f"{name:8} {what:25} the second POST reached the application {application.posts - 1} times", flush=True)
    finally:
        proxy.terminate()
        proxy.wait()
PY
cat >expected.txt <<'TXT'
nginx    with a body               the second POST reached the application 1 times
nginx    without                   the second POST reached the application 1 times
nginx    with body and key         the second POST reached the application 1 times
nginx    without body, with a key  the second POST reached the application 1 times
varnish  with a body               the second POST reached the application 1 times
varnish  without                   the second POST reached the application 2 times
varnish  with body and key         the second POST reached the application 1 times
varnish  without body, with a key  the second POST reached the application 2 times
caddy    with a body               the second POST reached the application 1 times
caddy    without                   the second POST reached the application 1 times
caddy    with body and key         the second POST reached the application 1 times
caddy    without body, with a key  the second POST reached the application 2 times
TXT
python3 main.py | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
