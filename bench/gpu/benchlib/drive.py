"""How fast a drive reads: direct, several at once, the very files that a thaw will read."""

import mmap
import os
import time
from pathlib import Path

from .failure import BenchFailure
from .processes import at_once

READERS = 16
PIECE_BYTES = 4 << 20
LEAST_FILE_BYTES = 64 << 10
MOST_BYTES = 8 << 30


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


def read_direct(path):
    """Bytes read past the page cache."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError as failure:
        raise BenchFailure(f"{path} cannot be read directly: {failure}") from None
    # Memory from mmap is aligned as direct reads want it.
    buffer = mmap.mmap(-1, PIECE_BYTES)
    total = 0
    try:
        while True:
            got = os.preadv(descriptor, [buffer], total)
            total += got
            if got < PIECE_BYTES:
                return total
    finally:
        os.close(descriptor)
        buffer.close()


def measure_read(folder, most_bytes=MOST_BYTES, readers=READERS):
    """Reads up to `most_bytes` of the files under `folder`, which should be on the drive to measure."""
    files = largest_files(folder, most_bytes)
    if not files:
        raise BenchFailure(f"there is nothing to read under {folder}")
    started = time.monotonic()
    with at_once(readers) as pool:
        total = sum(pool.map(read_direct, files))
    seconds = time.monotonic() - started
    return {"bytesPerSecond": total / seconds, "readBytes": total, "files": len(files), "readers": readers, "seconds": round(seconds, 3)}
