"""How fast a drive reads: direct, several at once, the very files that a thaw will read. A floor must be one: the best of several
depths counts, and nothing but the drive is waited for."""

import mmap
import os
import threading
import time
from pathlib import Path

from .failure import BenchFailure
from .processes import at_once

READERS = (4, 16, 32)
PIECE_BYTES = 4 << 20
LEAST_FILE_BYTES = 64 << 10
MOST_BYTES = 4 << 30


def largest_files(folder, most_bytes):
    """Files worth reading, up to that many bytes."""
    files = sorted(((path.stat().st_size, path) for path in Path(folder).rglob("*") if path.is_file()), reverse=True)
    chosen, total = [], 0
    for size, path in files:
        if size < LEAST_FILE_BYTES or total >= most_bytes:
            break
        chosen.append(path)
        total += size
    return chosen


class Buffers(threading.local):
    """One for each reader, touched before: pages that are made while it reads are no time of the drive's."""

    def __init__(self):
        # Memory from mmap is aligned as direct reads want it.
        self.memory = mmap.mmap(-1, PIECE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for page in range(0, PIECE_BYTES, mmap.PAGESIZE):
            self.memory[page] = 1


def read_direct(path, buffers):
    """Bytes read past the page cache."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError as failure:
        raise BenchFailure(f"{path} cannot be read directly: {failure}") from None
    total, size = 0, os.fstat(descriptor).st_size
    try:
        while total < size:
            got = os.preadv(descriptor, [buffers.memory], total)
            if got == 0:
                raise BenchFailure(f"{path} became shorter")
            total += got
        return total
    finally:
        os.close(descriptor)


def measure_read(folder, most_bytes=MOST_BYTES, readers=READERS):
    """Reads up to `most_bytes` of the files under `folder`, which should be on the drive to measure, with each of these numbers of
    readers: what the fastest had, and each."""
    files = largest_files(folder, most_bytes)
    if not files:
        raise BenchFailure(f"there is nothing to read under {folder}")
    each = [read_by(files, count) for count in readers]
    return max(each, key=lambda one: one["bytesPerSecond"]) | {"each": each}


def read_by(files, readers):
    buffers = Buffers()
    started = time.monotonic()
    with at_once(readers) as pool:
        total = sum(pool.map(lambda path: read_direct(path, buffers), files))
    seconds = time.monotonic() - started
    return {"bytesPerSecond": total / seconds, "readBytes": total, "files": len(files), "readers": readers, "seconds": round(seconds, 3)}
