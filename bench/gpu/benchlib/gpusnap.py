"""libgpusnap by ctypes: inventory, the driver's checkpoint calls, and the pinned-copy floor.

As a program it prints one JSON line, so that the floor is measured in a process whose pinned memory ends with it:
    python3 -m benchlib.gpusnap LIBRARY DRIVER|- measure POOL_FILE SIZE_BYTES ROUNDS [GPU]
    python3 -m benchlib.gpusnap LIBRARY DRIVER|- describe
"""

import ctypes as c
import json
import os
import sys

from .failure import BenchFailure
from .processes import run

# What is used here is the same in these.
ABI_VERSIONS = (8,)
DEVICE_TO_HOST, HOST_TO_DEVICE = 0, 1
LOCK_TIMEOUT_MS = 10_000
FLOOR_BYTES = 4 << 30
SIMULATED_FLOOR_BYTES = 256 << 20
FLOOR_ROUNDS = 5


class InitArgs(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("abi_version", c.c_uint32), ("driver_path", c.c_char_p)]


class DriverInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("cuda_driver_version", c.c_int32),
        ("gpu_count", c.c_uint32),
        ("simulated", c.c_uint8),
        ("has_checkpoint", c.c_uint8),
        ("has_gpu_remap", c.c_uint8),
        ("has_custom_storage", c.c_uint8),
        ("driver_build", c.c_char * 64),
    ]


class GpuInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_uint32),
        ("ordinal", c.c_uint32),
        ("uuid", c.c_char * 48),
        ("name", c.c_char * 128),
        ("memory_bytes", c.c_uint64),
        ("free_bytes", c.c_uint64),
        ("granularity_bytes", c.c_uint64),
        ("compute_major", c.c_int32),
        ("compute_minor", c.c_int32),
        ("pci_domain", c.c_int32),
        ("pci_bus", c.c_int32),
        ("pci_device", c.c_int32),
        ("mig_enabled", c.c_uint8),
        ("exports_posix_fd", c.c_uint8),
    ]


class PoolArgs(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("reserved", c.c_uint32), ("path", c.c_char_p), ("size_bytes", c.c_uint64)]


class Gpusnap:
    def __init__(self, library, driver=None):
        try:
            self.lib = c.CDLL(str(library))
        except OSError as failure:
            raise BenchFailure(f"libgpusnap cannot be loaded: {failure}") from None
        self.lib.gpusnap_abi_version.restype = c.c_uint32
        version = self.lib.gpusnap_abi_version()
        if version not in ABI_VERSIONS:
            raise BenchFailure(f"libgpusnap speaks ABI {version}, this benchmark {' and '.join(map(str, ABI_VERSIONS))}")
        self.lib.gpusnap_last_error.restype = c.c_size_t
        path = str(driver).encode() if driver else None
        self.call("gpusnap_init", c.byref(InitArgs(c.sizeof(InitArgs), version, path)))

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status != 0:
            text = c.create_string_buffer(1024)
            self.lib.gpusnap_last_error(text, c.c_size_t(len(text)))
            raise BenchFailure(f"{name} failed with status {status}: {text.value.decode(errors='replace')}")

    def driver(self):
        driver = DriverInfo(struct_size=c.sizeof(DriverInfo))
        self.call("gpusnap_driver_query", c.byref(driver))
        return driver

    def count(self):
        return self.driver().gpu_count

    def gpu(self, ordinal):
        gpu = GpuInfo(struct_size=c.sizeof(GpuInfo))
        self.call("gpusnap_gpu_query", c.c_uint32(ordinal), c.byref(gpu))
        return gpu

    def describe(self):
        driver = self.driver()
        if driver.gpu_count == 0:
            raise BenchFailure("the driver reports no GPU")
        gpu = self.gpu(0)
        return {
            "device": gpu.name.decode(),
            "driver": driver.driver_build.decode(),
            "cudaDriverVersion": driver.cuda_driver_version,
            "simulated": bool(driver.simulated),
            "hasCheckpoint": bool(driver.has_checkpoint),
            "gpuMemoryBytes": gpu.memory_bytes,
            "computeCapability": f"{gpu.compute_major}.{gpu.compute_minor}",
        }

    def lock(self, pid):
        self.call("gpusnap_process_lock", c.c_int32(pid), c.c_uint32(LOCK_TIMEOUT_MS))

    def checkpoint(self, pid):
        self.call("gpusnap_process_checkpoint", c.c_int32(pid))

    def restore(self, pid):
        self.call("gpusnap_process_restore", c.c_int32(pid), None, c.c_size_t(0))

    def unlock(self, pid):
        self.call("gpusnap_process_unlock", c.c_int32(pid))

    def measure(self, pool_file, size_bytes, rounds, gpu=0):
        """Best of `rounds` plain copies each way between page-locked memory and the device, in bytes per second."""
        pool = c.c_void_p()
        self.call(
            "gpusnap_pool_open",
            c.byref(PoolArgs(c.sizeof(PoolArgs), 0, str(pool_file).encode(), size_bytes)),
            c.byref(pool),
        )
        try:
            self.lib.gpusnap_pool_pinned.restype = c.c_int32
            pinned = bool(self.lib.gpusnap_pool_pinned(pool))
            speeds = {}
            for name, direction in (("deviceToHost", DEVICE_TO_HOST), ("hostToDevice", HOST_TO_DEVICE)):
                speed = c.c_double()
                self.call(
                    "gpusnap_measure_copy",
                    c.c_uint32(gpu),
                    pool,
                    c.c_int32(direction),
                    c.c_uint64(size_bytes),
                    c.c_uint32(rounds),
                    c.byref(speed),
                )
                speeds[name] = speed.value
        finally:
            self.lib.gpusnap_pool_close(pool)
            os.unlink(pool_file)
        return {**speeds, "pinned": pinned, "sizeBytes": size_bytes, "rounds": rounds}


def measured_copy(settings, gpu=0):
    """The floor, measured in a process of its own."""
    size = SIMULATED_FLOOR_BYTES if settings.simulated else FLOOR_BYTES
    command = [
        sys.executable, "-m", "benchlib.gpusnap", settings.library, settings.driver or "-",
        "measure", settings.ram / f"floor-pool-{gpu}", size, FLOOR_ROUNDS, gpu,
    ]  # fmt: skip
    return json.loads(run(command, cwd=settings.here).splitlines()[-1])


def main(arguments):
    library, driver, verb, *rest = arguments
    gpusnap = Gpusnap(library, None if driver == "-" else driver)
    if verb == "measure":
        print(json.dumps(gpusnap.measure(rest[0], *map(int, rest[1:]))))
    else:
        print(json.dumps(gpusnap.describe()))


if __name__ == "__main__":
    main(sys.argv[1:])
