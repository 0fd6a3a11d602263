"""The tools beside which the store is measured, each without what costs time and is not compared: compression, where ours does none,
and, where it can be left out, encryption. Each stores into a folder of its own."""

import os
import shutil
import subprocess

from benchlib.failure import BenchFailure
from benchlib.machine import first_line

from .timed import timed

VERSIONS = {"restic": "version", "borg": "--version", "rclone": "version", "fio": "--version"}


def require(*programs):
    lacking = [name for name in programs if shutil.which(name) is None]
    if lacking:
        raise BenchFailure(f"missing: {', '.join(lacking)} (Debian's packages restic, borgbackup, rclone, fio)")


def versions(*programs):
    return {name: first_line([name, VERSIONS[name]]) for name in programs}


class Peer:
    def __init__(self, work, log):
        self.folder = work / self.name
        self.log = log
        self.env = {"HOME": str(work), "XDG_CACHE_HOME": str(work / "cache")}

    def prepare(self, command):
        done = subprocess.run([str(part) for part in command], env=self.whole_env(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchFailure(f"{self.name} cannot be prepared: {done.stdout}{done.stderr}")

    def whole_env(self):
        return {**os.environ, **self.env}

    def timed(self, command, cwd=None, durable=None):
        return timed(command, self.log, self.env, cwd, durable)


class Restic(Peer):
    """Always encrypts."""

    name = "restic"

    def __init__(self, work, log, compress=False):
        super().__init__(work, log)
        self.compression = "auto" if compress else "off"
        self.env |= {"RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": str(self.folder), "RESTIC_CACHE_DIR": str(work / "restic-cache")}
        self.prepare(["restic", "init", "--repository-version", "2"])

    def save(self, image):
        return self.timed(["restic", "backup", "--quiet", "--compression", self.compression, "."], cwd=image, durable=self.folder)

    def prove(self, image):
        return self.timed(["restic", "check", "--quiet", "--read-data"])

    def restore(self, target):
        return self.timed(["restic", "restore", "--quiet", "latest", "--target", target])


class Borg(Peer):
    """Without encryption."""

    name = "borg"

    def __init__(self, work, log, compress=False):
        super().__init__(work, log)
        self.compression = "zstd,1" if compress else "none"
        self.env |= {"BORG_BASE_DIR": str(work / "borg-base"), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
        self.prepare(["borg", "init", "--encryption", "none", self.folder])
        self.saves = 0

    def save(self, image):
        self.saves += 1
        return self.timed(["borg", "create", "--compression", self.compression, f"{self.folder}::{self.saves}", "."], cwd=image, durable=self.folder)

    def prove(self, image):
        return self.timed(["borg", "check", "--verify-data", self.folder])

    def restore(self, target):
        return self.timed(["borg", "extract", f"{self.folder}::{self.saves}"], cwd=target)


class Rclone(Peer):
    """A copy with checksums compared: nothing is deduplicated, so each version is a folder."""

    name = "rclone"

    def __init__(self, work, log):
        super().__init__(work, log)
        self.saves = 0

    def save(self, image):
        self.saves += 1
        return self.timed(["rclone", "copy", "--config", "", image, self.folder / str(self.saves)], durable=self.folder.parent)

    def prove(self, image):
        return self.timed(["rclone", "check", "--config", "", "--download", image, self.folder / str(self.saves)])

    def restore(self, target):
        return self.timed(["rclone", "copy", "--config", "", self.folder / str(self.saves), target])
