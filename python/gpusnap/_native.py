"""The functions that the preload exports (gpusnap_hints.h), found in this process."""

import ctypes
import enum

REASON_BYTES = 256

QUIESCE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_char))
RESUME = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)


class Answer(enum.IntEnum):
    OK = 0
    NO_PRELOAD = 1
    INVALID = 2
    NOT_MANAGED = 3
    UNKNOWN = 4
    TOO_MANY = 5


SIGNATURES = {
    "rebuildable": (ctypes.c_uint64, ctypes.c_uint64, ctypes.c_char_p),
    "keep": (ctypes.c_uint64,),
    "on_quiesce": (QUIESCE, ctypes.c_void_p),
    "on_resume": (RESUME, ctypes.c_void_p),
    "off_quiesce": (QUIESCE, ctypes.c_void_p),
    "off_resume": (RESUME, ctypes.c_void_p),
}


def _find():
    # ctypes lets go of the interpreter's lock for the time of a call, so callbacks can run meanwhile.
    process = ctypes.CDLL(None)
    found = {}
    for name, arguments in SIGNATURES.items():
        function = getattr(process, "gpusnap_preload_hint_" + name, None)
        if function is None:
            return None
        function.argtypes = arguments
        function.restype = ctypes.c_int
        found[name] = function
    return found


_functions = _find()


def call(name, *arguments):
    return Answer.NO_PRELOAD if _functions is None else Answer(_functions[name](*arguments))


def active():
    """Whether gpusnap's preload is in this process: False also in a forked child of a process that uses CUDA."""
    return call("keep", 0) is not Answer.NO_PRELOAD
