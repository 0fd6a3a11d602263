"""A JSON client over urllib; every connection is closed with its answer."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from .failure import BenchFailure

POLL_SECONDS = 0.05


class ApiFailure(BenchFailure):
    """The service answered with a problem."""

    def __init__(self, method, url, status, problem):
        code = problem.get("code", "")
        super().__init__(f"{method} {url}: {status} {code} {problem.get('title', '')}: {problem.get('detail', problem)}")
        self.status = status
        self.problem = problem


class Api:
    """The control plane under /api/v1."""

    def __init__(self, base, token):
        self.base = base
        self.token = token

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def delete(self, path):
        """Deletes what is there now, whatever it is by now; returns the accepted operation."""
        with urllib.request.urlopen(self.request("GET", path), timeout=60) as answer:
            etag = answer.headers["ETag"]
        return self.call("DELETE", path, headers={"If-Match": etag})

    def request(self, method, path):
        request = urllib.request.Request(self.base + "/api/v1" + path, method=method)
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Accept", "application/json")
        return request

    def call(self, method, path, body=None, headers=()):
        request = self.request(method, path)
        url = request.full_url
        for name, value in dict(headers).items():
            request.add_header(name, value)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Idempotency-Key", f'"{uuid.uuid4()}"')
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ApiFailure(method, url, refusal.code, parse_problem(refusal.read())) from None
        except urllib.error.URLError as failure:
            raise BenchFailure(f"{method} {url}: {failure.reason}") from None
        return json.loads(content) if content else {}

    def items(self, path, query):
        return self.get(f"{path}?{urllib.parse.urlencode(query)}")["items"]

    def wait_operation(self, operation_id, seconds, each_poll=None):
        """Polls until the operation ended; returns it, or fails with its typed failure."""
        deadline = time.monotonic() + seconds
        while True:
            operation = self.get(f"/operations/{operation_id}")
            if operation["state"] == "SUCCEEDED":
                return operation
            if operation["state"] in ("FAILED", "CANCELLED"):
                failure = operation.get("failure") or {}
                raise BenchFailure(
                    f"{operation.get('kind')} operation {operation_id} {operation['state']}"
                    f" in stage {failure.get('stage')}: {failure.get('code')}: {failure.get('detail')}"
                )
            if time.monotonic() > deadline:
                raise BenchFailure(f"operation {operation_id} is still {operation['state']} after {seconds} s: {operation}")
            if each_poll is not None:
                each_poll(operation)
            time.sleep(POLL_SECONDS)


def parse_problem(content):
    try:
        return json.loads(content)
    except ValueError:
        return {"detail": content.decode(errors="replace")[:500]}


def get_json(url, timeout):
    """One GET of a workload; connection errors are the caller's."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.load(answer)
