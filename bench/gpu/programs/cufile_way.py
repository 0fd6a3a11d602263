#!/usr/bin/env python3
"""One file through cuFile in one way, in a process of its own, for cuFile is loaded and set up once: opens its driver, registers
the file, reads it to the device, compares. Prints one JSON object with what each step said. By cuFile and the driver alone, without
libgpusnap.

    cufile_way.py FILE --library LIBCUFILE [--no-direct] [--udev]

--udev: with an entry of udev's database that says of the file's block device what cuFile asks for, in a mount namespace of this
process; nothing else on the machine sees it."""

import argparse
import ctypes as c
import json
import os
from pathlib import Path

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
UDEV = Path("/run/udev")
NAMES = {
    5001: "DRIVER_NOT_INITIALIZED", 5007: "PLATFORM_NOT_SUPPORTED", 5008: "IO_NOT_SUPPORTED", 5009: "DEVICE_NOT_SUPPORTED",
    5010: "NVFS_DRIVER_ERROR", 5011: "CUDA_DRIVER_ERROR", 5018: "INVALID_FILE_TYPE", 5019: "INVALID_FILE_OPEN_FLAG",
    5020: "DIO_NOT_SET", 5022: "INVALID_VALUE", 5025: "PERMISSION_DENIED", 5027: "HANDLE_NOT_REGISTERED",
    5028: "HANDLE_ALREADY_REGISTERED", 5029: "DEVICE_NOT_FOUND", 5030: "INTERNAL_ERROR", 5034: "IO_DISABLED",
}  # fmt: skip


class Error(c.Structure):
    _fields_ = [("err", c.c_int), ("cu_err", c.c_int)]

    def told(self):
        return "ok" if self.err == 0 else f"{self.err} {NAMES.get(self.err, '')} (CUDA {self.cu_err})"


class Handle(c.Union):
    _fields_ = [("fd", c.c_int), ("pointer", c.c_void_p)]


class Description(c.Structure):
    _fields_ = [("type", c.c_int), ("handle", Handle), ("operations", c.c_void_p)]


class Properties(c.Structure):
    _fields_ = [("major", c.c_uint), ("minor", c.c_uint), ("poll", c.c_size_t), ("direct", c.c_size_t), ("status", c.c_uint), ("control", c.c_uint), ("rest", c.c_ubyte * 512)]


def with_udev_entry(file):
    """As udevd would have it of a disk with a file system."""
    libc = c.CDLL(None, use_errno=True)

    def must(result, what):
        if result != 0:
            raise OSError(c.get_errno(), what)

    must(libc.unshare(CLONE_NEWNS), "unshare")
    must(libc.mount(b"none", b"/", None, c.c_ulong(MS_REC | MS_PRIVATE), None), "mount /")
    UDEV.mkdir(exist_ok=True)
    must(libc.mount(b"tmpfs", str(UDEV).encode(), b"tmpfs", c.c_ulong(0), None), "mount /run/udev")
    (UDEV / "data").mkdir()
    (UDEV / "control").touch()
    device = os.stat(file).st_dev
    entry = ["I:1", "E:ID_FS_TYPE=ext4", "E:ID_FS_USAGE=filesystem", "E:ID_FS_VERSION=1.0", "G:systemd", "V:1"]
    (UDEV / f"data/b{os.major(device)}:{os.minor(device)}").write_text("\n".join(entry) + "\n")


def driver_memory(size):
    cu = c.CDLL("libcuda.so.1")
    context, address = c.c_void_p(), c.c_uint64()
    for result in (cu.cuInit(0), cu.cuDevicePrimaryCtxRetain(c.byref(context), 0), cu.cuCtxSetCurrent(context), cu.cuMemAlloc_v2(c.byref(address), c.c_size_t(size))):
        if result != 0:
            raise RuntimeError(f"the driver says {result}")
    return cu, address


def attempt(options, found):
    content = options.file.read_bytes()
    if options.udev:
        with_udev_entry(options.file)
    cu, address = driver_memory(len(content))
    cufile = c.CDLL(options.library)
    for name in ("cuFileDriverOpen", "cuFileDriverGetProperties", "cuFileHandleRegister"):
        getattr(cufile, name).restype = Error
    cufile.cuFileRead.restype = c.c_ssize_t
    version = c.c_int()
    if hasattr(cufile, "cuFileGetVersion"):
        cufile.cuFileGetVersion.restype = Error
        cufile.cuFileGetVersion(c.byref(version))
        found["version"] = version.value
    found["open"] = cufile.cuFileDriverOpen().told()
    properties = Properties()
    found["properties"] = cufile.cuFileDriverGetProperties(c.byref(properties)).told()
    found["status"], found["control"] = hex(properties.status), hex(properties.control)
    descriptor = os.open(options.file, os.O_RDONLY | (0 if options.no_direct else os.O_DIRECT))
    description = Description(type=1, handle=Handle(fd=descriptor))
    handle = c.c_void_p()
    registered = cufile.cuFileHandleRegister(c.byref(handle), c.byref(description))
    found["register"] = registered.told()
    if registered.err != 0:
        return
    count = cufile.cuFileRead(handle, c.c_void_p(address.value), c.c_size_t(len(content)), c.c_long(0), c.c_long(0))
    found["read"] = f"{count} bytes" if count >= 0 else f"{count} {NAMES.get(-count, '')}"
    back = c.create_string_buffer(len(content))
    cu.cuMemcpyDtoH_v2(back, address, c.c_size_t(len(content)))
    found["equal"] = back.raw == content


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("file", type=Path)
    p.add_argument("--library", default="libcufile.so.0")
    p.add_argument("--no-direct", action="store_true")
    p.add_argument("--udev", action="store_true")
    options = p.parse_args()
    found = {}
    try:
        attempt(options, found)
    except (OSError, RuntimeError) as failure:
        found["failure"] = f"{type(failure).__name__}: {failure}"
    print(json.dumps(found), flush=True)
    os._exit(0)  # cuFile's threads have nothing more to do
