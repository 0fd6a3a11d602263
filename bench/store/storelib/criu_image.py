"""A process image: real CRIU of a real process."""

import sys
import time

from benchlib.criu import Criu
from benchlib.failure import BenchFailure

# Memory as processes have it: some that looks random, some text, some zeros.
PROGRAM = """
import os, sys, time
mib = int(sys.argv[1])
random = bytearray(os.urandom(mib << 19))
text = b"".join(b"%d squared is %d\\n" % (i, i * i) for i in range(mib * 8000))
zeros = bytearray(mib << 18)
print("ready", flush=True)
while True:
    time.sleep(1)
"""


def make(supervisor, criu, folder, mib, logs):
    process = supervisor.start("criu-target", [sys.executable, "-c", PROGRAM, mib])
    deadline = time.monotonic() + 60
    while "ready" not in process.log.read_text():
        process.require_alive()
        if time.monotonic() > deadline:
            raise BenchFailure("the process that is to be dumped does not get ready")
        time.sleep(0.05)
    Criu(criu).dump(process.pid, folder, logs)
    (folder / "dump.log").unlink()
    for socket in (path for path in folder.iterdir() if not path.is_file()):
        socket.unlink()
    # It ended with the dump.
    process.reap()
