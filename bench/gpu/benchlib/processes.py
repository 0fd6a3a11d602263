"""Starts processes in sessions of their own, and leaves none behind."""

import concurrent.futures
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from .failure import BenchFailure

PR_SET_CHILD_SUBREAPER = 36
# Both together, and the cleaning up after them, are less than what `all` waits for a script that it asked to end.
ASKED_SECONDS = 10
KILLED_SECONDS = 8


def exit_on_sigterm():
    """The first SIGTERM ends the script by way of its `finally`s, further ones do not cut those short."""

    def end(*_):
        spare_from_sigterm()
        sys.exit(143)

    signal.signal(signal.SIGTERM, end)


def spare_from_sigterm():
    """For what must not be cut short. A handler, for SIG_IGN would be inherited by programs."""
    signal.signal(signal.SIGTERM, lambda *_: None)


@contextlib.contextmanager
def at_once(count, give_up=lambda: None):
    """A pool of threads that does not wait for its tasks where its block fails or the script is to end: what has not begun is
    dropped, and `give_up` ends what the others wait for."""
    pool = concurrent.futures.ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        give_up()
        raise
    pool.shutdown()


def become_subreaper():
    """Makes restored processes (whose CRIU has gone) children of this one, so that their end can be reaped here."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise BenchFailure(f"prctl(PR_SET_CHILD_SUBREAPER) failed with errno {ctypes.get_errno()}")


def start_ticks(pid):
    """Start time of a process in clock ticks since boot, or None where there is no such (living) process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def parent(pid):
    """Parent of a process or zombie, None where there is none."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def reap(pid):
    """Takes the exit status of a child that has ended, so that its pid is free again; harmless for others' children."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def descendants(pid):
    found = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return found
    for thread in threads:
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in map(int, children):
            found += [child, *descendants(child)]
    return found


class Running:
    """A process that this benchmark answers for: started by it, or restored from something that it started."""

    def __init__(self, name, pid, log, popen=None):
        self.name = name
        self.pid = pid
        self.log = log
        self.popen = popen
        self.ticks = start_ticks(pid)

    def alive(self):
        if self.popen is not None:
            self.popen.poll()
        else:
            reap(self.pid)
        return self.ticks is not None and start_ticks(self.pid) == self.ticks

    def wait_gone(self, seconds):
        """Until it has ended and, where it is a child of this process, its pid is free again."""
        deadline = time.monotonic() + seconds
        while self.alive() or self.unreaped():
            if time.monotonic() > deadline:
                raise BenchFailure(f"{self.name} (pid {self.pid}) is still there after {seconds} s")
            time.sleep(0.005)

    def unreaped(self):
        """The first thread of a process is a zombie before its last thread has ended: only then can it be reaped."""
        self.reap()
        return parent(self.pid) == os.getpid()

    def reap(self):
        if self.popen is not None:
            self.popen.poll()
        reap(self.pid)

    def require_alive(self):
        if not self.alive():
            raise BenchFailure(f"{self.name} (pid {self.pid}) has ended; its last lines:\n{tail(self.log)}")

    def stop(self, politely=True, seconds=20):
        if not self.alive():
            self.reap()
            return
        family = [self.pid, *descendants(self.pid)]
        if politely:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self.wait_gone(seconds)
            except BenchFailure:
                pass
        for pid in family:
            try:
                if pid == self.pid and not self.alive():
                    continue
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.wait_gone(seconds)
        deadline = time.monotonic() + seconds
        for pid in family:
            # A killed process is there until the kernel has taken it down.
            while start_ticks(pid) is not None and time.monotonic() < deadline:
                time.sleep(0.005)
            reap(pid)


def owner_only(path, flags):
    """Opens so that a new file is its owner's alone: what a process prints may not be meant for others."""
    return os.open(path, flags, 0o600)


class Supervisor:
    """Owns every process of a run."""

    def __init__(self, logs):
        self.logs = Path(logs)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running = []
        # Threads start processes while the script may be ending.
        self.lock = threading.Lock()
        self.stubborn = None

    def start(self, name, command, env=None, cwd=None):
        log = self.logs / f"{name}.log"
        with open(log, "ab", opener=owner_only) as out:
            return self.launch(name, command, log, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=cwd)

    def launch(self, name, command, log, **more):
        """A process of its own session, with its output as `more` says to subprocess.Popen."""
        with self.lock:
            if self.stubborn is not None:
                raise BenchFailure(f"{name} is not started: the script is ending")
            popen = subprocess.Popen([str(part) for part in command], start_new_session=True, **{"stdin": subprocess.DEVNULL, **more})
            self.running.append(Running(name, popen.pid, log, popen))
            return self.running[-1]

    def adopt(self, name, pid, log):
        process = Running(name, pid, log)
        self.running.append(process)
        return process

    def stop_all(self):
        """Ends everything at the same time, for good: nothing can be started afterwards. Says what would not end; a second
        call says the same."""
        with self.lock:
            if self.stubborn is None:
                self.ask_all()
                self.stubborn = self.kill_all()
        return self.stubborn

    def ask_all(self):
        """What was started here is asked, what was restored is killed; then they have one deadline together."""
        for process in self.running:
            if process.alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL if process.popen is None else signal.SIGTERM)
        deadline = time.monotonic() + ASKED_SECONDS
        while any([process.alive() for process in self.running]) and time.monotonic() < deadline:
            time.sleep(0.02)

    def kill_all(self):
        """Kills what is left, with whatever this process has become the parent of, and says what is there even then."""
        deadline = time.monotonic() + KILLED_SECONDS
        quiet = 0
        # Twice: a list of children that is read while some of them change their parent may lack them.
        while quiet < 2:
            left = self.left()
            quiet = 0 if left else quiet + 1
            if left and time.monotonic() > deadline:
                return [f"{name} (pid {pid}) is still there {KILLED_SECONDS} s after it was killed" for pid, name in left.items()]
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        return []

    def left(self):
        """{pid: name} of what lives: of the processes known here, and of all descendants."""
        found = {pid: "a child process" for pid in descendants(os.getpid()) if start_ticks(pid) is not None}
        return found | {process.pid: process.name for process in self.running if process.alive()}


def run(command, log=None, env=None, timeout=600, cwd=None):
    """Runs to the end and returns what it printed; a non-zero exit is a failure that shows the end of it."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        timeout=timeout,
        text=True,
        errors="replace",
        check=False,
    )
    if log is not None:
        with open(log, "w", opener=owner_only) as out:
            out.write(done.stdout)
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-15:])
        raise BenchFailure(f"'{' '.join(map(str, command))}' ended {done.returncode}:\n{last}")
    return done.stdout


def tail(log, lines=15):
    try:
        return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])
    except OSError as failure:
        return f"(no log: {failure})"
