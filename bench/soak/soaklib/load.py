"""What the cluster is kept busy with, and who kills daemons meanwhile."""

import collections
import http.client
import random
import threading
import time

from benchlib.failure import BenchFailure
from benchlib.rest import ApiFailure

from .silence import Silent, explain

PROMPT = "the+same+question"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
OPERATION_SECONDS = 240
ANSWER_PATIENCE_SECONDS = 20

# Tried in turn; each is a different idea of where copies should be.
POLICIES = [
    [{"kind": "minimum-copies", "copies": 2}],
    [{"kind": "minimum-copies", "copies": 2}, {"kind": "node-spread", "nodes": 2}],
    [{"kind": "minimum-copies", "copies": 3}],
    [{"kind": "minimum-copies", "copies": 1}, {"kind": "demote", "from": "NVME", "unusedFor": "PT1M"}],
]


# Two nodes bring the same snapshot at once: then they have something to give each other.
EVERYWHERE = [{"kind": "minimum-copies", "copies": 2}, {"kind": "node-spread", "nodes": 3}]


def policies(shared_kinds, peers):
    """Ideas of where copies should be, with one of an archive for each kind of shared store. The load begins with the first."""
    archives = [[{"kind": "minimum-copies", "copies": 1}, {"kind": "archive", "to": to, "unusedFor": "PT1M"}] for to in sorted(shared_kinds)]
    return ([EVERYWHERE] if peers else []) + POLICIES + archives


class Account:
    """What was done and what went wrong; shared by all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.violations = []
        self.troubles = []
        self.expected = {}
        self.models = {}
        self.powered_off = {}
        self.cold = []
        self.reads = Reads()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def trouble(self, worker, failure):
        """What nobody answers for while machines are killed: counted by its kind, and told in the result."""
        self.count(f"{type(failure).__name__} in {worker.rstrip('0123456789')}")
        with self.lock:
            self.troubles.append(f"{worker}: {failure}"[:300])

    def violation(self, text):
        with self.lock:
            self.violations.append(text)
        print(f"VIOLATION: {text}", flush=True)

    def came_cold(self, restore):
        with self.lock:
            self.cold.append(restore)

    def went_off(self, machine):
        with self.lock:
            self.powered_off[machine.name] = time.time()

    def last_off(self, machine):
        """When it lost its power last, in seconds of this machine's clock; before everything when it never did."""
        with self.lock:
            return self.powered_off.get(machine.name, float("-inf"))

    def expect(self, snapshot, model, answer):
        with self.lock:
            self.expected[snapshot] = answer
            self.models[snapshot] = model


class Reads:
    """Bytes that daemons read, by where they read them, over all of their lives: each counts from 0."""

    def __init__(self):
        self.ended = collections.Counter()
        self.living = {}

    def saw(self, machine, by_tier):
        """What the daemon of this machine has counted by now."""
        before = self.living.get(machine, {})
        if any(by_tier.get(tier, 0) < number for tier, number in before.items()):
            self.ended.update(before)
        self.living[machine] = dict(by_tier)

    def total(self):
        return dict(sum((collections.Counter(one) for one in self.living.values()), self.ended))


class Worker(threading.Thread):
    """Repeats its step until it is stopped. Whatever the cluster refuses or does not answer is counted, and borne; what is wrong
    with the step itself is a violation: a load that does less finds less."""

    def __init__(self, name, cluster, account, stop, seed):
        super().__init__(name=name, daemon=True)
        self.cluster = cluster
        self.api = cluster.api
        self.account = account
        self.stop = stop
        self.rng = random.Random(f"{seed}/{name}")

    def run(self):
        while not self.stop.is_set():
            try:
                self.step()
            except ApiFailure as refusal:
                self.account.count(f"refused {refusal.problem.get('code', refusal.status)}")
                if refusal.status >= 500:
                    self.account.violation(f"{self.name}: {refusal}")
            except (BenchFailure, OSError) as trouble:
                self.account.trouble(self.name, trouble)
            except Exception as broken:
                self.account.violation(f"{self.name} broke: {type(broken).__name__}: {broken}")
            self.stop.wait(self.rng.uniform(0.1, 1.0))

    def step(self):
        raise NotImplementedError

    def ended(self, operation):
        deadline = time.monotonic() + OPERATION_SECONDS
        while time.monotonic() < deadline:
            now = self.api.get(f"/operations/{operation}")
            if now["state"] in ENDED:
                return now
            time.sleep(0.2)
        self.account.violation(f"operation {operation} is still {now['state']} after {OPERATION_SECONDS} s: {now}")
        return now


