"""S3 servers on loopback, each a process of its own."""

import http.client
import os
import socket
import time
from pathlib import Path

from benchlib.failure import BenchFailure
from benchlib.rewriting import STORE_JAR

from . import ROOT

S3MOCK_LIB = Path(os.environ.get("GPUSNAP_S3_SERVER_LIB") or ROOT / "samples/s3-server/target/lib")
BUCKET = "bench"
KEYS = ("bench", "bench-secret")


class Server:
    def __init__(self, supervisor, command, port):
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.process = supervisor.start(self.name, command)
        deadline = time.monotonic() + 90
        while not self.answers():
            self.process.require_alive()
            if time.monotonic() > deadline:
                raise BenchFailure(f"{self.name} does not answer after 90 s")
            time.sleep(0.2)
        self.request("PUT", f"/{BUCKET}")

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def request(self, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path)
        status = connection.getresponse().status
        connection.close()
        if status >= 300:
            raise BenchFailure(f"{self.name} answers {method} {path} with {status}")

    def stop(self):
        self.process.stop()


class S3Mock(Server):
    """Adobe's S3Mock, as the demo and the tests use it. Its objects lie on the drive."""

    name = "s3mock"

    def __init__(self, supervisor, java, folder):
        if not S3MOCK_LIB.is_dir():
            raise BenchFailure(f"{S3MOCK_LIB} is not there: make build")
        folder.mkdir()
        port = free_port()
        options = ["--server.port=0", f"--http.port={port}", "--com.adobe.testing.s3mock.max-payload-size=1GB", "--logging.level.root=WARN"]
        super().__init__(
            supervisor,
            [java, "-Xmx1g", "-cp", f"{S3MOCK_LIB}/*", "com.adobe.testing.s3mock.S3MockApplication", *options, f"--com.adobe.testing.s3mock.store.root={folder}"],
            port,
        )


class Lean(Server):
    """A stand-in that does as little as it can, in memory: what is measured beside it is the client."""

    name = "stand-in"

    def __init__(self, supervisor, java, folder):
        port = free_port()
        super().__init__(supervisor, [java, "-Dsun.net.httpserver.nodelay=true", "-cp", STORE_JAR, "io.gpusnap.bench.store.LeanS3", port], port)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def rclone_remote(endpoint):
    """As environment: no file of rclone's is read or written."""
    access, secret = KEYS
    return {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_S3_TYPE": "s3",
        "RCLONE_CONFIG_S3_PROVIDER": "Other",
        "RCLONE_CONFIG_S3_ENDPOINT": endpoint,
        "RCLONE_CONFIG_S3_ACCESS_KEY_ID": access,
        "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": secret,
        "RCLONE_CONFIG_S3_FORCE_PATH_STYLE": "true",
    }
