"""Device memory as workloads under the preload have it: mapped, exportable, by the driver's own interface."""

import ctypes as c

from .failure import BenchFailure

PINNED, POSIX_DESCRIPTOR, DEVICE, READ_WRITE = 1, 1, 1, 3


class Location(c.Structure):
    _fields_ = [("type", c.c_int), ("id", c.c_int)]


class Properties(c.Structure):
    _fields_ = [
        ("type", c.c_int),
        ("requested_handle_types", c.c_int),
        ("location", Location),
        ("meta_data", c.c_void_p),
        ("flags", c.c_uint8 * 8),
    ]


class Access(c.Structure):
    _fields_ = [("location", Location), ("flags", c.c_int)]


class DeviceMemory:
    """One allocation on a GPU, in its primary context; goes with the process."""

    def __init__(self, driver, size_bytes, gpu=0):
        self.cuda = c.CDLL(str(driver) if driver else "libcuda.so.1")
        self.context = c.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDevicePrimaryCtxRetain", c.byref(self.context), gpu)
        self.call("cuCtxSetCurrent", self.context)
        properties = Properties(PINNED, POSIX_DESCRIPTOR, Location(DEVICE, gpu))
        granularity = c.c_size_t()
        self.call("cuMemGetAllocationGranularity", c.byref(granularity), c.byref(properties), 0)
        size = c.c_size_t(-(-size_bytes // granularity.value) * granularity.value)
        handle, address = c.c_uint64(), c.c_uint64()
        self.call("cuMemCreate", c.byref(handle), size, c.byref(properties), c.c_uint64(0))
        self.call("cuMemAddressReserve", c.byref(address), size, c.c_size_t(0), c.c_uint64(0), c.c_uint64(0))
        self.call("cuMemMap", address, size, c.c_size_t(0), handle, c.c_uint64(0))
        self.call("cuMemSetAccess", address, size, c.byref(Access(Location(DEVICE, gpu), READ_WRITE)), c.c_size_t(1))
        self.address = address.value

    def call(self, name, *arguments):
        result = getattr(self.cuda, name)(*arguments)
        if result != 0:
            raise BenchFailure(f"{name}: CUDA error {result}")
