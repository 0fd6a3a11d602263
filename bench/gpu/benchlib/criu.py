"""The plain way's half of the work: CRIU with every byte of VRAM inside the process image."""

import shutil
from pathlib import Path

from .failure import BenchFailure
from .processes import run

OPTIONS = [
    "--file-locks",
    "--link-remap",
    "--ghost-limit",
    str(1 << 30),
    "--ext-unix-sk",
    "--tcp-close",
    "--skip-in-flight",
]


class Criu:
    def __init__(self, command):
        self.command = command

    def version(self):
        out = run([self.command, "--version"])
        return out.split("Version:")[-1].split()[0]

    def check(self):
        run([self.command, "check"])

    def dump(self, pid, images, logs):
        images.mkdir(parents=True)
        self.run("dump", images, logs, ["-t", pid])

    def restore(self, images, logs):
        pidfile = images / "restored.pid"
        pidfile.unlink(missing_ok=True)
        self.run("restore", images, logs, ["-d", "--pidfile", pidfile])
        return int(pidfile.read_text())

    def run(self, verb, images, logs, arguments):
        log = f"{verb}.log"
        try:
            run([self.command, verb, "-D", images, "-v4", "-o", log, *OPTIONS, *arguments])
        except BenchFailure as failure:
            lines = [line for line in read(images / log).splitlines() if "Error" in line]
            raise BenchFailure(f"criu {verb} failed: {'; '.join(lines[-3:]) or failure}") from None
        finally:
            if (images / log).exists():
                shutil.copy(images / log, Path(logs) / f"plain-criu-{verb}.log")


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def tree_bytes(directory):
    return sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())
