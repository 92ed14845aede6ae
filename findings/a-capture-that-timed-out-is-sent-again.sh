#!/usr/bin/env bash
# A capture by PUT, or a void by DELETE, that timed out has been sent twice when the caller has its error, in twice the time.
# Ran on 2026-11-30: Net::HTTP of Ruby 3.1.2 of Debian 12.
# Guess: after a read timeout of one second Net::HTTP raises ReadTimeout after one second, and the request was sent once.
# Seen:  PUT, DELETE and GET are sent twice and raise after two seconds; POST and PATCH once. With max_retries = 0 all are sent once.
# Why:   max_retries is 1 by default, for methods that HTTP calls idempotent, and a timeout counts as a lost connection.
# So:    one timeout in the log is two captures at the provider, whose second answer, `already captured`, is read by no one either; and a deadline made of read timeouts is twice as long. Set max_retries = 0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export PATH=/usr/bin:$PATH
ruby -v | cut -d' ' -f1-2
cat >main.rb <<'RUBY'
require 'net/http'
require 'socket'

server = TCPServer.new('127.0.0.1', 0)
got = Queue.new
Thread.new do
  loop do
    Thread.new(server.accept) do |client|
      while (line = client.gets)
        got << line.split.first if line.end_with?("HTTP/1.1\r\n")
      end
    rescue SystemCallError
      nil
    end
  end
end
[1, 0].each do |tries|
  %w[Put Delete Get Post Patch].each do |name|
    got.clear
    http = Net::HTTP.new('127.0.0.1', server.addr[1])
    http.read_timeout = 1
    http.max_retries = 0 if tries.zero?
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    begin
      http.request(Net::HTTP.const_get(name).new('/payments/17'))
    rescue Net::ReadTimeout
      waits = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start < 1.9 ? 'one wait' : 'two waits'
      puts "max_retries #{http.max_retries}, #{name.upcase}: sent #{got.size} times, ReadTimeout after #{waits}"
    end
  end
end
RUBY
cat >expected.txt <<'TXT'
max_retries 1, PUT: sent 2 times, ReadTimeout after two waits
max_retries 1, DELETE: sent 2 times, ReadTimeout after two waits
max_retries 1, GET: sent 2 times, ReadTimeout after two waits
max_retries 1, POST: sent 1 times, ReadTimeout after one wait
max_retries 1, PATCH: sent 1 times, ReadTimeout after one wait
max_retries 0, PUT: sent 1 times, ReadTimeout after one wait
max_retries 0, DELETE: sent 1 times, ReadTimeout after one wait
max_retries 0, GET: sent 1 times, ReadTimeout after one wait
max_retries 0, POST: sent 1 times, ReadTimeout after one wait
max_retries 0, PATCH: sent 1 times, ReadTimeout after one wait
TXT
ruby main.rb 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
