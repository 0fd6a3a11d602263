"""The service with its PostgreSQL, an S3 server, and machines with a daemon each."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml
from pathlib import Path

from benchlib.failure import BenchFailure
from benchlib.rest import Api, ApiFailure, get_json

from .ledger import Ledger
from .machines import Machine, Network, command, kill, only_child

BUCKET = "soak"
START_SECONDS = 240
S3_PORT = 9090
ANSWER_SECONDS = 20
SIMULATED_VRAM = 4 << 30
POOL_BYTES = 512 << 20
METRICS_PORT = 9464
PEER_FAILURES = ("absent", "busy", "corrupt", "refused", "timeout", "unreachable")
SMALL_JAVA = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"]
S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Cluster:
    def __init__(self, root, java, criu, names, daemon_settings=lambda machine: {}, daemon_java=SMALL_JAVA):
        """`daemon_settings`: what a machine's daemon has besides, or in place of what all have; None takes it away."""
        self.daemon_settings = daemon_settings
        self.daemon_java = daemon_java
        self.root = root
        self.java = java
        self.criu = criu
        self.native = root / "gpu-native/target/native/lib"
        self.work = Path(tempfile.mkdtemp(prefix="gpusnap-soak-"))
        self.memory = Path(tempfile.mkdtemp(prefix="gpusnap-soak-", dir="/dev/shm"))
        self.pool = self.memory / "pool"
        self.volume = self.work / "volume"
        self.volume.mkdir()
        # Of its own: a build meanwhile would pull the classes from under what runs.
        self.service_jar = shutil.copy(root / "snapshot-service/target/snapshot-service.jar", self.work)
        self.daemon_jar = shutil.copy(root / "node-daemon/target/gpusnap-node.jar", self.work)
        shutil.copytree(root / "node-daemon/target/lib", self.work / "lib")
        self.network = Network()
        self.machines = [Machine(self.network, i, name, self.work, self.memory) for i, name in enumerate(names)]
        self.daemons = {}
        self.ledger = Ledger()
        self.lock = threading.Lock()
        self.others = []
        self.api = None
        self.s3 = None
        self.network.open()

    # ---- start and end ----

    def start(self, machines, service_settings):
        for machine in machines:
            machine.power_on()
        service_port = 8080
        self.s3 = f"http://{self.network.hub}:{S3_PORT}"
        self.begin("s3", [
            self.java, "-Xmx768m", *SMALL_JAVA, "-cp", f"{self.root}/samples/s3-server/target/lib/*",
            "com.adobe.testing.s3mock.S3MockApplication", "--server.port=0", f"--server.address={self.network.hub}",
            f"--http.port={S3_PORT}", "--com.adobe.testing.s3mock.max-payload-size=1GB",
            f"--com.adobe.testing.s3mock.store.root={self.folder('s3')}",
            f"--com.adobe.testing.s3mock.store.initial-buckets={BUCKET}", "--logging.level.root=WARN",
        ])  # fmt: skip
        data = self.folder("service")
        service = self.begin("service", [
            self.java, "-Xmx512m", *SMALL_JAVA, "-jar", self.service_jar,
            f"--server.address={self.network.hub}", f"--server.port={service_port}", f"--gpusnap.data-dir={data}",
            "--gpusnap.security.allow-remote=true", *service_settings,
        ])  # fmt: skip
        base = f"http://{self.network.hub}:{service_port}"
        self.wait(lambda: self.healthy(base, service), START_SECONDS, "the service answers")
        self.api = Api(base, (data / "access-token").read_text().strip())
        for machine in machines:
            self.start_daemon(machine)
        for machine in machines:
            self.wait(lambda m=machine: self.online(m), START_SECONDS, f"{machine.name} is online")

    def begin(self, name, line):
        with (self.work / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(word) for word in line],
                cwd=self.work, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.others.append(process)
        return process

    def end(self, keep):
        for machine in self.machines:
            machine.power_off()
        for process in reversed(self.others):
            process.terminate()
        for process in reversed(self.others):
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        self.network.close()
        shutil.rmtree(self.memory, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.work, ignore_errors=True)

    def folder(self, name):
        folder = self.work / name
        folder.mkdir(exist_ok=True)
        return folder

    @staticmethod
    def healthy(base, service):
        if service.poll() is not None:
            raise BenchFailure("the service has ended; see service.log")
        try:
            return get_json(base + "/actuator/health", 10).get("status") == "UP"
        except OSError:
            return False

    @staticmethod
    def wait(holds, seconds, what):
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise BenchFailure(f"after {seconds} s still not: {what}")
            time.sleep(0.2)

    # ---- daemons ----

    def device(self):
        return {
            "GPUSNAP_SIM_STATE_DIR": str(self.memory / "simulated-gpu"),
            "GPUSNAP_SIM_VRAM_BYTES": str(SIMULATED_VRAM),
        }

    def start_daemon(self, machine):
        own = machine.disk_at
        credentials = self.work / "s3-credentials"
        credentials.write_text("accessKeyId = soak\nsecretAccessKey = soak-secret\n")
        configuration = {
            "service.url": self.api.base,
            "service.tokenFile": self.work / "service/access-token",
            "node.name": machine.name,
            "state.dir": own / "daemon",
            "nvme.root": own / "store",
            "nvme.sweepSeconds": 2,
            "memory.poolBytes": POOL_BYTES,
            "memory.poolPath": self.pool,
            "scratch.dir": self.memory / "scratch",
            "criu.path": self.criu,
            "native.dir": self.native,
            "cuda.driver": self.native / "simulated/libcuda.so.1",
            "metrics.listen": f"{machine.address}:{METRICS_PORT}",
            "s3.bucket": BUCKET,
            "s3.endpoint": self.s3,
            "s3.allowedAddresses": self.network.hub + "/32",
            "s3.credentialsFile": credentials,
            "tiers.packBytes": 16 << 20,
        }
        file = self.work / f"{machine.name}.properties"
        own_settings = configuration | self.daemon_settings(machine)
        file.write_text("".join(f"{key}={value}\n" for key, value in own_settings.items() if value is not None))
        line = [self.java, "-Xmx384m", *self.daemon_java, "-jar", self.daemon_jar, "run", "--config", file]
        machine.ids_of_others()
        self.daemons[machine.name] = machine.start(line, self.device(), self.work / f"daemon-{machine.name}.log")

    def kill_daemon(self, machine):
        """Only the daemon: nothing that it has started, none of the workloads."""
        process = self.daemons[machine.name]
        if process.poll() is None:
            outage = self.ledger.killing(machine.name)
            kill(only_child(process.pid))
            process.wait(60)
            self.ledger.killed(outage, self.node(machine).get("instanceId"))

    def daemon_runs(self, machine):
        return self.daemons[machine.name].poll() is None

    def restart_daemon(self, machine, forgetting=False):
        """`forgetting`: with nothing in its pool, as after a loss of power."""
        before = self.node(machine).get("instanceId")
        self.kill_daemon(machine)
        if forgetting:
            machine.remove(self.pool, self.pool.with_name(self.pool.name + ".index"))
        self.start_daemon(machine)
        again = lambda: self.online(machine) and self.node(machine)["instanceId"] != before
        self.wait(again, START_SECONDS, f"{machine.name} is online")
        self.look()

    def look(self):
        """Whose daemons have spoken since they were killed."""
        for node in self.all("/nodes"):
            self.ledger.seen(node["name"], node.get("instanceId"))

    @staticmethod
    def read_bytes(machine):
        """Bytes of chunks that this life of the daemon has read for thaws and transfers, by where it read them."""
        return counters(machine, "gpusnap_node_chunk_read_bytes_total")

    @staticmethod
    def peer_failures(machine):
        """Requests to other daemons that brought nothing or not all, by reason."""
        return counters(machine, "gpusnap_node_peer_failures_total")

    def node(self, machine):
        return next((node for node in self.all("/nodes") if node["name"] == machine.name), {})

    def online(self, machine):
        if not self.daemon_runs(machine):
            raise BenchFailure(f"the daemon of {machine.name} has ended; see daemon-{machine.name}.log")
        return self.node(machine).get("state") == "ONLINE"

    # ---- workloads ----

    def start_server(self, machine, name, pid, *arguments):
        """A sample server under the preload, with this process id."""
        machine.start_with_id(
            pid,
            [
                self.native.parent / "samples/cuda-server/cuda-server", "--address", "0.0.0.0", "--warmup-seconds", 0,
                "--workdir", self.volume, "--state-file", "/dev/null", *arguments,
            ],
            self.device()
            | {
                "LD_LIBRARY_PATH": str(self.native / "simulated"),
                "LD_PRELOAD": str(self.native / "libgpusnap-preload.so"),
                "GPUSNAP_WORKLOAD": name,
                "GPUSNAP_SOCKET_DIR": str(self.memory / "sockets"),
            },
            self.volume / f"{name}.log",
        )  # fmt: skip

    @staticmethod
    def answer(machine, port, prompt, patience_seconds=0):
        """What a server says, as soon as it does."""
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                return get_json(f"http://{machine.address}:{port}/answer?prompt={prompt}", ANSWER_SECONDS)["answer"]
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    # ---- the catalogue and the bucket ----

    def all(self, path, **query):
        """The items of all pages."""
        items, token = [], None
        while True:
            page = self.api.get(
                f"{path}?{urllib.parse.urlencode(query | {'pageSize': 200} | ({'pageToken': token} if token else {}))}"
            )
            items += page["items"]
            token = page.get("nextPageToken")
            if token is None:
                return items

    def snapshots(self, state="READY"):
        return [self.api.get(f"/snapshots/{one['id']}") for one in self.all("/snapshots", state=state)]

    def set_policy(self, rules, models=None):
        """The one policy, of these models or of all; none when there are no rules."""
        spec = {"enabled": bool(rules), "rules": rules or [{"kind": "minimum-copies", "copies": 1}]}
        if models:
            spec["models"] = models
        try:
            self.api.call("PUT", "/tier-policies/soak", spec, {"If-Match": "*"})
        except ApiFailure as failure:
            if failure.status != 404:
                raise
            self.api.post("/tier-policies", {"name": "soak", "spec": spec})

    def corrupt_copies(self):
        """Copies that the service was told are wrong, by tier, however soon they were made anew."""
        request = urllib.request.Request(self.api.base + "/actuator/prometheus", headers={"Authorization": f"Bearer {self.api.token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return labelled(answer.read().decode(), "gpusnap_copies_corrupt_total")

    def bucket(self, query="list-type=2"):
        with urllib.request.urlopen(f"{self.s3}/{BUCKET}?{query}", timeout=60) as answer:
            return xml.fromstring(answer.read())

    def objects(self):
        """Name to size, of everything in the bucket."""
        found, token = {}, None
        while True:
            query = "list-type=2" + (f"&continuation-token={urllib.parse.quote(token)}" if token else "")
            page = self.bucket(query)
            for entry in page.iter(S3 + "Contents"):
                found[entry.findtext(S3 + "Key")] = int(entry.findtext(S3 + "Size"))
            token = page.findtext(S3 + "NextContinuationToken")
            if not token:
                return found

    def uploads(self):
        return [entry.findtext(S3 + "Key") for entry in self.bucket("uploads").iter(S3 + "Upload")]

    def read_object(self, name):
        with urllib.request.urlopen(f"{self.s3}/{BUCKET}/{urllib.parse.quote(name)}", timeout=60) as answer:
            return answer.read()


def counters(machine, meter):
    """The values of a meter by its one label."""
    with urllib.request.urlopen(f"http://{machine.address}:{METRICS_PORT}/metrics", timeout=20) as answer:
        return labelled(answer.read().decode(), meter)


def labelled(page, meter):
    """The values of a meter on a page for Prometheus, by its one label."""
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in page.splitlines() if line.startswith(meter + "{")}


def require(root, criu):
    for part in ("snapshot-service/target/snapshot-service.jar", "node-daemon/target/gpusnap-node.jar"):
        if not (root / part).is_file():
            raise BenchFailure(f"{part} is not there: run `make build` first")
    if os.geteuid() != 0 or not criu:
        raise BenchFailure("the soak needs root and CRIU")
    command("ip", "-V")
