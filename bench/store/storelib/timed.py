"""Commands with what they took: seconds by the caller's clock, processor time, peak memory."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchlib.failure import BenchFailure
from benchlib.processes import tail


@dataclass
class Took:
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def as_values(self):
        return {"seconds": round(self.seconds, 3), "cpuSeconds": round(self.cpu_seconds, 2), "peakBytes": self.peak_bytes}


def timed(command, log, env=None, cwd=None, durable=None):
    """Runs a command to its end. `durable`: a folder; what was written there must be on its drive before the clock stops."""
    with open(log, "ab") as out:
        began = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd, env=environment(env)
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if durable is not None:
            sync_file_system(durable)
        seconds = time.monotonic() - began
    if child.returncode != 0:
        raise BenchFailure(f"'{' '.join(map(str, command))}' ended {child.returncode}:\n{tail(log)}")
    return Took(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def environment(more):
    """This process's own, without what would have clients of S3 look elsewhere than they are told."""
    return {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | (more or {})


def sync_file_system(folder):
    subprocess.run(["sync", "--file-system", str(folder)], check=True)


def forget_cached(folder):
    """Takes files out of the page cache, so that the next reader has to ask the drive. What is not written yet stays."""
    for path in Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def allocated_bytes(folder):
    """What the files under a folder take on their drive."""
    return sum(path.lstat().st_blocks * 512 for path in Path(folder).rglob("*") if path.is_file())


def require_same(first, second):
    """The files of two folders, byte for byte."""
    names = sorted(path.name for path in Path(first).iterdir())
    found = sorted(path.name for path in Path(second).iterdir())
    if names != found:
        raise BenchFailure(f"{second} has {found}, not {names}")
    for name in names:
        if subprocess.run(["cmp", "--silent", str(Path(first) / name), str(Path(second) / name)], check=False).returncode != 0:
            raise BenchFailure(f"{name} came back with other content in {second}")
