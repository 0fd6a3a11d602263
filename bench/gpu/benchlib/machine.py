"""What the numbers were measured on."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def describe_machine(settings, criu):
    """Without `criu` for a script that needs neither it nor Java."""
    own = {} if criu is None else {"criu": criu.version(), "java": first_line([settings.java, "-version"])}
    return {
        "kernel": platform.release(),
        "cpu": first_value("/proc/cpuinfo", "model name"),
        "cpuCores": os.cpu_count(),
        "memoryBytes": int(first_value("/proc/meminfo", "MemTotal").split()[0]) * 1024,
        "pcie": gpu_link(),
        **own,
        "python": platform.python_version(),
        "revision": settings.revision,
    }


def first_value(file, key):
    for line in Path(file).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def first_line(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()[0]


def gpu_link():
    if shutil.which("nvidia-smi") is None:
        return None
    return first_line(
        ["nvidia-smi", "--query-gpu=pcie.link.gen.max,pcie.link.width.max,memory.total", "--format=csv,noheader"]
    )
