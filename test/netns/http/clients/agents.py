"""Clients of Python that keep their connections: agents.py urllib3|http.client REQUESTS."""

import concurrent.futures
import http.client
import sys

habit, count = sys.argv[1], int(sys.argv[2])
body = bytes(range(256)) * 300


def check(i, status, data, wanted):
    assert status == 200 and data == wanted, f"request {i}: {status}, {len(data)} bytes"


def pooled():
    import urllib3

    pools = urllib3.PoolManager(maxsize=4, block=True, retries=False, timeout=30)

    def ask(i):
        if i % 5 == 0:
            answer = pools.request("POST", "http://node.example.com/echo", body=body)
            check(i, answer.status, answer.data, body)
        else:
            host = "nginx" if i % 3 == 0 else "python11"
            answer = pools.request("GET", f"http://{host}.example.com/small.txt")
            check(i, answer.status, answer.data, b"a small file\n")

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(count)))
    hosts = [pools.connection_from_host(f"{name}.example.com") for name in ("node", "nginx", "python11")]
    print("ok", sum(pool.num_connections for pool in hosts), "connections")


def single():
    connection = http.client.HTTPConnection("nginx.example.com", timeout=30)
    connection.connect()
    socket = connection.sock
    for i in range(count):
        connection.request("GET", "/small.txt")
        answer = connection.getresponse()
        check(i, answer.status, answer.read(), b"a small file\n")
        assert connection.sock is socket, "the connection was closed"
    print("ok 1 connections")


pooled() if habit == "urllib3" else single()
