"""The HTTP side: single-threaded, HTTP/1.0, every connection closed with its answer."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

IDLE_CLIENT_SECONDS = 30
EARLY_POLL_SECONDS = 0.05


class BadRequest(Exception):
    """Answered as 400; the text says what to send instead."""


class AnswerServer(HTTPServer):
    """Answers 503 until `model` is set; see README.md for the paths."""

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address):
        super().__init__(address, Handler)
        self.model = None
        self.calm = threading.Lock()  # held while a request is answered, and by whoever needs that none is

    def serve_until(self, event: threading.Event):
        self.timeout = EARLY_POLL_SECONDS
        while not event.is_set():
            self.handle_request()


class Handler(BaseHTTPRequestHandler):
    timeout = IDLE_CLIENT_SECONDS
    server_version = "llm-server"

    def do_GET(self):
        url = urlsplit(self.path)
        route = ROUTES.get(url.path)
        if route is None:
            self.reply(404, {"error": f"no such path; there are {', '.join(sorted(ROUTES))}"})
        elif self.server.model is None:
            self.reply(503, {"ready": False})
        else:
            try:
                with self.server.calm:
                    answer = route(self.server.model, parse_qs(url.query))
                self.reply(200, answer)
            except BadRequest as refusal:
                self.reply(400, {"error": str(refusal)})

    def reply(self, status, body):
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        if code != 503:  # whoever waits for the start asks often
            super().log_request(code, size)

    def log_message(self, format, *arguments):
        print("http " + format % arguments, file=sys.stderr, flush=True)


def generate(model, query):
    seed = number(query, "seed", 1, 0, 2**31 - 1)
    tokens = number(query, "tokens", model.max_tokens, 1, model.max_tokens)
    return model.generate(seed, tokens)


def number(query, name, default, least, most):
    text = query.get(name, [str(default)])[-1]
    try:
        value = int(text)
    except ValueError:
        raise BadRequest(f"{name} must be a whole number, not '{text}'") from None
    if not least <= value <= most:
        raise BadRequest(f"{name} must be from {least} to {most}, not {value}")
    return value


ROUTES = {
    "/ready": lambda model, query: {"ready": True},
    "/generate": generate,
    "/stats": lambda model, query: model.stats(),
    "/checksum": lambda model, query: model.checksum(),
}
