"""The real service and the real daemon, as a person would start them."""

import os
import time
import urllib.error
from datetime import datetime
from pathlib import Path

from .failure import BenchFailure
from .rest import Api, get_json
from .workloads import free_port

SERVICE_START_SECONDS = 240
REGISTER_SECONDS = 120
OPERATION_SECONDS = 540
POLL_SECONDS = 0.05


class Stack:
    def __init__(self, settings, supervisor, directory):
        self.settings = settings
        self.supervisor = supervisor
        self.directory = directory
        self.service = None
        self.daemon = None
        self.daemon_starts = 0
        self.instance = None
        self.api = None

    def start_service(self):
        data = self.directory / "service"
        port = free_port()
        started = time.monotonic()
        self.service = self.supervisor.start(
            "service",
            [
                self.settings.java,
                *self.settings.service_java_options,
                "-jar", self.settings.service_jar,
                f"--server.port={port}", "--server.address=127.0.0.1", f"--gpusnap.data-dir={data}",
            ],
            cwd=self.directory,
        )  # fmt: skip
        base = f"http://127.0.0.1:{port}"
        self.wait_for(self.service, SERVICE_START_SECONDS, lambda: self.healthy(base))
        self.api = Api(base, (data / "access-token").read_text().strip())
        return time.monotonic() - started

    @staticmethod
    def healthy(base):
        try:
            return get_json(base + "/actuator/health", 10).get("status") == "UP"
        except (OSError, urllib.error.URLError):
            return False

    def start_daemon(self, nvme_root, pool_bytes, fill_ahead=True, driver_ahead=False):
        """`fill_ahead`, `driver_ahead`: the daemon's settings, here as where nothing is said. Without the first one the fill is a stage of
        its own, and can be measured as one."""
        self.daemon_starts += 1
        started = time.monotonic()
        for folder in (nvme_root, self.settings.ram / "scratch", self.directory / "daemon"):
            Path(folder).mkdir(parents=True, exist_ok=True)
        configuration = {
            "service.url": self.api.base,
            "service.tokenFile": self.directory / "service/access-token",
            "node.name": "bench",
            "state.dir": self.directory / "daemon",
            "nvme.root": nvme_root,
            "memory.poolBytes": pool_bytes,
            "memory.poolPath": self.settings.ram / "pool/pool",
            "scratch.dir": self.settings.ram / "scratch",
            "scratch.hugePages": "true",
            "criu.path": self.settings.criu,
            "native.dir": self.settings.native_dir,
            "transfer.threads": min(os.cpu_count() or 1, 16),
            "thaw.fillAhead": str(fill_ahead).lower(),
            "thaw.driverAhead": str(driver_ahead).lower(),
            "metrics.listen": f"127.0.0.1:{free_port()}",
        }
        if self.settings.driver:
            configuration["cuda.driver"] = self.settings.driver
        file = self.directory / "gpusnap-node.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in configuration.items()))
        self.daemon = self.supervisor.start(
            f"daemon-{self.daemon_starts}",
            [self.settings.java, "-jar", self.settings.daemon_jar, "run", "--config", file],
            cwd=self.directory,
        )
        before, self.instance = self.instance, None
        self.wait_for(self.daemon, REGISTER_SECONDS, lambda: self.node_ready(before))
        return time.monotonic() - started

    def stop_daemon(self):
        self.daemon.stop()

    def node_ready(self, instance_before):
        """The node is heard, and it is this daemon that is heard, not the one before it."""
        for node in self.api.items("/nodes", {}):
            if node["name"] == "bench" and node["state"] == "ONLINE" and node["instanceId"] != instance_before:
                self.instance = node["instanceId"]
        return self.instance is not None

    def node(self):
        return next(node for node in self.api.items("/nodes", {}) if node["name"] == "bench")

    def capability(self, name):
        """(available, reason) as the daemon probed it."""
        for capability in self.node()["inventory"]["capabilities"]:
            if capability["name"] == name:
                return capability["available"], capability.get("reason")
        return False, "the daemon does not know it"

    def wait_for(self, process, seconds, condition):
        deadline = time.monotonic() + seconds
        while not condition():
            process.require_alive()
            if time.monotonic() > deadline:
                raise BenchFailure(f"{process.name} is not ready after {seconds} s; see {process.log}")
            time.sleep(POLL_SECONDS)

    # ---- the catalogue ----

    def register_version(self, name, description):
        self.api.post("/models", {"name": name})
        self.api.post(
            f"/models/{name}/versions",
            {
                "name": "v1",
                "image": description["server"],
                "engineArguments": [f"{key}={value}" for key, value in sorted(description.items())],
                "framework": f"pytorch {description['torch']}" if "torch" in description else "cuda",
                "fingerprint": f"{name}-random-weights",
                "labels": {"purpose": "benchmark"},
            },
        )

    def workload(self, pid, name):
        """The workload that the daemon reports for this process."""
        deadline = time.monotonic() + REGISTER_SECONDS
        while True:
            for workload in self.api.items("/workloads", {"name": name}):
                if workload["pid"] == pid and workload["state"] == "RUNNING":
                    if workload.get("refusals"):
                        raise BenchFailure(f"the daemon would refuse to save it: {workload['refusals']}")
                    return workload
            self.daemon.require_alive()
            if time.monotonic() > deadline:
                raise BenchFailure(f"the daemon does not report pid {pid} as workload '{name}'")
            time.sleep(POLL_SECONDS)

    def await_state(self, name, state):
        """Until the service knows the workload of that name in that state."""
        deadline = time.monotonic() + REGISTER_SECONDS
        while not any(workload["state"] == state for workload in self.api.items("/workloads", {"name": name})):
            self.daemon.require_alive()
            if time.monotonic() > deadline:
                raise BenchFailure(f"the workload '{name}' is not {state} after {REGISTER_SECONDS} s")
            time.sleep(POLL_SECONDS)

    # ---- operations ----

    def save(self, workload, model, engine, after_save, **more):
        """POST to READY. Returns (seconds, snapshot, operation). `more` goes into the request."""
        started = time.monotonic()
        accepted = self.api.post(
            "/snapshots",
            {
                "model": model,
                "version": "v1",
                "workloadId": workload["id"],
                "engine": engine,
                "afterSave": after_save,
            }
            | more,
        )
        operation = self.api.wait_operation(accepted["operation"]["id"], OPERATION_SECONDS)
        snapshot = self.api.get(f"/snapshots/{accepted['snapshot']['id']}")
        seconds = time.monotonic() - started
        if snapshot["state"] != "READY":
            raise BenchFailure(f"the operation succeeded and the snapshot is {snapshot['state']}")
        return seconds, snapshot, operation

    def delete(self, snapshots):
        """By their ids. What only they had leaves pool and store."""
        for snapshot_id in snapshots:
            self.api.wait_operation(self.api.delete(f"/snapshots/{snapshot_id}")["id"], 120)

    def restore(self, snapshot):
        """Asks for a restore; returns the accepted restore and operation at once."""
        return self.api.post("/restores", {"snapshotId": snapshot["id"]})

    def failed(self, operation_id):
        """A check for waiting loops: raises as soon as the operation has failed. Asks at most ten times a second."""
        last = [0.0]

        def check():
            if time.monotonic() - last[0] < 0.1:
                return
            last[0] = time.monotonic()
            operation = self.api.get(f"/operations/{operation_id}")
            if operation["state"] in ("FAILED", "CANCELLED"):
                raise BenchFailure(f"restore {operation['state']}: {operation.get('failure')}")
            self.daemon.require_alive()

        return check


def stage_times(operation):
    """{stage: (start, end)} of a finished operation, in its order: by the daemon's clock, which is this machine's."""
    return {
        stage["name"]: (parse_instant(stage["startedAt"]), parse_instant(stage["finishedAt"]))
        for stage in operation["stages"]
        if stage.get("startedAt") and stage.get("finishedAt")
    }


def stage_seconds(operation):
    """Seconds by stage of a finished operation, in its order."""
    return {name: round(end - start, 3) for name, (start, end) in stage_times(operation).items()}


def parse_instant(text):
    return datetime.fromisoformat(text).timestamp()


def drop_page_cache():
    """So that a read from a disk is one. Needs root."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError as failure:
        raise BenchFailure(f"the page cache cannot be dropped: {failure}") from None
