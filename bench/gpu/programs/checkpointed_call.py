#!/usr/bin/env python3
"""One CUDA driver call, made while the process is checkpointed. `checkpointed_call.py list` names the calls;
`checkpointed_call.py CALL FOLDER` makes FOLDER/ready when it could make the call, waits for FOLDER/go, makes it and writes its
result to FOLDER/done. By the driver alone: no preload, no framework."""

import ctypes
import mmap
import sys
import time
from ctypes import byref, c_float, c_int, c_size_t, c_uint, c_uint64, c_void_p
from pathlib import Path

BYTES = 4 << 20


class Driver:
    def __getattr__(self, name):
        function = getattr(ctypes.CDLL("libcuda.so.1"), name)
        setattr(self, name, function)
        return function


def checked(result):
    if result != 0:
        sys.exit(f"the driver says {result}")


class State:
    """A context with a stream, two recorded events, device memory and page-locked memory of each kind."""

    def __init__(self, cu):
        self.context, self.stream, self.event, self.other = c_void_p(), c_void_p(), c_void_p(), c_void_p()
        self.device, self.locked, self.mapped = c_uint64(), c_void_p(), c_void_p()
        self.registered = mmap.mmap(-1, BYTES)
        checked(cu.cuInit(0))
        checked(cu.cuDevicePrimaryCtxRetain(byref(self.context), 0))
        checked(cu.cuCtxSetCurrent(self.context))
        checked(cu.cuStreamCreate(byref(self.stream), 1))
        for event in (self.event, self.other):
            checked(cu.cuEventCreate(byref(event), 0))
            checked(cu.cuEventRecord(event, self.stream))
        checked(cu.cuMemAlloc_v2(byref(self.device), c_size_t(BYTES)))
        checked(cu.cuMemHostAlloc(byref(self.locked), c_size_t(BYTES), 0))
        checked(cu.cuMemHostAlloc(byref(self.mapped), c_size_t(BYTES), 2))
        checked(cu.cuMemHostRegister_v2(c_void_p(self.registered_address()), c_size_t(BYTES), 0))
        for address in (self.locked.value, self.mapped.value, self.registered_address()):
            ctypes.memset(address, 5, BYTES)
        checked(cu.cuStreamSynchronize(self.stream))

    def registered_address(self):
        return ctypes.addressof(ctypes.c_char.from_buffer(self.registered))


def read(address):
    """0 when all bytes are as they were."""
    return 0 if ctypes.string_at(address, BYTES) == b"\5" * BYTES else 1


def write(address):
    ctypes.memset(address, 9, BYTES)
    return 0


def calls(cu, s):
    number, flags, milliseconds, size, total, address, handle = c_int(), c_uint(), c_float(), c_size_t(), c_size_t(), c_uint64(), c_void_p()
    return {
        "cuStreamQuery": lambda: cu.cuStreamQuery(s.stream),
        "cuStreamSynchronize": lambda: cu.cuStreamSynchronize(s.stream),
        "cuCtxSynchronize": lambda: cu.cuCtxSynchronize(),
        "cuEventQuery": lambda: cu.cuEventQuery(s.event),
        "cuEventSynchronize": lambda: cu.cuEventSynchronize(s.event),
        "cuEventElapsedTime": lambda: cu.cuEventElapsedTime(byref(milliseconds), s.event, s.other),
        "cuMemGetInfo": lambda: cu.cuMemGetInfo_v2(byref(size), byref(total)),
        "cuStreamIsCapturing": lambda: cu.cuStreamIsCapturing(s.stream, byref(number)),
        "cuStreamGetCaptureInfo": lambda: cu.cuStreamGetCaptureInfo_v2(s.stream, byref(number), byref(address), None, None, None),
        "cuStreamGetPriority": lambda: cu.cuStreamGetPriority(s.stream, byref(number)),
        "cuStreamGetFlags": lambda: cu.cuStreamGetFlags(s.stream, byref(flags)),
        "cuStreamGetCtx": lambda: cu.cuStreamGetCtx(s.stream, byref(handle)),
        "cuStreamGetId": lambda: cu.cuStreamGetId(s.stream, byref(address)),
        "cuCtxGetLimit": lambda: cu.cuCtxGetLimit(byref(size), 0),
        "cuCtxGetDevice": lambda: cu.cuCtxGetDevice(byref(number)),
        "cuCtxGetCurrent": lambda: cu.cuCtxGetCurrent(byref(handle)),
        "cuCtxGetStreamPriorityRange": lambda: cu.cuCtxGetStreamPriorityRange(byref(number), byref(number)),
        "cuDevicePrimaryCtxGetState": lambda: cu.cuDevicePrimaryCtxGetState(0, byref(flags), byref(number)),
        "cuDeviceGetAttribute": lambda: cu.cuDeviceGetAttribute(byref(number), 1, 0),
        "cuDeviceGetDefaultMemPool": lambda: cu.cuDeviceGetDefaultMemPool(byref(handle), 0),
        "cuDeviceCanAccessPeer": lambda: cu.cuDeviceCanAccessPeer(byref(number), 0, 0),
        "cuPointerGetAttribute": lambda: cu.cuPointerGetAttribute(byref(number), 2, s.device),
        "cuMemGetAddressRange": lambda: cu.cuMemGetAddressRange_v2(byref(address), byref(size), s.device),
        "cuMemHostGetDevicePointer": lambda: cu.cuMemHostGetDevicePointer_v2(byref(address), s.mapped, 0),
        "cuMemHostGetFlags": lambda: cu.cuMemHostGetFlags(byref(flags), s.locked),
        "cuGraphCreate": lambda: cu.cuGraphCreate(byref(handle), 0),
        "cuEventCreate": lambda: cu.cuEventCreate(byref(handle), 0),
        "cuEventDestroy": lambda: cu.cuEventDestroy_v2(s.other),
        "cuEventRecord": lambda: cu.cuEventRecord(s.other, s.stream),
        "cuStreamDestroy": lambda: cu.cuStreamDestroy_v2(s.stream),
        "cuMemcpyHtoDAsync": lambda: cu.cuMemcpyHtoDAsync_v2(s.device, s.locked, c_size_t(4096), s.stream),
        "cuMemFree": lambda: cu.cuMemFree_v2(s.device),
        "read of cuMemHostAlloc": lambda: read(s.locked.value),
        "write to cuMemHostAlloc": lambda: write(s.locked.value),
        "read of mapped cuMemHostAlloc": lambda: read(s.mapped.value),
        "write to mapped cuMemHostAlloc": lambda: write(s.mapped.value),
        "read of cuMemHostRegister": lambda: read(s.registered_address()),
        "write to cuMemHostRegister": lambda: write(s.registered_address()),
        "nothing": lambda: 0,
    }


def main(name, folder):
    driver = Driver()
    state = State(driver)  # to the end: memory that is unmapped while it is registered cannot be restored
    call = calls(driver, state)[name]
    (folder / "ready").touch()
    while not (folder / "go").exists():
        time.sleep(0.005)
    result = call()
    (folder / "done.new").write_text(str(result))
    (folder / "done.new").rename(folder / "done")
    while state is not None:
        time.sleep(1)


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print("\n".join(calls(Driver(), None)))
    else:
        main(sys.argv[1], Path(sys.argv[2]))
