"""Functions that run before a snapshot and after it."""

import atexit
import ctypes
import enum
import itertools
import os
import sys
import threading
import traceback
from _thread import start_new_thread

from ._native import QUIESCE, REASON_BYTES, RESUME, active, call


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
        found = [entry for entry in list(_registered.items()) if entry[1][1] is function or entry[1][1] == function]
        if not found:
            raise ValueError(f"not registered: {function!r}")
        key, (kind, _) = found[-1]
        del _registered[key]
        if _running.get(key) == threading.get_ident():
            _to_take_back.add(key)
            return
    _take_back(kind, key)


# One C function for each kind; the key says which Python function is meant. So nothing that C may still call is ever freed.
_registered = {}
_keys = itertools.count(1)
_running = {}  # key: thread
_to_take_back = set()  # removed by themselves
_ended = False
_lock = threading.RLock()  # a finalizer or a signal handler may come in between; never held while waiting


def _register(kind, function):
    if not callable(function):
        raise TypeError(f"not callable: {function!r}")
    with _lock:
        key = next(_keys)
        _registered[key] = (kind, function)
    call("on_" + kind, _THUNKS[kind], key)  # without the preload it is remembered all the same, so that remove() finds it
    return function


def _run_quiesce(key, remaining_ms, reason):
    def call_it(function):
        try:
            function(remaining_ms / 1000)
            return None
        except BaseException as problem:  # also SystemExit: this thread is not Python's to end
            return str(problem) or type(problem).__name__

    refusal = _run("quiesce", key, call_it)
    if refusal is None:
        return 0
    _tell(reason, refusal)
    return 1


def _tell(reason, text):
    encoded = text.encode("utf-8")[: REASON_BYTES - 1].decode("utf-8", "ignore").encode("utf-8")
    ctypes.memmove(reason, encoded + b"\0", len(encoded) + 1)


def _run_resume(key, reason):
    def call_it(function):
        try:
            function(Resume(reason))
        except BaseException:
            traceback.print_exc(file=sys.stderr)

    _run("resume", key, call_it)


def _run(kind, key, call_it):
    """What call_it(function) returns, None when there is no function any more.

    The function gets a thread that is wholly Python's. The preload's thread, which is here, waits meanwhile without the
    interpreter's lock: when the interpreter ends it ends every other thread that asks for the lock, and to do so
    with C++ on the stack aborts the process.
    """
    answers = []
    done = threading.Lock()
    done.acquire()

    def body():
        with _lock:
            function = _registered.get(key, (None, None))[1]
            _running[key] = threading.get_ident()
        if function is not None:
            answers.append(call_it(function))
        with _lock:
            _running.pop(key, None)
            if not _ended:
                done.release()  # else the preload's thread stays where it is

    with _lock:
        if key not in _registered:
            return None
        _running[key] = None
    try:
        start_new_thread(body, ())
    except RuntimeError:
        body()  # no thread to be had: better called on this one than not at all
    done.acquire()
    with _lock:
        mine = key in _to_take_back
        _to_take_back.discard(key)
    if mine:
        _take_back(kind, key)  # on the preload's thread this does not wait
    return answers[0] if answers else None


_THUNKS = {"quiesce": QUIESCE(_run_quiesce), "resume": RESUME(_run_resume)}


def _take_back(kind, key):
    call("off_" + kind, _THUNKS[kind], key)


@atexit.register
def _end():
    """The interpreter is about to go: nothing may call into it after that.

    Taking back waits for a function that runs, and that one may hang. Those that run are left as they are: their threads of the
    preload's do not come back. The others are soon back, since from here on they find nothing registered.
    """
    global _ended
    with _lock:
        _ended = True
        idle = [(kind, key) for key, (kind, _) in list(_registered.items()) if key not in _running]
        _registered.clear()
    for kind, key in idle:
        _take_back(kind, key)


def _after_fork():
    """The lock may be held by a thread that is not there, as what runs ran in one.

    Nothing is registered in the child of a process that uses CUDA. Where CUDA was not in use yet the child may go on to use it;
    then the preload has its functions as before, and to leave out one that resets what is rebuildable would be an error
    that nobody notices.
    """
    global _lock
    _lock = threading.RLock()
    _running.clear()
    _to_take_back.clear()
    if not active():
        _registered.clear()


os.register_at_fork(after_in_child=_after_fork)
