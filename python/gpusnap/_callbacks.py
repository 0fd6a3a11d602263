"""Functions that run before a snapshot and after it."""

import atexit
import ctypes
import enum
import itertools
import sys
import threading
import traceback

from ._native import QUIESCE, REASON_BYTES, RESUME, call


class Resume(enum.IntEnum):
    """Why a resume function is called."""

    RESUMED = 0
    """All content is as before."""
    THAWED = 1
    """Memory was given back and came again: what was declared rebuildable may be zero."""
    GIVEN_UP = 2
    """The quiesce came to nothing: all content is as before."""


def on_quiesce(function):
    """Decorator: function(remaining_seconds) runs before the memory is saved, while CUDA still works.

    If it raises, nothing is saved, the process goes on, and the exception's text is the reason that is told.
    """
    return _register("quiesce", function)


def on_resume(function):
    """Decorator: function(reason) runs when the process goes on; the reason is a Resume.

    It goes with the on_quiesce function that was registered last before it. What it raises goes to standard error.
    """
    return _register("resume", function)


def remove(function):
    """Takes back a registered function, or raises ValueError. It does not run when this returns, unless it is the caller."""
    with _lock:
        found = [entry for entry in _registered.items() if entry[1][1] is function or entry[1][1] == function]
        if not found:
            raise ValueError(f"not registered: {function!r}")
        key, (kind, _) = found[-1]
        del _registered[key]
    _take_back(kind, key)


# One C function for each kind; the key says which Python function is meant. So nothing that C may still call is ever freed.
_registered = {}
_keys = itertools.count(1)
_lock = threading.Lock()


def _register(kind, function):
    if not callable(function):
        raise TypeError(f"not callable: {function!r}")
    with _lock:
        key = next(_keys)
        _registered[key] = (kind, function)
    call("on_" + kind, _THUNKS[kind], key)  # without the preload it is remembered all the same, so that remove() finds it
    return function


def _function_of(key):
    with _lock:
        return _registered.get(key, (None, None))[1]


def _run_quiesce(key, remaining_ms, reason):
    function = _function_of(key)
    if function is None:
        return 0
    try:
        function(remaining_ms / 1000)
        return 0
    except BaseException as problem:  # also SystemExit: this thread is not Python's to end
        _tell(reason, str(problem) or type(problem).__name__)
        return 1


def _tell(reason, text):
    encoded = text.encode("utf-8")[: REASON_BYTES - 1].decode("utf-8", "ignore").encode("utf-8")
    ctypes.memmove(reason, encoded + b"\0", len(encoded) + 1)


def _run_resume(key, reason):
    function = _function_of(key)
    if function is None:
        return
    try:
        function(Resume(reason))
    except BaseException:
        traceback.print_exc(file=sys.stderr)


_THUNKS = {"quiesce": QUIESCE(_run_quiesce), "resume": RESUME(_run_resume)}


def _take_back(kind, key):
    call("off_" + kind, _THUNKS[kind], key)


@atexit.register
def _end():
    """The interpreter is about to go: nothing may call into it after that."""
    with _lock:
        left = list(_registered.items())
        _registered.clear()
    for key, (kind, _) in left:
        _take_back(kind, key)