class Slot(Worker):
    """One server, wherever it is: asked, saved, ended, thawed, started anew."""

    def __init__(self, number, *common):
        super().__init__(f"slot{number}", *common)
        self.pid = 20_000 + 500 * number
        self.port = 7000 + number
        self.token = f"{0x1111 * (number + 1):016x}"
        self.prompts = 0
        # Half of them share their weights, which are stored once; the others have some of their own.
        self.weights = ["--weights-from", "device"] if number % 2 else ["--weights-file", self.cluster.volume / "weights.bin"]

    def create(self):
        self.api.post("/models", {"name": self.name})
        self.api.post(f"/models/{self.name}/versions", {"name": "v1", "image": "samples/cuda-server"})

    def step(self):
        running = [one for one in self.api.items("/workloads", {"name": self.name}) if one["state"] == "RUNNING"]
        if not running:
            self.come_back()
            return
        for other in running[1:]:
            # It lived on where a node was taken for lost, and this caller did not wait for that node.
            self.end_on(self.machine_of(other))
        workload, machine = running[0], self.machine_of(running[0])
        kind = self.rng.choices(["save", "ask", "end"], [5, 3, 2])[0]
        if kind == "save":
            self.save(workload, machine)
        elif kind == "ask":
            self.prompts += 1
            self.ask(workload, machine, f"{self.name}-{self.prompts}-{self.rng.random()}")
        else:
            self.end_on(machine)
            self.await_gone(workload)

    def machine_of(self, workload):
        names = [node["name"] for node in self.api.items("/nodes", {}) if node["id"] == workload["nodeId"]]
        if not names:
            raise BenchFailure(f"nobody knows node {workload['nodeId']}")
        return next(machine for machine in self.cluster.machines if machine.name == names[0])

    def ask(self, workload, machine, prompt=PROMPT):
        ask = lambda: self.cluster.answer(machine, self.port, prompt)
        try:
            return ask()
        except OSError as silence:
            why, wrong = explain(self.api, self.account, machine, workload, ask, silence)
            if wrong:
                self.account.violation(f"{self.name}: {why}")
            raise Silent(why) from silence

    def await_gone(self, workload):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.stop.is_set():
            if self.api.get(f"/workloads/{workload['id']}")["state"] in ("GONE", "LOST"):
                return
            time.sleep(0.3)

    def save(self, workload, machine):
        answer = self.ask(workload, machine)
        after = self.rng.choice(["STOP", "KEEP_RUNNING"])
        accepted = self.api.post(
            "/snapshots",
            {"model": self.name, "version": "v1", "workloadId": workload["id"], "engine": "criu+cuda", "afterSave": after},
        )
        self.account.expect(accepted["snapshot"]["id"], self.name, answer)
        operation = self.ended(accepted["operation"]["id"])
        self.account.count(f"save {operation['state']}")
        if operation["state"] == "SUCCEEDED" and after == "STOP":
            self.await_gone(workload)

    def come_back(self):
        ready = self.api.items("/snapshots", {"model": self.name, "state": "READY"})
        if not ready or self.rng.random() < 0.1:
            self.start_cold()
            return
        snapshot = self.rng.choice(ready)["id"]
        wish = self.rng.choice([{"snapshotId": snapshot}, {"model": self.name, "version": "v1"}])
        asked = time.time()
        accepted = self.api.post("/restores", wish)
        restore = accepted["restore"]
        path = f"/restores/{restore['id']}"
        deadline = time.monotonic() + OPERATION_SECONDS
        while restore["state"] in ("PENDING", "RUNNING"):
            if time.monotonic() > deadline:
                self.account.violation(f"restore {restore['id']} is still {restore['state']} after {OPERATION_SECONDS} s")
                return
            time.sleep(0.2)
            restore = self.api.get(path)
        code = (restore.get("failure") or {}).get("code", "")
        self.account.count(f"restore {restore['state']} {code}".strip())
        if restore["state"] == "SUCCEEDED":
            self.compare(restore, asked)
        elif restore["state"] == "COLD":
            self.account.came_cold(restore)

    def compare(self, restore, asked):
        machine = self.machine_of(restore)
        try:
            answer = self.cluster.answer(machine, self.port, PROMPT, ANSWER_PATIENCE_SECONDS)
        except OSError as silence:
            if self.account.last_off(machine) < asked:
                self.account.violation(f"restore {restore['id']} of {restore['snapshotId']} came back and does not answer: {silence}")
            return
        if answer != self.account.expected[restore["snapshotId"]]:
            self.account.violation(f"restore {restore['id']} of {restore['snapshotId']} answers {answer}")

    def start_cold(self):
        machine = self.rng.choice(self.cluster.machines[:-1])
        self.start_on(machine)
        self.account.count("cold start")
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and not self.stop.is_set():
            found = self.api.items("/workloads", {"name": self.name})
            if any(one["state"] == "RUNNING" for one in found):
                return
            time.sleep(0.3)

    def start_on(self, machine):
        sizes = ["--weights-mib", 32, "--kv-mib", 16, "--host-mib", 8]
        begun = time.time()
        try:
            self.cluster.start_server(machine, self.name, self.pid, "--port", self.port, "--token", self.token, *sizes, *self.weights)
            # All of its threads are there once it answers.
            self.await_answer(machine)
        finally:
            self.cluster.ledger.did(machine.name, self.name, begun)
        machine.ids_of_others()

    def end_on(self, machine):
        begun = time.time()
        machine.kill(self.pid)
        self.cluster.ledger.did(machine.name, self.name, begun)

    def await_answer(self, machine):
        return self.cluster.answer(machine, self.port, PROMPT, 60)


