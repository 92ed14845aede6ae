#!/usr/bin/env bash
# HTTP clients of other languages send a POST again by themselves, though no retry is switched on.
# Ran on 2026-11-30, Debian 12: curl 7.88.1 (the command, and PHP 8.2's curl), wget 1.21.3, Python's httplib2 0.20.4 and http.client, Ruby's httpclient 2.8.3 and
#   net/http, Java's HttpURLConnection and java.net.http of OpenJDK 17.
# Guess: each sends a POST once. A POST is not idempotent, and the caller asked for no retry.
# Seen:  the server answers the first POST, reads the second on the same connection and closes it without an answer. curl, PHP, httplib2, httpclient and
#        HttpURLConnection send the second POST twice; net/http, http.client and java.net.http once. wget needs no kept connection: with --tries=3 three, by default 20.
# Why:   on a connection that was used before, a close without an answer is taken for an idle connection that had been closed earlier. The server may have read all of it.
# So:    a payment that "was sent once" has arrived twice, and only the second one's answer is seen. Send payments on a fresh connection
#        (CURLOPT_FORBID_REUSE and CURLOPT_FRESH_CONNECT, -Dsun.net.http.retryPost=false), or with a key that the server compares.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir -p debs/partial
apt-get update -qq >/dev/null 2>&1 || true
apt-get install -y -qq --download-only --reinstall --no-install-recommends -o Dir::Cache::archives="$dir/debs" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
  'curl=7.88.1*' 'libcurl4=7.88.1*' 'php8.2-cli=8.2.*' 'php8.2-curl=8.2.*' 'php8.2-common=8.2.*' 'wget=1.21.3*' 'python3-httplib2=0.20.4*' python3-pyparsing \
  'ruby3.1=3.1.2*' 'libruby3.1=3.1.2*' 'ruby-httpclient=2.8.3*' ruby-http-cookie 'openjdk-17-jdk-headless=17.*' 'openjdk-17-jre-headless=17.*' >/dev/null 2>&1 || { echo "the packages cannot be downloaded" >&2; exit 1; }
for package in debs/*.deb; do dpkg -x "$package" root; done
R=$dir/root
java=$R/usr/lib/jvm/java-17-openjdk-amd64
find "$java" -type l -lname '/etc/*' | while read -r link; do ln -sf "$R$(readlink "$link")" "$link"; done
export LD_LIBRARY_PATH=$R/usr/lib/x86_64-linux-gnu PYTHONPATH=$R/usr/lib/python3/dist-packages
export RUBYLIB=$R/usr/lib/ruby/vendor_ruby:$R/usr/lib/ruby/3.1.0:$R/usr/lib/x86_64-linux-gnu/ruby/3.1.0:$R/usr/share/rubygems-integration/all/gems/httpclient-2.8.3/lib
cat >server.py <<'PY'
# Answers POSTs whose body is "first"; reads others and closes. Runs a command, and prints how often each POST came.
import socket, subprocess, sys, threading, time

posts = []
listener = socket.create_server(("127.0.0.1", 0))


def talk(connection):
    reader = connection.makefile("rb")
    while reader.readline():
        length, waits = 0, False
        while field := reader.readline().strip().lower():
            if field.startswith(b"content-length:"):
                length = int(field.split(b":")[1])
            waits = waits or field.startswith(b"expect:")
        if waits:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = reader.read(length)
        posts.append(body)
        if body != b"first":
            break
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    connection.close()
    reader.close()


def serve():
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=serve, daemon=True).start()
url = "http://127.0.0.1:%d/pay" % listener.getsockname()[1]
subprocess.run([a.replace("@", url) for a in sys.argv[2:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
time.sleep(0.3)
print("%-28s first %d, second %d" % (sys.argv[1], posts.count(b"first"), posts.count(b"second")), flush=True)
PY
cat >Pay.java <<'JAVA'
import java.net.*;
import java.net.http.*;

public class Pay {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (String body : new String[] {"first", "second"}) {
            if (args[0].equals("old")) {
                HttpURLConnection c = (HttpURLConnection) new URL(args[1]).openConnection();
                c.setRequestMethod("POST");
                c.setDoOutput(true);
                c.getOutputStream().write(body.getBytes());
                c.getInputStream().readAllBytes();
            } else {
                client.send(HttpRequest.newBuilder(URI.create(args[1])).version(HttpClient.Version.HTTP_1_1).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                    HttpResponse.BodyHandlers.ofString());
            }
        }
    }
}
JAVA
server() { /usr/bin/python3 server.py "$@"; }
{
  server "curl" "$R/usr/bin/curl" -d first @ --next -d second @
  server "PHP curl" "$R/usr/bin/php8.2" -n -d "extension_dir=$(dirname "$(find "$R/usr/lib/php" -name curl.so)")" -d extension=curl -r '
    $c = curl_init("@"); foreach (["first", "second"] as $body) { curl_setopt_array($c, [CURLOPT_POSTFIELDS => $body, CURLOPT_RETURNTRANSFER => true]); curl_exec($c); }'
  server "wget --tries=3" "$R/usr/bin/wget" --tries=3 --waitretry=0 --post-data=second @
  server "Python httplib2" /usr/bin/python3 -c 'import httplib2
h = httplib2.Http()
for body in ("first", "second"): h.request("@", "POST", body=body)'
  server "Python http.client" /usr/bin/python3 -c 'import http.client
c = http.client.HTTPConnection("@".split("/")[2])
for body in ("first", "second"):
    c.request("POST", "/pay", body)
    c.getresponse().read()'
  server "Ruby httpclient" "$R/usr/bin/ruby3.1" --disable-gems -e 'require "httpclient"; h = HTTPClient.new; ["first", "second"].each { |body| h.post("@", body) }'
  server "Ruby net/http" "$R/usr/bin/ruby3.1" --disable-gems -e 'require "net/http"; u = URI("@"); Net::HTTP.start(u.host, u.port) { |h| ["first", "second"].each { |body| h.post(u.path, body) } }'
  server "Java HttpURLConnection" "$java/bin/java" Pay.java old @
  server "Java, retryPost=false" "$java/bin/java" -Dsun.net.http.retryPost=false Pay.java old @
  server "Java java.net.http" "$java/bin/java" Pay.java new @
} | tee seen.txt
cat >expected.txt <<'TXT'
curl                         first 1, second 2
PHP curl                     first 1, second 2
wget --tries=3               first 0, second 3
Python httplib2              first 1, second 2
Python http.client           first 1, second 1
Ruby httpclient              first 1, second 2
Ruby net/http                first 1, second 1
Java HttpURLConnection       first 1, second 2
Java, retryPost=false        first 1, second 1
Java java.net.http           first 1, second 1
TXT
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
