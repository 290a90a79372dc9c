"""Python's own server: python-server.py VERSION ADDRESS DIRECTORY. GET and HEAD of files, PUT into them."""

import functools
import http.server
import os
import socket
import sys

version, address, directory = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = f"HTTP/{version}"
    timeout = int(os.environ.get("KEEPS_MS") or 0) / 1000 or None

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            left = int(self.headers.get("Content-Length", 0))
            while left > 0:
                data = self.rfile.read(min(left, 65536))
                left -= len(data)
                yield data
            return
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                break
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass

    def do_PUT(self):
        with open(self.translate_path(self.path), "wb") as file:
            for data in self.body():
                file.write(data)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        total = sum(len(data) for data in self.body())
        text = f"{total} bytes".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 1024


os.chdir(directory)
server = Server((address, 80), functools.partial(Handler, directory=directory))
print("ready", flush=True)
server.serve_forever()
