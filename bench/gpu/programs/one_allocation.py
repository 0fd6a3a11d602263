#!/usr/bin/env python3
"""Memory on the first GPU that it sees: `one_allocation.py [--devices 0,2]`. Says "ready N" (how many GPUs it sees) and, for each line
that it reads, whether its bytes are the same. With --devices it has a /dev of its own with the nodes of those GPUs alone, as a container
has. By the driver alone: no preload, no framework."""

import ctypes
import os
import stat
import subprocess
import sys
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p
from pathlib import Path

BYTES = 4 << 20
CLONE_NEWNS = 0x20000


def checked(result):
    if result != 0:
        sys.exit(f"the driver says {result}")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def keep_devices(kept):
    """A mount namespace whose /dev has, of the GPUs' nodes, only those; and a driver that makes no others."""
    nodes = {node: os.stat(node) for node in Path("/dev").iterdir() if node.is_char_device()}
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        sys.exit("no mount namespace: this takes root")
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "gpusnap-dev", "/dev")
    for node, status in nodes.items():
        number = node.name.removeprefix("nvidia")
        if node.name.startswith("nvidia") and number.isdigit() and int(number) not in kept:
            continue
        os.mknod(node, 0o666 | stat.S_IFCHR, status.st_rdev)
    Path("/dev/shm").mkdir()
    mount("-t", "tmpfs", "gpusnap-shm", "/dev/shm")
    # As root the driver would make a node that it misses.
    settings = Path("/proc/driver/nvidia/params")
    if settings.exists():
        own = Path("/dev/shm/params")
        own.write_text(settings.read_text().replace("ModifyDeviceFiles: 1", "ModifyDeviceFiles: 0"))
        mount("--bind", str(own), str(settings))


def main(arguments):
    if arguments:
        keep_devices({int(each) for each in arguments[1].split(",")})
    cuda = ctypes.CDLL("libcuda.so.1")
    count, context, address = c_int(), c_void_p(), c_uint64()
    checked(cuda.cuInit(0))
    checked(cuda.cuDeviceGetCount(byref(count)))
    checked(cuda.cuDevicePrimaryCtxRetain(byref(context), 0))
    checked(cuda.cuCtxSetCurrent(context))
    checked(cuda.cuMemAlloc_v2(byref(address), c_size_t(BYTES)))
    content = os.urandom(BYTES)
    checked(cuda.cuMemcpyHtoD_v2(address, content, c_size_t(BYTES)))
    print(f"ready {count.value}", flush=True)
    for _ in sys.stdin:
        back = ctypes.create_string_buffer(BYTES)
        checked(cuda.cuMemcpyDtoH_v2(back, address, c_size_t(BYTES)))
        print("same" if back.raw == content else "different", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
