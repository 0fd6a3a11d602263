"""What no store can be faster than on this machine: its drive, by fio, and its memory."""

import json
import subprocess

from benchlib.failure import BenchFailure

# Direct, four of them in flight: more brings nothing on the drives seen so far, less is slower.
OPTIONS = ["--bs=4m", "--iodepth=4", "--ioengine=io_uring", "--direct=1"]


def drive(folder, size_bytes):
    """Bytes per second of writing (until it is durable) and reading one file, past the page cache."""
    file = folder / "fio"
    try:
        return {
            "writeBytesPerSecond": fio(file, "write", size_bytes, [*OPTIONS, "--end_fsync=1"]),
            "readBytesPerSecond": fio(file, "read", size_bytes, OPTIONS),
        }
    finally:
        file.unlink(missing_ok=True)


def memory(folder, size_bytes, jobs):
    """Bytes per second of writing new files on a tmpfs: what a restore into memory has to do."""
    try:
        return fio(None, "write", size_bytes // jobs, ["--bs=4m", "--ioengine=psync", f"--directory={folder}", f"--numjobs={jobs}", "--group_reporting"])
    finally:
        for file in folder.glob("floor.*"):
            file.unlink()


def fio(file, verb, size_bytes, options):
    place = [f"--filename={file}"] if file else []
    command = ["fio", "--name=floor", f"--rw={verb}", f"--size={size_bytes}", "--output-format=json", *place, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailure(f"fio failed: {done.stderr or done.stdout}")
    job = json.loads(done.stdout[done.stdout.index("{") :])["jobs"][0]
    # By its own clock, from the first byte to the fsync.
    return job[verb]["io_bytes"] / (job["job_runtime"] / 1000) if job.get("job_runtime") else float(job[verb]["bw_bytes"])
