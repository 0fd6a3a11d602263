"""What lies under a folder: a store on a loop device, or on a file system that cannot be read past the page cache, is another thing
than one on a drive. Nothing here names a path of the machine."""

import mmap
import os
import tempfile
from pathlib import Path

from benchlib.machine import first_line

BLOCK_BYTES = 4096


def facts(folder):
    """`loop`: whether it is a loop device; then what its file lies on, and whether the kernel goes past the page cache for it."""
    source, kind = mounted(folder)
    device = Path("/sys/class/block") / Path(source).name / "loop"
    found = {"fileSystem": kind, "loop": device.is_dir(), "directIo": direct_works(folder)}
    if device.is_dir():
        found |= {"loopOn": kind_below(device / "backing_file"), "loopDirectIo": (device / "dio").read_text().strip() == "1"}
    return found


def mounted(folder):
    source, kind = first_line(["findmnt", "--noheadings", "--output", "SOURCE,FSTYPE", "--target", str(folder)]).split(maxsplit=1)
    return source, kind.strip()


def kind_below(backing_file):
    """Of a file that is deleted, or in another namespace, nobody knows it."""
    below = Path(backing_file.read_text().strip()).parent
    return mounted(below)[1] if below.is_dir() else None


def direct_works(folder):
    """Whether a block can be written and read past the page cache, as a store's chunks are."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="direct-")
    os.close(handle)
    block = mmap.mmap(-1, BLOCK_BYTES)  # page-aligned
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_DIRECT)
        try:
            return os.pwrite(descriptor, block, 0) == BLOCK_BYTES and os.preadv(descriptor, [block], 0) == BLOCK_BYTES
        finally:
            os.close(descriptor)
    except OSError:
        return False
    finally:
        os.unlink(name)
        block.close()