class Janitor(Worker):
    """Deletes snapshots, has others verified, and changes the policy."""

    KEPT = 3

    def __init__(self, name, policies, *common):
        super().__init__(name, *common)
        self.policies = policies

    def step(self):
        self.stop.wait(self.rng.uniform(1, 4))
        ready = self.api.items("/snapshots", {"state": "READY", "pageSize": 200})
        models = collections.defaultdict(list)
        for snapshot in ready:
            models[snapshot["model"]].append(snapshot)
        # However fast the machine saves: what is left has to come back from every copy at the end.
        for all_ in models.values():
            for doomed in self.rng.sample(all_, max(0, len(all_) - self.KEPT)):
                self.remove(doomed["id"])
        if ready and self.rng.random() < 0.2:
            self.api.post(f"/snapshots/{self.rng.choice(ready)['id']}/verifications", {})
            self.account.count("verification")
        if self.rng.random() < 0.1:
            self.cluster.set_policy(self.rng.choice(self.policies))
            self.account.count("policy change")

    def remove(self, snapshot):
        try:
            self.api.delete(f"/snapshots/{snapshot}")
            self.account.count("delete")
        except ApiFailure as refusal:
            if refusal.status >= 500:
                raise
            self.account.count(f"refused {refusal.problem.get('code', refusal.status)}")


class Watch(Worker):
    """Sees which killed daemons are back, and now and then what all of them have read."""

    READS_SECONDS = 5
    read_at = 0.0

    def step(self):
        self.cluster.look()
        if time.monotonic() < self.read_at:
            return
        self.read_at = time.monotonic() + self.READS_SECONDS
        for machine in self.cluster.machines[:-1]:
            try:
                self.account.reads.saw(machine.name, self.cluster.read_bytes(machine))
            except (OSError, http.client.HTTPException):
                continue  # it is dead, or dies now


class Chaos(Worker):
    """Kills daemons at random moments and starts them again; sometimes a whole machine."""

    def __init__(self, every_seconds, *common):
        super().__init__("chaos", *common)
        self.every_seconds = every_seconds

    def step(self):
        if self.stop.wait(self.rng.expovariate(1 / self.every_seconds)):
            return
        machine = self.rng.choice(self.cluster.machines[:-1])
        kind = self.rng.choices(["daemon", "daemon, long", "machine"], [75, 15, 10])[0]
        if kind == "machine":
            self.cluster.kill_daemon(machine)
            self.account.went_off(machine)
            machine.power_off()
            machine.power_on()
        else:
            self.cluster.kill_daemon(machine)
        self.account.count(f"killed {kind}")
        # Long is past the time after which a node is lost.
        time.sleep(self.rng.uniform(22, 28) if kind == "daemon, long" else self.rng.uniform(0, 4))
        self.cluster.start_daemon(machine)
