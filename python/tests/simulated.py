"""A Python process on the simulated driver with gpusnap's preload, and the daemon's side of its socket."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
LIBRARIES = Path(os.environ.get("GPUSNAP_NATIVE_DIR", TESTS.parents[1] / "gpu-native/target/native/lib"))
PRELOAD = LIBRARIES / "libgpusnap-preload.so"
DRIVER = LIBRARIES / "simulated/libcuda.so.1"

STATUS, QUIESCE, LIST, EXPORT, RELEASE, REMAP, RESUME, HINTS = range(1, 9)
OK, TIMEOUT, REFUSED = 0, 5, 14

HEADER = struct.Struct("<IHHIIQ")  # preload_protocol.h
HINT = struct.Struct("<QQQQ32s")
MAGIC = 0x504E5347

# What each process starts with: the driver, and two words of CUDA.
PROLOGUE = """
import ctypes, sys
import gpusnap
cuda = ctypes.CDLL("libcuda.so.1")
def check(result):
    assert result == 0, f"CUDA error {result}"
def use_gpu():
    context = ctypes.c_void_p()
    check(cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0))
    check(cuda.cuCtxSetCurrent(context))
def allocate(size):
    address = ctypes.c_uint64()
    check(cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(size)))
    return address.value
def free(address):
    check(cuda.cuMemFree_v2(ctypes.c_uint64(address)))
def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")  # in one piece: several threads speak
    sys.stdout.flush()
check(cuda.cuInit(0))
use_gpu()
"""
EPILOGUE = """
say("ready")
for line in sys.stdin:
    exec(line)
    say("done")
"""


class Workload:
    """Runs a program text with everything above in place; then one line of Python at a time."""

    def __init__(self, program="", preload=True):
        self.folder = tempfile.TemporaryDirectory(prefix="gpusnap-python-", dir="/dev/shm")
        environment = dict(os.environ)
        environment.pop("LD_PRELOAD", None)
        environment.update(
            PYTHONPATH=str(TESTS.parent),
            LD_LIBRARY_PATH=str(DRIVER.parent),
            GPUSNAP_SOCKET_DIR=f"{self.folder.name}/sockets",
            GPUSNAP_SIM_STATE_DIR=f"{self.folder.name}/machine",
            GPUSNAP_SIM_VRAM_BYTES=str(256 << 20),
        )
        if preload:
            environment["LD_PRELOAD"] = str(PRELOAD)
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-c", PROLOGUE + program + EPILOGUE],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = self.until("ready")

    def until(self, word):
        lines = []
        for line in self.process.stdout:
            if line.strip() == word:
                return lines
            lines.append(line.strip())
        raise AssertionError(f"the process ended: {self.process.stderr.read()}")

    def run(self, line):
        """What it said meanwhile."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.until("done")

    def next_line(self):
        return self.process.stdout.readline().strip()

    def end(self):
        """Lets it end by itself; its exit status and standard error."""
        self.process.stdin.close()
        self.process.stdin = None
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


class Daemon:
    """A connection to the preload."""

    def __init__(self, workload):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(f"{workload.folder.name}/sockets/{workload.process.pid}.sock")

    def ask(self, verb, argument=0):
        self.send(verb, argument)
        return self.receive()

    def send(self, verb, argument=0):
        self.socket.send(HEADER.pack(MAGIC, 1, verb, 0, 0, argument))

    def receive(self):
        """Status and payload."""
        reply = self.socket.recv(64 << 10)
        return HEADER.unpack(reply[: HEADER.size])[3], reply[HEADER.size :]

    def hints(self):
        """(offset, bytes, tag) of each."""
        status, payload = self.ask(HINTS)
        assert status == OK, payload
        records = [HINT.unpack_from(payload, 8 + i * HINT.size) for i in range((len(payload) - 8) // HINT.size)]
        return [(offset, size, tag.rstrip(b"\0").decode()) for _, offset, size, _, tag in records]

    def close(self):
        self.socket.close()
