"""A folder in memory, where images lie and restores go."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from benchlib.failure import BenchFailure

# As the daemon mounts its scratch (decision 0250).
OPTIONS = "mode=0700,nosuid,nodev,noexec,huge=within_size"


class Folder:
    def __init__(self, parent, huge_pages):
        self.path = Path(tempfile.mkdtemp(prefix="gpusnap-store-", dir=parent))
        self.mounted = False
        if huge_pages:
            size = shutil.disk_usage(parent).free
            self.system(["mount", "-t", "tmpfs", "-o", f"{OPTIONS},size={size}", "gpusnap-bench", self.path])
            self.mounted = True

    def system(self, command):
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchFailure(f"{command[0]} failed ({done.stderr.strip()}): without --huge-pages nothing is mounted")

    def close(self):
        if self.mounted:
            self.system(["umount", self.path])
        shutil.rmtree(self.path, ignore_errors=True)
