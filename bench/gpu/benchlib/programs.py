"""The programs of the framework rows: which there are, how they start, and asking them."""

import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from pathlib import Path

from .failure import BenchFailure
from .processes import run
from .workloads import free_port

PROMPTS = (1, 2, 3, 4)
POLL_SECONDS = 0.02
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class Row:
    """One framework, or one way of using it."""

    name: str
    title: str
    program: str
    mib: int = 1024
    arguments: tuple = ()
    environment: dict = field(default_factory=dict)
    # Needs the GPU's memory for itself, or would disturb others.
    alone: bool = False
    # What the row takes after the program is ready, about.
    seconds: float = 25
    pool_gib: float = 4


ROWS = (
    Row("driver-api", "CUDA driver API", "driver_api.py", mib=128),
    Row("cublas-cpp", "C++ server with cuBLAS, static runtime, mapped memory, graph", "cublas_server.cu"),
    Row("torch-eager", "PyTorch eager, default allocator", "torch_eager.py"),
    Row("torch-graphs", "PyTorch with CUDA graphs", "torch_graphs.py"),
    Row("torch-expandable", "PyTorch, expandable segments", "torch_allocator.py", environment={"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}),
    Row("torch-async", "PyTorch, stream-ordered allocator", "torch_allocator.py", environment={"PYTORCH_CUDA_ALLOC_CONF": "backend:cudaMallocAsync"}),
    Row("torch-default", "PyTorch, default allocator with a past", "torch_allocator.py"),
    Row("torch-compile", "torch.compile", "torch_compile.py", mib=384, seconds=60),
    Row("jax", "JAX", "jax_arrays.py", environment={"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}),
    Row("cupy", "CuPy", "cupy_arrays.py"),
    Row("torch-pinned", "pinned host memory and events in use", "torch_pinned.py"),
    Row("torch-processes", "PyTorch, three CUDA processes of one workload on one GPU", "torch_processes.py", mib=384),
    Row("torch-churn", "allocation-heavy load, never at rest", "torch_churn.py", environment={"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}, alone=True),
    Row("torch-60gb", "PyTorch, 60 GB of device memory", "torch_large.py", alone=True, seconds=90, pool_gib=20),
)  # fmt: skip
OVERHEAD = Row("overhead", "the preload's overhead", "torch_overhead.py", alone=True)
# PyTorch chooses its allocator when it starts: processes of their own.
OVERHEAD_ASYNC = replace(OVERHEAD, name="overhead-async", environment={"PYTORCH_CUDA_ALLOC_CONF": "backend:cudaMallocAsync"})
# The default allocator is what a row without these has, whatever the caller's environment says.
ALLOCATOR_SETTINGS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_NO_CUDA_MEMORY_CACHING")
# What is where no framework is.
SIMULATED_ROWS = ("driver-api",)


def chosen(names, simulated):
    known = {row.name: row for row in ROWS}
    wanted = names or (SIMULATED_ROWS if simulated else list(known))
    unknown = set(wanted) - set(known)
    if unknown:
        raise BenchFailure(f"there are no rows {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


class ProgramFailure(BenchFailure):
    """The program answered with an error."""


class Instance:
    """A running program."""

    def __init__(self, script, row, name, environment):
        self.script = script
        self.row = row
        self.name = name
        self.port = free_port()
        self.started = time.monotonic()
        self.ready_seconds = None
        settings = script.settings
        self.folder = settings.work / f"program-{name}"
        self.folder.mkdir(exist_ok=True)
        log = script.supervisor.logs / f"{name}.log"
        caches = {
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "inductor"),
            "TRITON_CACHE_DIR": str(self.folder / "triton"),
            "CUPY_CACHE_DIR": str(self.folder / "cupy"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
            "PYTHONDONTWRITEBYTECODE": "1",
            # The module gpusnap, for programs with callbacks.
            "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.root / "python"), os.environ.get("PYTHONPATH")])),
        }
        if settings.driver:
            caches["LD_LIBRARY_PATH"] = str(settings.driver.parent)
        command = [*self.executable(), "--port", self.port, "--log", log, "--mib", row.mib, *row.arguments]
        self.process = script.supervisor.start(
            name, command, {**caches, **row.environment, **environment}, cwd=self.folder
        )

    def executable(self):
        settings = self.script.settings
        path = settings.here / "programs" / self.row.program
        if path.suffix == ".cu":
            return [compiled(settings, path)]
        if path.suffix == ".py":
            return [settings.python, path]
        return [settings.native_dir.parent / "bin" / self.row.program]

    def ready(self):
        """Whether it answers. Fails when it has ended."""
        self.process.require_alive()
        try:
            self.get("/ready", 5)
        except (ConnectionError, TimeoutError, http.client.HTTPException, urllib.error.URLError):
            return False
        return True

    def wait_ready(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline:
                raise BenchFailure(f"{self.name} is not ready after {seconds} s; see {self.process.log}")
            time.sleep(0.2)
        self.ready_seconds = round(time.monotonic() - self.started, 3)

    def get(self, path, seconds=ANSWER_SECONDS):
        """(raw bytes, process token)."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as answer:
            return answer.read(), answer.headers.get("X-Process-Token")

    def ask(self, path, seconds=ANSWER_SECONDS):
        """{sha256, bytes, token} of the raw bytes; a program's own error is a failure with its text."""
        try:
            content, token = self.get(path, seconds)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ProgramFailure(f"{path}: {refusal.code} {refusal.read().decode(errors='replace')[:300]}") from None
        except (OSError, http.client.HTTPException) as failure:
            self.process.require_alive()
            raise BenchFailure(f"{path}: {failure}") from None
        return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "token": token}

    def answers(self):
        return {f"answer {n}": self.ask(f"/answer?n={n}") for n in PROMPTS} | {"state": self.ask("/state")}

    def first_answer(self, seconds):
        """Asks from now on until it answers; the seconds that took, and the answer."""
        started = time.monotonic()
        deadline = started + seconds
        while True:
            try:
                return time.monotonic() - started, self.ask(f"/answer?n={PROMPTS[0]}")
            except ProgramFailure:
                raise
            except BenchFailure:
                self.process.require_alive()
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)


def compiled(settings, source):
    """The program that nvcc makes of a source, made once a run."""
    binary = settings.work / source.stem
    if not binary.is_file():
        nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
        if shutil.which(nvcc) is None:
            raise BenchFailure(f"no nvcc to compile {source.name} with")
        run([nvcc, "-O2", "-std=c++17", "-arch=native", "-o", binary, source, *cublas_flags(settings.work / "cublas-headers")], timeout=180)
    return binary


def cublas_flags(folder):
    """Where cuBLAS is: in the toolkit, or among Python's packages, as a machine for PyTorch has it. `folder` takes links to
    headers: those packages carry others too, which may not be the compiler's."""
    if any(Path("/usr/local").glob("cuda*/include/cublas_v2.h")):
        return ["-lcublas"]
    for base in map(Path, [*sys.path, *python_paths()]):
        for header in sorted(base.glob("nvidia/*/include/cublas_v2.h")):
            libraries = sorted((header.parent.parent / "lib").glob("libcublas.so*"))
            if libraries:
                folder.mkdir(exist_ok=True)
                for found in header.parent.glob("cublas*.h"):
                    (folder / found.name).symlink_to(found)
                where = libraries[0].parent
                flags = ["-I", folder, f"-L{where}", f"-l:{libraries[0].name}"]
                return [*flags, "-Xlinker", f"-rpath={where}", "-Xlinker", f"-rpath-link={where}"]
    raise BenchFailure("no cuBLAS: neither in /usr/local/cuda nor among Python's nvidia packages")


def python_paths():
    """Where the python3 that has the frameworks looks: the script itself may run under another."""
    done = subprocess.run(
        ["python3", "-c", "import sys; print('\\n'.join(sys.path))"], capture_output=True, text=True, check=False
    )
    return [line for line in done.stdout.splitlines() if line]
