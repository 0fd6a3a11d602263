"""What every program of the framework rows speaks. Standard library only.

    PROGRAM --port N --log FILE [--mib N]

| request | answer |
| --- | --- |
| GET /ready | 200 when loaded, 503 before |
| GET /answer?n=3 | raw bytes of what the program computes for input 3 |
| GET /work?round=1 | a round of other work (new shapes, new memory, new code); raw bytes of what came out |
| GET /state | raw bytes that stand for all of its state |
| GET /measure?load=NAME&calls=200 | JSON: how fast so many calls of a load run; programs that measure |
| GET /facts | JSON: versions and sizes |

The header X-Process-Token carries a number that lives in the process's memory alone, and the state is drawn from it:
a restarted program has other answers, only the thawed one has its own.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

STARTED = time.monotonic()
IDLE_CLIENT_SECONDS = 30


class Program:
    """Subclasses say what they compute. All is called by one thread, the main one."""

    def __init__(self, options):
        self.options = options
        self.token = secrets.token_hex(8)
        self.seed = int(self.token, 16) % (1 << 31)

    def load(self):
        """Builds the state, of about options.mib, and warms up."""

    def answer(self, n):
        """Bytes; the same for the same n, as long as this process has its memory."""
        raise NotImplementedError

    def work(self, round):
        """Bytes; leaves the state as it was. A round that was never asked for does something for the first time."""
        raise NotImplementedError

    def state(self):
        """Bytes that change when any byte of the state does."""
        raise NotImplementedError

    def measure(self, load, calls):
        raise LookupError(f"this program measures no load '{load}'")

    def facts(self):
        return {}


class Handler(BaseHTTPRequestHandler):
    timeout = IDLE_CLIENT_SECONDS

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        program = self.server.program
        if program is None:
            self.reply(503, b'{"ready": false}\n')
            return
        try:
            content = self.content(program, url.path, query)
        except Exception as failure:  # noqa: BLE001  whoever asks must see what a thaw broke
            traceback.print_exc()
            self.reply(500, json.dumps({"error": f"{type(failure).__name__}: {failure}"}).encode())
            return
        if content is None:
            self.reply(404, b'{"error": "no such path"}\n')
        else:
            self.reply(200, content)

    @staticmethod
    def content(program, path, query):
        if path == "/ready":
            return b'{"ready": true}\n'
        if path == "/answer":
            return program.answer(int(query.get("n", "1")))
        if path == "/work":
            return program.work(int(query.get("round", "1")))
        if path == "/state":
            return program.state()
        if path == "/measure":
            return json.dumps(program.measure(query.get("load", ""), int(query.get("calls", "100")))).encode()
        if path == "/facts":
            return json.dumps({"pid": os.getpid(), **program.facts()}).encode()
        return None

    def reply(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        if self.server.program is not None:
            self.send_header("X-Process-Token", self.server.program.token)
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        if code != 503:
            super().log_request(code, size)

    def log_message(self, format, *arguments):
        print("http " + format % arguments, file=sys.stderr, flush=True)


class Server(HTTPServer):
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.program = None

    def serve_until(self, event):
        self.timeout = 0.05
        while not event.is_set():
            self.handle_request()


def detach_streams(log):
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if log:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


def note(text):
    print(f"{time.monotonic() - STARTED:8.2f} s  {text}", file=sys.stderr, flush=True)


def parser():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--log")
    p.add_argument("--mib", type=int, default=512, help="about how much device memory the state takes")
    p.add_argument("--device", default="cuda")
    return p


def serve(make, options):
    """Runs until SIGTERM. `make(options)` gives the program: called late, so that its imports do not delay the port."""
    detach_streams(options.log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server(options.port)
    loaded = threading.Event()
    early = threading.Thread(target=server.serve_until, args=(loaded,), name="not-yet")
    early.start()
    try:
        program = make(options)
        note("imports done")
        program.load()
    finally:
        loaded.set()
        early.join()
    server.program = program
    note(f"ready: {program.facts()}")
    server.serve_forever()
