"""The frame of a measuring script: its places, what it starts, its result, and that nothing is left behind."""

import ctypes
import os
import shutil
import sys
import tarfile
import time
import traceback
from pathlib import Path

from . import settings as configuration
from .budget import Budget
from .criu import Criu
from .failure import BenchFailure
from .gpusnap import Gpusnap, measured_copy
from .machine import describe_machine
from .processes import Supervisor, become_subreaper, exit_on_sigterm, spare_from_sigterm
from .result import Result

MACHINE = ("device", "driver", "machine")
# umount2: gone from here at once, and for good when nothing of it is open any more.
MNT_DETACH = 2


class Script:
    """What the steps of one run share."""

    def __init__(self, name, options, settings, required):
        self.name = name
        self.options = options
        self.settings = settings
        self.supervisor = Supervisor(settings.work / "logs")
        self.result = Result(settings.out, name, (*MACHINE, *required))
        self.budget = Budget(options.budget_seconds)
        self.gpu = None
        self.not_run = {}
        self.failures = []
        # What is recorded is a result already, should the script be ended now.
        self.enough = False

    def note(self, text):
        print(f"[{time.monotonic() - self.settings.started:7.1f} s] {text}", flush=True)

    def step(self, label, seconds, work, *arguments):
        """Runs work(*arguments), if the budget has about that many seconds; a failure is recorded and the script goes on.
        Returns what it returned, or None."""
        refusal = self.budget.refusal(seconds)
        if refusal is not None:
            self.skip(label, refusal)
            return None
        self.note(f"== {label}")
        try:
            return work(*arguments)
        except Exception as failure:  # noqa: BLE001  the result says what failed, whatever it was
            if not isinstance(failure, BenchFailure):
                traceback.print_exc()
            self.fail(label, failure)
            return None

    def skip(self, label, reason):
        self.not_run[label] = reason
        self.result.record(notRun=self.not_run)
        self.note(f"not run: {label}: {reason}")

    def fail(self, label, failure):
        self.failures.append(f"{label}: {failure}")
        self.result.record(failed=self.failures)
        self.note(f"FAILED {self.failures[-1]}")

    def preload(self, workload):
        """Environment of a process that is to be frozen."""
        library = self.settings.native_dir / "libgpusnap-preload.so"
        if not library.is_file():
            raise BenchFailure(f"{library} is not there: build gpu-native first")
        return {
            "LD_PRELOAD": str(library),
            "GPUSNAP_WORKLOAD": workload,
            "GPUSNAP_SOCKET_DIR": str(self.settings.work / "sockets"),
        }

    def measure_floor(self, gpu=0):
        """Plain copies between page-locked memory and the device, both ways, now: nothing that moves bytes is faster."""
        copy = measured_copy(self.settings, gpu)
        if not copy["pinned"]:
            raise BenchFailure("the pool of the floor measurement is not page-locked: its number would be no floor")
        return copy

    def describe(self):
        self.gpu = Gpusnap(self.settings.library, self.settings.driver)
        facts = self.gpu.describe()
        self.result.record(**facts, machine=describe_machine(self.settings, None if self.settings.lean else Criu(self.settings.criu)))
        if facts["simulated"] != self.settings.simulated:
            raise BenchFailure("a simulated driver answers: its numbers are no evidence; say --simulated to try the script")


def remove_ram(ram):
    """With what a daemon that was killed left mounted there."""
    with open("/proc/self/mounts", encoding="utf-8") as table:
        points = [line.split()[1] for line in table]
    for point in reversed(points):
        if Path(point).is_relative_to(ram):
            ctypes.CDLL(None).umount2(os.fsencode(point), MNT_DETACH)
    shutil.rmtree(ram, ignore_errors=True)


def run(name, options, body, pool_gib, ram_gib, required, gpus=1, **more):
    """Runs body(script) and ends the process: 0 if everything that was begun succeeded and the required values are there."""
    try:
        settings = configuration.places(options, configuration.whole_slots(pool_gib), ram_gib, **more)
        become_subreaper()
    except BenchFailure as failure:
        sys.exit(f"{name}: {failure}")
    exit_on_sigterm()
    script = Script(name, options, settings, required)
    try:
        remove_ram(settings.ram)
        # The daemon refuses folders that others may write to, which a loose umask would make.
        os.umask(os.umask(0o077) | 0o022)
        settings.ram.mkdir(parents=True)
        if settings.simulated:
            os.environ["GPUSNAP_SIM_STATE_DIR"] = str(settings.sim_state)
            os.environ["GPUSNAP_SIM_GPUS"] = str(gpus)
        script.describe()
        if script.gpu.count() < gpus:
            raise BenchFailure(f"this takes {gpus} GPUs, there are {script.gpu.count()}")
        body(script)
        script.result.finish()
    except Exception as failure:  # noqa: BLE001  the result says what failed, whatever it was
        if not isinstance(failure, BenchFailure):
            traceback.print_exc()
        script.fail(name, failure)
    except SystemExit:
        script.fail(name, "it was ended before its end")
        if script.enough:
            script.result.finish()
        raise
    finally:
        spare_from_sigterm()
        stubborn = script.supervisor.stop_all()
        try:
            keep_logs(script)
        except OSError as failure:
            stubborn.append(f"its logs, which could not be kept: {failure}")
        if not settings.keep:
            remove_ram(settings.ram)
            shutil.rmtree(settings.work, ignore_errors=True)
        for line in stubborn:
            print(f"{name}: left over: {line}", file=sys.stderr)
    if script.failures:
        sys.exit(f"{name}: " + "; ".join(script.failures))
    print(f"results in {script.result.final}")


def keep_logs(script):
    """Logs stay beside the result; packed ones are one file."""
    settings, name = script.settings, script.name
    if script.options.pack_logs:
        with tarfile.open(settings.out / f"{name}-logs.tar.gz", "w:gz") as archive:
            archive.add(script.supervisor.logs, arcname=name)
    else:
        shutil.rmtree(settings.out / name, ignore_errors=True)
        shutil.copytree(script.supervisor.logs, settings.out / name)
