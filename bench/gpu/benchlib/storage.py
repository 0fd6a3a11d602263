"""Files to device memory by libgpusnap: through cuFile, or by direct reads into the pinned pool and copies from there."""

import ctypes as c
import hashlib
import os
import time

from .failure import BenchFailure
from .gpusnap import HOST_TO_DEVICE, PoolArgs
from .processes import at_once

CHUNK_BYTES = 4 << 20
LEAF_BYTES = 4096
# As the daemon reads: so many chunks a call, with their digests behind them.
BATCH = 16


class StorageArgs(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("compatibility", c.c_uint32), ("library_path", c.c_char_p), ("folder", c.c_char_p)]


class StorageInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("available", c.c_uint8),
        ("direct", c.c_uint8),
        ("reserved", c.c_uint8 * 2),
        ("reason", c.c_char * 512),
    ]


class ReadItem(c.Structure):
    _fields_ = [("path", c.c_char_p), ("file_offset", c.c_uint64), ("device_address", c.c_uint64), ("size_bytes", c.c_uint64)]


class CopyItem(c.Structure):
    _fields_ = [("device_address", c.c_uint64), ("host_address", c.c_void_p), ("size_bytes", c.c_uint64)]


class Digest(c.Structure):
    _fields_ = [("sha256_tree", c.c_uint8 * 32), ("zero", c.c_uint8), ("reserved", c.c_uint8 * 7)]


def tree_digest(content):
    """sha256-tree-4k of docs/formats.md."""
    leaves = (content[at : at + LEAF_BYTES] for at in range(0, len(content), LEAF_BYTES))
    return hashlib.sha256(b"".join(hashlib.sha256(leaf).digest() for leaf in leaves)).hexdigest()


def write_chunks(folder, count):
    """Files of a chunk each, no two alike, on the drive; answers with their paths."""
    base = os.urandom(CHUNK_BYTES)
    paths = []
    for number in range(count):
        turn = number * 4099 % CHUNK_BYTES
        path = folder / f"{number:06}"
        with path.open("wb") as file:
            file.write(base[turn:] + base[:turn])
            file.flush()
            os.fsync(file.fileno())
        paths.append(path)
    return paths


def query(gpusnap, folder, cufile=None):
    """What cuFile says of this machine and of files of that folder, compatibility mode included, and how long its start takes."""
    info = StorageInfo(struct_size=c.sizeof(StorageInfo))
    args = StorageArgs(c.sizeof(StorageArgs), 1, str(cufile).encode() if cufile else None, str(folder).encode())
    started = time.monotonic()
    gpusnap.call("gpusnap_storage_query", c.byref(args), c.byref(info))
    return {
        "available": bool(info.available),
        "direct": bool(info.direct),
        "reason": info.reason.decode(),
        "startSeconds": round(time.monotonic() - started, 4),
    }


class Way:
    """Reads every file to its place in device memory, batches of them by several threads; the digests are the device's. The
    memory is cleared before: right digests are then of bytes that this run has brought."""

    def __init__(self, gpusnap, paths, address):
        self.gpusnap = gpusnap
        self.paths = paths
        self.address = address

    def place(self, number):
        return self.address + number * CHUNK_BYTES

    def clear(self):
        self.gpusnap.call(
            "gpusnap_fill_zero", c.c_uint32(0), c.c_uint64(self.address), c.c_uint64(len(self.paths) * CHUNK_BYTES)
        )

    def run(self, threads):
        """(seconds, digests); the clearing is not in the seconds."""
        self.clear()
        digests = [None] * len(self.paths)

        def work(numbers):
            for number, digest in zip(numbers, self.batch(numbers), strict=True):
                digests[number] = bytes(digest.sha256_tree).hex()

        batches = [range(at, min(at + BATCH, len(self.paths))) for at in range(0, len(self.paths), BATCH)]
        started = time.monotonic()
        with at_once(threads) as pool:
            list(pool.map(work, batches))
        return time.monotonic() - started, digests


class ThroughCufile(Way):
    name = "cuFile"

    def batch(self, numbers):
        items = (ReadItem * len(numbers))(*(ReadItem(bytes(self.paths[n]), 0, self.place(n), CHUNK_BYTES) for n in numbers))
        digests = (Digest * len(numbers))()
        self.gpusnap.call("gpusnap_read_to_device", c.c_uint32(0), items, c.c_size_t(len(numbers)), digests)
        return digests


class ThroughPool(Way):
    """Each batch has slots of its own: no thread waits for another."""

    name = "pinnedPool"

    def __init__(self, gpusnap, paths, address, pool_file):
        super().__init__(gpusnap, paths, address)
        size = len(paths) * CHUNK_BYTES
        pool = c.c_void_p()
        gpusnap.call("gpusnap_pool_open", c.byref(PoolArgs(c.sizeof(PoolArgs), 0, str(pool_file).encode(), size)), c.byref(pool))
        os.unlink(pool_file)
        gpusnap.lib.gpusnap_pool_base.restype = c.c_void_p
        self.base = gpusnap.lib.gpusnap_pool_base(pool)
        self.memory = memoryview((c.c_char * size).from_address(self.base)).cast("B")

    def clear(self):
        super().clear()
        c.memset(self.base, 0, len(self.paths) * CHUNK_BYTES)

    def batch(self, numbers):
        for number in numbers:
            self.read(number)
        host = [self.base + n * CHUNK_BYTES for n in numbers]
        items = (CopyItem * len(numbers))(*(CopyItem(self.place(n), at, CHUNK_BYTES) for n, at in zip(numbers, host, strict=True)))
        digests = (Digest * len(numbers))()
        self.gpusnap.call(
            "gpusnap_copy", c.c_uint32(0), c.c_int32(HOST_TO_DEVICE), items, c.c_size_t(len(numbers)), digests
        )
        return digests

    def read(self, number):
        descriptor = os.open(self.paths[number], os.O_RDONLY | os.O_DIRECT | os.O_NOFOLLOW)
        try:
            slot = self.memory[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            got = os.preadv(descriptor, [slot], 0)
            if got != CHUNK_BYTES:
                raise BenchFailure(f"{self.paths[number]}: {got} bytes read of {CHUNK_BYTES}")
        finally:
            os.close(descriptor)
