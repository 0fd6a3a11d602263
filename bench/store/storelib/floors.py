"""What no store can be faster than on this machine: its drive, by fio, and its memory."""

import json
import subprocess

from benchlib.failure import BenchFailure

OPTIONS = ["--bs=4m", "--ioengine=io_uring", "--direct=1"]
# In flight. A floor must be one: the depth counts that is fastest over all times that it was measured.
DEPTHS = (4, 8, 16, 32)


def drive(folder, size_bytes, turn):
    """Bytes per second of writing (until it is durable) and reading one file, past the page cache. Each depth has a part of it;
    with each `turn` another one begins, for what comes first on a rented drive is fastest."""
    file = folder / "fio"
    depths = [*DEPTHS[turn % len(DEPTHS) :], *DEPTHS[: turn % len(DEPTHS)]]
    part = size_bytes // len(DEPTHS)
    try:
        # The first one writes every byte. None of the others has an offset: fio would make the file longer, and all of it anew.
        writes = {
            depth: fio(file, "write", size_bytes, [*OPTIONS, f"--io_size={part if number else size_bytes}", f"--iodepth={depth}", "--end_fsync=1"])
            for number, depth in enumerate(depths)
        }
        reads = {
            depth: fio(file, "read", part, [*OPTIONS, f"--iodepth={depth}", f"--offset={number * part}"]) for number, depth in enumerate(depths)
        }
        return {depth: {"write": writes[depth], "read": reads[depth]} for depth in DEPTHS}
    finally:
        file.unlink(missing_ok=True)


def memory(folder, size_bytes, jobs):
    """Bytes per second of writing new files on a tmpfs, all cores at it: what a restore into memory has to do."""
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
    return rate(job, verb)


def rate(job, verb):
    """Bytes per second by fio's own clock, the fsync included: of one job the whole of it, of a group its longest, not their sum."""
    syncs = job.get("job_runtime", 0) if job.get("job options", {}).get("numjobs", "1") == "1" else 0
    milliseconds = max(job[verb]["runtime"], syncs)
    return job[verb]["io_bytes"] / (milliseconds / 1000)
