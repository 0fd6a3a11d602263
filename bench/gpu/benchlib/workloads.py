"""The two servers that are frozen: the PyTorch LLM on a GPU, the small CUDA server on the simulated driver."""

import http.client
import os
import socket
import subprocess
import time
import urllib.error

from .failure import BenchFailure
from .processes import Running, run
from .rest import get_json

SEEDS = (1, 7, 42)
POLL_SECONDS = 0.005
# A server that says "not yet" is at work, and answering takes it time.
NOT_YET_POLL_SECONDS = 0.1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Workload:
    """What the phases need to know of a server. Answers are dicts that are equal only if the state behind them is."""

    name = "workload"
    first_path = "/"
    prepare_seconds = 600
    ready_seconds = 300

    def __init__(self, settings, directory):
        self.settings = settings
        self.directory = directory
        self.port = free_port()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def prepare(self, log):
        """Whatever must be there before the first start; timed apart, not part of a cold start."""

    def command(self, log):
        raise NotImplementedError

    def environment(self):
        return {}

    def essence(self, answer):
        """The part of the first answer that must be equal before and after."""
        raise NotImplementedError

    def answers(self):
        """Everything comparable, of a warm server."""
        raise NotImplementedError

    def stats(self):
        return get_json(self.url("/stats"), 60)

    def ask_first(self):
        """The question that first_answer asks, of a warm server: what a restored one must answer first."""
        return get_json(self.url(self.first_path), 60)

    def start(self, supervisor, name, extra_env=None):
        log = supervisor.logs / f"{name}.log"
        environment = {**self.environment(), **(extra_env or {})}
        return supervisor.start(name, self.command(log), environment, cwd=self.directory)

    def first_answer(self, process, seconds, still_sane=None):
        """Asks until the server answers its first question; returns the answer. `process` may be None while it does not exist."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return get_json(self.url(self.first_path), 120)
            except (ConnectionError, TimeoutError, urllib.error.URLError, http.client.HTTPException) as failure:
                refused = failure
            if process is not None:
                process.require_alive()
            if still_sane is not None:
                still_sane()
            if time.monotonic() > deadline:
                raise BenchFailure(f"no answer from {self.url(self.first_path)} within {seconds} s: {refused}")
            time.sleep(NOT_YET_POLL_SECONDS if isinstance(refused, urllib.error.HTTPError) else POLL_SECONDS)


class LlmServer(Workload):
    name = "llm"
    first_path = f"/generate?seed={SEEDS[0]}"

    def __init__(self, settings, directory):
        super().__init__(settings, directory)
        self.script = settings.root / "samples/llm-server/server.py"
        self.model = directory / "model"

    def prepare(self, log):
        shape = ["--layers", self.settings.layers]
        run([self.settings.python, self.script, "prepare", self.model, *shape], log=log, timeout=self.prepare_seconds)

    def command(self, log):
        return [
            self.settings.python, self.script, "serve", self.model,
            "--port", self.port, "--kv-gib", self.settings.kv_gib, "--kv-fill", self.settings.kv_fill, "--log", log,
        ]  # fmt: skip

    def environment(self):
        # A run's own compile caches: the first start compiles as on a new machine, later ones find what it compiled.
        return {
            "TORCHINDUCTOR_CACHE_DIR": str(self.directory / "inductor-cache"),
            "TRITON_CACHE_DIR": str(self.directory / "triton-cache"),
            "PYTHONWARNINGS": "ignore",
        }

    def essence(self, answer):
        return {"tokens": answer["tokens"], "processToken": answer["processToken"]}

    def answers(self):
        tokens = {str(seed): self.essence(get_json(self.url(f"/generate?seed={seed}"), 120)) for seed in SEEDS}
        checksum = get_json(self.url("/checksum"), 120)
        return {"tokens": tokens, "checksum": checksum["sha256"], "checksumBytes": checksum["bytes"]}

    def describe(self, stats):
        return {key: stats[key] for key in ("torch", "transformers", "compiled", "weightsBytes", "kvBytes")} | {
            "server": "samples/llm-server",
            "layers": self.settings.layers,
            "kvFill": self.settings.kv_fill,
        }


class RandomLlm(LlmServer):
    """An LLM whose weights are drawn on the device: nothing to prepare, none like another. Shares compile caches."""

    def __init__(self, settings, directory, name, seed, caches, compiled=True):
        super().__init__(settings, directory)
        self.name = name
        self.seed = seed
        self.caches = caches
        self.compiled = compiled

    def prepare(self, log):
        """Nothing."""

    def command(self, log):
        command = [
            self.settings.python, self.script, "serve", "--random-weights", self.seed, "--layers", self.settings.layers,
            "--port", self.port, "--kv-gib", self.settings.kv_gib, "--kv-fill", self.settings.kv_fill, "--log", log,
        ]  # fmt: skip
        return command if self.compiled else [*command, "--no-compile"]

    def environment(self):
        return super().environment() | {
            "TORCHINDUCTOR_CACHE_DIR": str(self.caches / "inductor-cache"),
            "TRITON_CACHE_DIR": str(self.caches / "triton-cache"),
        }


class CudaServer(Workload):
    """The sample of the demo, on the simulated driver: tries the script where there is no GPU."""

    name = "cuda"
    prompts = ("freeze", "thaw", "again")
    first_path = f"/answer?prompt={prompts[0]}"
    ready_seconds = 120

    def prepare(self, log):
        # The first start makes the weights file; it ends when the port closes.
        with open(log, "wb") as out:
            maker = subprocess.Popen(
                [str(part) for part in self.command(log, warmup_seconds=0)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment()},
            )
        try:
            self.first_answer(Running("prepare", maker.pid, log, maker), self.ready_seconds)
        finally:
            maker.terminate()
            maker.wait()
        (self.directory / "state").unlink()

    def command(self, log, warmup_seconds=3):
        return [
            self.settings.cuda_server, "--port", self.port, "--weights-mib", 256, "--kv-mib", 128,
            "--warmup-seconds", warmup_seconds, "--workdir", self.directory, "--state-file", self.directory / "state",
        ]  # fmt: skip

    def environment(self):
        return {"LD_LIBRARY_PATH": str(self.settings.driver.parent), "GPUSNAP_SIM_POISON": "1"}

    def essence(self, answer):
        return {"answer": answer["answer"], "token": answer["token"]}

    def answers(self):
        # Asked once before they are compared: a prompt that is new changes the cache and the state file.
        for _ in range(2):
            answers = [self.essence(get_json(self.url(f"/answer?prompt={prompt}"), 60)) for prompt in self.prompts]
        return answers

    def describe(self, stats):
        return {"server": "samples/cuda-server", "weightsBytes": stats["weightsBytes"], "kvBytes": stats["cacheBytes"]}


class Holder(CudaServer):
    """The sample with weights of a size, made on the device: random, and unlike any other process's."""

    def __init__(self, settings, directory, name, weights_bytes, tensor_mib):
        super().__init__(settings, directory)
        self.name = name
        self.weights_mib = max(1, round(weights_bytes / (1 << 20)))
        self.tensor_mib = tensor_mib

    def prepare(self, log):
        """Nothing."""

    def command(self, log):
        return [
            self.settings.cuda_server, "--port", self.port, "--weights-from", "device", "--weights-mib", self.weights_mib,
            "--tensor-mib", self.tensor_mib, "--kv-mib", 4, "--warmup-seconds", 0, "--workdir", self.directory,
            "--state-file", self.directory / f"state-{self.name}",
        ]  # fmt: skip

    def environment(self):
        return super().environment() if self.settings.simulated else {}

    def describe(self, stats):
        return super().describe(stats) | {"tensors": stats["tensors"], "tensorMib": self.tensor_mib}
