"""The driver's checkpoint of another process, by its own calls alone: no library of gpusnap."""

import ctypes

from .failure import BenchFailure

LOCK_MS = 10_000


class Verbs:
    """Called with a verb and a process; `cuda` is the driver, started."""

    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        if self.cuda.cuInit(0) != 0:
            raise BenchFailure("the driver does not start")

    def __call__(self, verb, pid):
        arguments = (ctypes.c_uint64 * 8)()
        if verb == "Lock":
            arguments[0] = LOCK_MS
        result = getattr(self.cuda, f"cuCheckpointProcess{verb}")(pid, arguments)
        if result != 0:
            raise BenchFailure(f"cuCheckpointProcess{verb} of process {pid} says {result}")
