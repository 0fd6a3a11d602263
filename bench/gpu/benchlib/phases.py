"""The steps of cold-vs-thaw, in order. Each records what it measured; a later one may need what an earlier one left."""

import math
import shutil
import time

from .criu import Criu, tree_bytes
from .drive import measure_read
from .failure import BenchFailure
from .gpusnap import measured_copy
from .rewriting import compressed_beside, rewrite_compressed
from .stack import drop_page_cache, stage_seconds

CRIU_ENGINE = "criu+cuda"
FILL_AHEAD_THAWS = 3


class Run:
    """One run of the benchmark: what is common to its phases."""

    def __init__(self, settings, supervisor, result, workload, stack, gpu):
        self.settings = settings
        self.supervisor = supervisor
        self.result = result
        self.workload = workload
        self.stack = stack
        self.gpu = gpu
        self.criu = Criu(settings.criu)
        self.process = None
        self.before = None
        self.first = None
        self.snapshot = None
        self.saved_ids = []
        self.managed_name = f"bench-{workload.name}"

    def note(self, text):
        print(f"[{time.monotonic() - self.settings.started:7.1f} s] {text}", flush=True)

    # ---- phases ----

    def floor(self):
        """A plain copy between page-locked memory and the device: nothing that moves bytes can be faster."""
        copy = measured_copy(self.settings)
        if not copy["pinned"]:
            raise BenchFailure("the pool of the floor measurement is not page-locked: its number would be no floor")
        self.result.record(pinnedCopyBytesPerSecond=copy["hostToDevice"], pinnedCopy=copy)

    def prepare(self):
        started = time.monotonic()
        self.workload.prepare(self.supervisor.logs / "prepare.log")
        self.result.record(prepareSeconds=time.monotonic() - started)

    def cold(self):
        """From starting the process to its first answer: what every replica pays without a snapshot."""
        seconds, stats = self.start_workload("cold", {})
        self.result.record(
            coldStartSeconds=seconds, coldStart=self.start_seconds(stats), workload=self.workload.describe(stats)
        )

    def plain(self):
        """The way of every open tool: the driver copies VRAM into the process, CRIU dumps the process with it."""
        images = self.settings.ram / "plain"
        pid = self.process.pid
        started = time.monotonic()
        self.gpu.lock(pid)
        self.gpu.checkpoint(pid)
        checkpointed = time.monotonic()
        self.criu.dump(pid, images, self.supervisor.logs)
        self.process.wait_gone(30)
        saved = time.monotonic()
        self.result.record(
            plainSaveSeconds=saved - started,
            plainSave={"driverSeconds": round(checkpointed - started, 3), "criuSeconds": round(saved - checkpointed, 3)},
            plainImageBytes=tree_bytes(images),
        )

        started = time.monotonic()
        restored = self.criu.restore(images, self.supervisor.logs)
        self.process = self.supervisor.adopt("plain-restored", restored, self.process.log)
        dumped = time.monotonic()
        self.gpu.restore(restored)
        self.gpu.unlock(restored)
        unlocked = time.monotonic()
        first = self.workload.first_answer(self.process, 120)
        answered = time.monotonic()
        self.result.record(
            plainThawSeconds=answered - started,
            plainThaw={
                "criuSeconds": round(dumped - started, 3),
                "driverSeconds": round(unlocked - dumped, 3),
                "firstAnswerSeconds": round(answered - unlocked, 3),
            },
            plainAnswersEqual=self.same_answers(first),
        )
        self.stop_workload()
        shutil.rmtree(images)

    def services(self):
        service = self.stack.start_service()
        daemon = self.stack.start_daemon(self.settings.nvme_root, self.settings.pool_bytes)
        self.result.record(serviceStartSeconds=service, daemonStartSeconds=daemon)
        available, reason = self.stack.capability(CRIU_ENGINE)
        if not available:
            raise BenchFailure(f"the daemon has no {CRIU_ENGINE}: {reason}")

    def warm(self):
        """The same server under the preload; it finds the compile caches that the cold start filled."""
        preload = self.settings.native_dir / "libgpusnap-preload.so"
        if not preload.is_file():
            raise BenchFailure(f"{preload} is not there: build gpu-native first")
        environment = {
            "LD_PRELOAD": str(preload),
            "GPUSNAP_WORKLOAD": self.managed_name,
            "GPUSNAP_SOCKET_DIR": str(self.settings.work / "sockets"),
        }
        seconds, stats = self.start_workload("managed", environment)
        self.result.record(startWithCompileCacheSeconds=seconds, startWithCompileCache=self.start_seconds(stats))
        self.stack.register_version(self.managed_name, self.result.values["workload"])

    def save(self):
        seconds, self.snapshot, operation = self.saved(CRIU_ENGINE, "STOP")
        self.process.wait_gone(30)
        self.result.record(
            saveSeconds=seconds,
            saveStages=stage_seconds(operation),
            saveUntilWorkloadFreeSeconds=self.snapshot["pauseSeconds"],
            vramBytes=self.snapshot["totals"]["vramBytes"],
            totals=self.snapshot["totals"],
            saveMovedBytes=self.snapshot.get("movedBytes"),
        )

    def thaw(self):
        seconds, restore, operation, equal = self.thaw_once("thawed")
        self.result.record(
            thawSeconds=seconds,
            thawStages=stage_seconds(operation),
            thawOperationSeconds=restore["thawSeconds"],
            fillBytesPerSecond=restore["fillBytesPerSecond"],
            answersEqual=equal,
        )

    def second(self):
        """A second snapshot, of the thawed process: what did not change is stored already."""
        snapshot, found = self.save_running()
        self.result.record(
            secondSnapshotStoredRatio=snapshot["totals"]["storedBytes"] / self.snapshot["totals"]["storedBytes"],
            secondSnapshot=found | {"movedBothWays": True},  # until 2026-11-30 only what went to the host was counted
        )

    def first_running(self):
        """A first snapshot of the thawed process, which goes on: nothing of it is stored, so all of it moves. Later thaws are from it."""
        self.stack.delete(self.saved_ids)
        self.snapshot, found = self.save_running()
        self.result.record(firstRunning=found)

    def suspend(self):
        """The process stays, frozen, without VRAM; then it gets it back."""
        seconds, snapshot, operation = self.saved("suspend", "STOP")
        self.process.require_alive()
        started = time.monotonic()
        accepted = self.stack.restore(snapshot)
        first = self.workload.first_answer(self.process, 120, self.stack.failed(accepted["operation"]["id"]))
        answered = time.monotonic() - started
        resumed = self.stack.api.wait_operation(accepted["operation"]["id"], 60)
        self.result.record(
            suspend={
                "saveSeconds": round(seconds, 3),
                "pauseSeconds": snapshot["pauseSeconds"],
                "saveStages": stage_seconds(operation),
                "resumeSeconds": round(answered, 3),
                "resumeStages": stage_seconds(resumed),
                "answersEqual": self.same_answers(first),
            }
        )

    def fill_ahead(self):
        """Thaws with device memory made and filled before its process, and without, by turns: the daemon is started anew each time."""
        thaws = {"ahead": [], "after": []}
        for side in ("after", "ahead", "after", "ahead"):
            self.stop_workload()
            self.stack.stop_daemon()
            self.stack.start_daemon(self.settings.nvme_root, self.settings.pool_bytes, fill_ahead=side == "ahead")
            # The first thaw is a new daemon's: nothing of its code has run yet.
            for number in range(1 + FILL_AHEAD_THAWS):
                if number > 0:
                    self.stop_workload()
                seconds, restore, operation, equal = self.thaw_once(f"{side}-{number}")
                thaws[side].append(
                    {
                        "newDaemon": number == 0,
                        "thawSeconds": round(seconds, 3),
                        "operationSeconds": restore["thawSeconds"],
                        "stages": stage_seconds(operation),
                        "answersEqual": equal,
                    }
                )
                self.note(f"fill {side}, thaw {number}: {seconds:.2f} s, {thaws[side][-1]['stages']}")
                self.result.record(aheadOrAfter=thaws)

    def cold_pool(self):
        """Another thaw, nothing in the pinned pool: every chunk comes from the NVMe tier's folder, here in RAM."""
        self.result.record(coldPoolThaw=self.thaw_with_empty_pool("cold-pool", self.settings.nvme_root, prepare=lambda: None))

    def disk(self):
        """More thaws, from a disk: page cache dropped, nothing in the pool. The drive is measured before and after each: a rented
        one has another speed a minute later."""
        root = self.settings.disk_root
        if root is None:
            raise BenchFailure("the phase disk needs --disk-root DIR, a folder on the disk to measure")
        roots = [root, compressed_beside(root)] if self.settings.disk_compressed else [root]
        drives, thaws = [], []

        trial = []

        def measure():
            """All of it, as a thaw reads all of it: a few gigabytes are faster than what follows them, where a drive has credit. By the two
            numbers of readers that were fastest with a few gigabytes: which one it is changes with the drive's mood."""
            drop_page_cache()
            if not trial:
                trial.extend(sorted(measure_read(root)["each"], key=lambda one: -one["bytesPerSecond"]))
                self.result.record(diskTrial=trial)
            drives.append(measure_read(root, most_bytes=math.inf, readers=[one["readers"] for one in trial[:2]]))
            drop_page_cache()

        def prepare():
            if not drives:
                shutil.copytree(self.settings.nvme_root, root)
                for more in roots[1:]:
                    shutil.copytree(self.settings.nvme_root, more)
                    self.result.record(rewritten=rewrite_compressed(self.settings.java, more))
                measure()

        for number in range(self.settings.disk_thaws):
            ahead = self.settings.driver_ahead == "both" and number % 2 == 1 or self.settings.driver_ahead == "on"
            place = roots[number % len(roots)]
            thaw = self.thaw_with_empty_pool(f"disk-{number + 1}", place, prepare, driver_ahead=ahead)
            measure()
            floor = self.disk_floor(drives[-2:])
            how = f"driver {'ahead' if ahead else 'after'}{', compressed' if place != root else ''}"
            self.note(f"thaw from the disk, {how}: {thaw['thawSeconds']:.2f} s, floor of all bytes {floor['seconds']:.2f} s, {thaw['stages']}")
            thaws.append(thaw | {"floor": floor, "driverAhead": ahead, "compressed": place != root})
            self.result.record(diskThaws=thaws, diskDrives=drives)

    def disk_floor(self, drives):
        """The chunks at the drive's own speed, before or after, whichever was faster, while the process is being rebuilt, then what
        crosses the bus at the speed of a plain copy."""
        drive = max(one["bytesPerSecond"] for one in drives)
        warm = self.result.values["thawStages"]
        rebuild = self.result.values["thawOperationSeconds"] - warm["fill"]
        fill = self.result.values["saveMovedBytes"] / self.result.values["pinnedCopyBytesPerSecond"]
        read = self.snapshot["totals"]["storedBytes"] / drive
        return {
            "driveBytesPerSecond": drive,
            "readSeconds": round(read, 3),
            "rebuildSeconds": round(rebuild, 3),
            "fillSeconds": round(fill, 3),
            "seconds": round(max(read, rebuild) + fill, 3),
        }

    # ---- what the phases share ----

    def start_workload(self, name, environment):
        started = time.monotonic()
        self.process = self.workload.start(self.supervisor, name, environment)
        self.workload.first_answer(self.process, self.workload.ready_seconds)
        seconds = time.monotonic() - started
        self.before = self.workload.answers()
        self.first = self.workload.ask_first()
        return seconds, self.workload.stats()

    def saved(self, engine, after_save):
        reported = self.stack.workload(self.process.pid, self.managed_name)
        seconds, snapshot, operation = self.stack.save(reported, self.managed_name, engine, after_save)
        self.saved_ids.append(snapshot["id"])
        return seconds, snapshot, operation

    def save_running(self):
        """(snapshot, what was measured) of a process that goes on, answers compared."""
        seconds, snapshot, operation = self.saved(CRIU_ENGINE, "KEEP_RUNNING")
        self.process.require_alive()
        return snapshot, {
            "saveSeconds": round(seconds, 3),
            "pauseSeconds": snapshot["pauseSeconds"],
            "movedBytes": snapshot.get("movedBytes"),
            "stages": stage_seconds(operation),
            "totals": snapshot["totals"],
            "answersEqual": self.same_answers(self.workload.first_answer(self.process, 60)),
        }

    def stop_workload(self):
        self.process.stop(politely=False)
        self.process = None

    @staticmethod
    def start_seconds(stats):
        return {key: stats[key] for key in ("importSeconds", "loadSeconds", "warmSeconds") if key in stats}

    def same_answers(self, first):
        """True if the first answer after a restore, and then everything comparable, is what it was before."""
        mine, was = self.workload.essence(first), self.workload.essence(self.first)
        if mine != was:
            raise BenchFailure(f"wrong first answer after the restore: {mine} instead of {was}")
        after = self.workload.answers()
        if after != self.before:
            raise BenchFailure(f"wrong answers after the restore: {after} instead of {self.before}")
        return True

    def thaw_once(self, name):
        """POST to first right answer. Returns (seconds, restore, operation, True)."""
        log = self.supervisor.logs / "managed.log"
        started = time.monotonic()
        accepted = self.stack.restore(self.snapshot)
        operation_id = accepted["operation"]["id"]
        first = self.workload.first_answer(None, 300, self.stack.failed(operation_id))
        seconds = time.monotonic() - started
        operation = self.stack.api.wait_operation(operation_id, 60)
        restore = self.stack.api.get(f"/restores/{accepted['restore']['id']}")
        self.process = self.supervisor.adopt(name, restore["pid"], log)
        return seconds, restore, operation, self.same_answers(first)

    def thaw_with_empty_pool(self, name, root, prepare, driver_ahead=False):
        self.stop_workload()
        self.stack.stop_daemon()
        shutil.rmtree(self.settings.ram / "pool")
        prepare()
        self.stack.start_daemon(root, self.settings.pool_bytes, driver_ahead=driver_ahead)
        seconds, restore, operation, equal = self.thaw_once(name)
        return {
            "thawSeconds": round(seconds, 3),
            "stages": stage_seconds(operation),
            "fillBytesPerSecond": restore["fillBytesPerSecond"],
            "answersEqual": equal,
        }


REQUIRED_PHASES = ["floor", "prepare", "cold", "plain", "services", "warm", "save", "thaw"]
EXTRA_PHASES = ["second", "suspend", "first_running", "fill_ahead", "cold_pool", "disk"]
