"""After the load: is every READY snapshot what it says, and is there anything that nobody needs?"""

import collections
import json
import struct
import threading
import time

from benchlib.failure import BenchFailure
from benchlib.rest import ApiFailure

from .verdict import Verdict, chunk_bytes, chunks_of, unlike_tier

COPIES = 2
IDLE_SECONDS = 300
GONE_SECONDS = 420
RESTORE_SECONDS = 120
OF_FAILURES = ("id", "kind", "attempt", "target", "failure", "createdAt", "startedAt", "finishedAt")


class Audit:
    def __init__(self, cluster, account, slots, fresh):
        self.cluster = cluster
        self.api = cluster.api
        self.account = account
        self.slots = {slot.name: slot for slot in slots}
        self.fresh = fresh
        self.found = {"copiesRestored": 0, "bytesByTierOfCopies": collections.defaultdict(collections.Counter)}

    def run(self):
        for step in (self.settle, self.collect_garbage, self.scrub, self.restore_everything, self.account_for_blobs, self.sum_up):
            started = time.monotonic()
            print(f"audit: {step.__name__}", flush=True)
            step()
            self.found[f"{step.__name__}Seconds"] = round(time.monotonic() - started, 1)

    # ---- rest ----

    def settle(self):
        """No load, no processes, each snapshot on a node and in the bucket, and then no moves; nothing may be left on its way."""
        self.cluster.set_policy([{"kind": "minimum-copies", "copies": COPIES}])
        for machine in self.machines():
            self.cluster.wait(lambda m=machine: self.cluster.online(m), IDLE_SECONDS, f"{machine.name} is online")
        for machine in self.machines():
            for slot in self.slots.values():
                slot.end_on(machine)
        self.cluster.wait(self.is_copied, IDLE_SECONDS, f"each READY snapshot has {COPIES} copies")
        self.cluster.set_policy([])
        self.await_idle()
        # Threads that started while a server did may have an id beside its own; anew they have not.
        for machine in self.machines():
            self.cluster.restart_daemon(machine)
        self.await_idle()

    def is_copied(self):
        return all(sum(copy["state"] == "PRESENT" for copy in one["locations"]) >= COPIES for one in self.cluster.snapshots())

    def await_idle(self):
        deadline = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < deadline:
            active = [one for state in ("PENDING", "RUNNING") for one in self.cluster.all("/operations", state=state)]
            # Sweeps and scrubs go on for ever, one after the other.
            if not [one for one in active if one["kind"] not in ("SWEEP", "SCRUB")]:
                break
            time.sleep(0.5)
        else:
            for one in active:
                self.account.violation(f"operation {one['id']} {one['kind']} is {one['state']} for ever: {one}")
        for snapshot in self.cluster.all("/snapshots"):
            if snapshot["state"] in ("CREATING", "DELETING", "QUARANTINED"):
                self.account.violation(f"snapshot {snapshot['id']} stays {snapshot['state']}: {snapshot.get('failure')}")

    def machines(self):
        return [machine for machine in self.cluster.machines if machine is not self.fresh]

    # ---- garbage ----

    def collect_garbage(self):
        """What crashed saves left on a node goes with its next deletion: there is one on each node."""
        slot = next(iter(self.slots.values()))
        for machine in self.machines():
            slot.start_on(machine)
            self.cluster.wait(lambda: self.running(slot), IDLE_SECONDS, f"{slot.name} is seen")
            accepted = self.api.post(
                "/snapshots",
                {
                    "model": slot.name,
                    "version": "v1",
                    "workloadId": self.running(slot)[0]["id"],
                    "engine": "criu+cuda",
                    "afterSave": "STOP",
                },
            )
            self.api.wait_operation(accepted["operation"]["id"], IDLE_SECONDS)
            self.api.wait_operation(self.api.delete(f"/snapshots/{accepted['snapshot']['id']}")["id"], IDLE_SECONDS)
            self.cluster.wait(lambda: not self.running(slot), IDLE_SECONDS, f"{slot.name} is gone")

    def running(self, slot, node=None):
        found = [one for one in self.api.items("/workloads", {"name": slot.name}) if one["state"] == "RUNNING"]
        return [one for one in found if node in (None, one["nodeId"])]

    # ---- whole ----

    def scrub(self):
        """Until every copy has been read again since now."""
        ready = self.cluster.snapshots()
        begun = max((one["since"] for snapshot in ready for one in snapshot["locations"]), default="")
        begun = max([begun, *(one["updatedAt"] for one in ready)]) if ready else begun
        self.found["readySnapshots"] = len(ready)
        deadline = time.monotonic() + GONE_SECONDS
        while time.monotonic() < deadline:
            copies = [(one["id"], copy) for one in self.cluster.snapshots() for copy in one["locations"]]
            stale = [(of, copy) for of, copy in copies if copy["state"] == "PRESENT" and copy.get("verifiedAt", "") < begun]
            if not stale:
                break
            time.sleep(1)
        else:
            for of, copy in stale:
                self.account.violation(f"the copy of {of} in {copy['storeId']} ({copy['kind']}) was not scrubbed: {copy}")
        self.found["copiesScrubbed"] = len(copies)
        for of, copy in copies:
            if copy["state"] != "PRESENT":
                self.account.violation(f"the copy of {of} in {copy['storeId']} ({copy['kind']}) is {copy['state']}: {copy}")
        for snapshot in self.cluster.all("/snapshots", state="QUARANTINED"):
            self.account.violation(f"snapshot {snapshot['id']} is QUARANTINED: {snapshot.get('failure')}")

    def restore_everything(self):
        """Each from every node that has a copy of its own, and from the bucket on a machine that has nothing; machines at once."""
        self.fresh.power_on()
        self.cluster.start_daemon(self.fresh)
        self.cluster.wait(lambda: self.cluster.online(self.fresh), IDLE_SECONDS, f"{self.fresh.name} is online")
        nodes = {node["id"]: node["name"] for node in self.api.items("/nodes", {})}
        copies = collections.defaultdict(list)
        for snapshot in self.cluster.snapshots():
            if not snapshot["locations"]:
                self.account.violation(f"READY snapshot {snapshot['id']} has no copy")
            for copy in snapshot["locations"]:
                if copy["state"] == "PRESENT" and copy["kind"] != "MEMORY":
                    copies[nodes[copy["nodeId"]] if "nodeId" in copy else self.fresh.name].append((snapshot, copy))
        threads = [threading.Thread(target=self.restore_on, args=(one, copies[one.name])) for one in self.cluster.machines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def restore_on(self, machine, copies):
        for snapshot, copy in copies:
            try:
                self.restore(snapshot, copy, machine)
            except (BenchFailure, OSError, KeyError) as trouble:
                self.account.violation(f"{snapshot['id']} on {machine.name}: the audit broke: {type(trouble).__name__}: {trouble}")

    def reaches_the_bucket(self, machine):
        return self.cluster.online(machine) and any(
            tier["kind"] == "S3" and "storeId" in tier and tier.get("health") != "UNHEALTHY"
            for tier in self.cluster.node(machine)["inventory"]["tiers"]
        )

    def restore(self, snapshot, copy, machine):
        slot = self.slots[snapshot["model"]]
        where = f"{snapshot['id']} from {copy['kind']} on {machine.name}"
        # A daemon that has just begun, and has nothing in its pool: what it reads, it reads from the copy. Peers are off in all of the soak.
        self.cluster.restart_daemon(machine, forgetting=True)
        if machine is self.fresh:
            # A store that it has not looked at yet is one that it does not name, or of which it says that it has not answered.
            self.cluster.wait(lambda: self.reaches_the_bucket(machine), IDLE_SECONDS, f"{machine.name} reaches the bucket")
        node = self.cluster.node(machine)["id"]
        try:
            accepted = self.api.post("/restores", {"snapshotId": snapshot["id"], "nodeId": node, "fallback": "NONE"})
            self.api.wait_operation(accepted["operation"]["id"], RESTORE_SECONDS)
            answer = slot.await_answer(machine)
            if answer != self.account.expected.get(snapshot["id"]):
                self.account.violation(f"{where} answers {answer}, not {self.account.expected.get(snapshot['id'])}")
            self.read_from(where, copy, self.cluster.read_bytes(machine), self.api.get(f"/snapshots/{snapshot['id']}/manifest"))
        except (ApiFailure, BenchFailure, OSError) as failure:
            self.account.violation(f"{where} does not come back: {failure}")
        slot.end_on(machine)
        self.cluster.wait(lambda: not self.running(slot, node), IDLE_SECONDS, f"{slot.name} is gone")

    def read_from(self, where, copy, bytes_by_tier, manifest):
        wrong = unlike_tier(copy["kind"], bytes_by_tier, chunk_bytes(manifest))
        if wrong:
            self.account.violation(f"{where}: {wrong}")
        with self.account.lock:
            self.found["copiesRestored"] += 1
            self.found["bytesByTierOfCopies"][copy["kind"]].update(bytes_by_tier)

    # ---- accounted for ----

    def account_for_blobs(self):
        ready = {snapshot["id"]: snapshot for snapshot in self.cluster.snapshots()}
        for machine in self.machines():
            self.account_for_disk(machine, ready)
        deadline = time.monotonic() + GONE_SECONDS
        while True:
            leaked, lacking = self.unaccounted(ready)
            if not leaked or time.monotonic() > deadline:
                break
            time.sleep(2)
        for name in leaked:
            self.account.violation(f"s3: nobody needs {name}")
        for name in lacking:
            self.account.violation(f"s3: {name} is needed and is not there")

    def account_for_disk(self, machine, ready):
        store = machine.disk / "store"
        node = self.cluster.node(machine)["id"]
        here = {of for of, one in ready.items() if any(c.get("nodeId") == node and c["kind"] == "NVME" for c in one["locations"])}
        manifests = {file.stem: json.loads(file.read_text()) for file in (store / "manifests").iterdir()}
        for of in set(manifests) - here:
            self.account.violation(f"{machine.name}: manifest {of} is there and no copy is known")
        for of in here - set(manifests):
            self.account.violation(f"{machine.name}: the manifest of {of} is not there")
        needed = {chunk["digest"]: chunk["sizeBytes"] for one in manifests.values() for chunk in chunks_of(one)}
        there = {file.name: file.stat().st_size for file in (store / "chunks").glob("*/*")}
        leaked = set(there) - set(needed)
        if leaked:
            size = sum(there[name] for name in leaked)
            self.account.violation(f"{machine.name}: {len(leaked)} chunks, {size} bytes, that nobody needs: {sorted(leaked)[:5]}")
        for name in set(needed) - set(there):
            self.account.violation(f"{machine.name}: chunk {name} is not there")
        for folder in ("pending", "deleted", "quarantine", "tmp"):
            for file in (store / folder).iterdir():
                self.account.violation(f"{machine.name}: {folder}/{file.name} is left")
        self.found[f"chunksOn{machine.name}"] = len(there)

    def unaccounted(self, ready):
        """Objects of the bucket that nobody needs, and names that are needed and lacking."""
        there = self.cluster.objects()
        here = {of for of, one in ready.items() if any(copy["kind"] == "S3" for copy in one["locations"])}
        copies = collections.defaultdict(list)
        for name in there:
            if name.startswith("snapshots/"):
                copies[name.removeprefix("snapshots/").split(".")[0]].append(name)
        needed, lacking = {"gpusnap-store.json", "gpusnap-service.json"}, []
        for of in here:
            whole = {name.rsplit(".", 1)[0] for name in copies[of] if name.endswith(".json")}
            if not whole:
                lacking.append(f"the manifest of {of}")
            for copy in whole:
                needed |= {f"{copy}.json", f"{copy}.map"}
                for pack in packs_of(self.cluster.read_object(f"{copy}.map")):
                    needed |= {f"packs/{pack[:2]}/{pack}", f"indexes/{pack}"}
            if len(whole) > 1:
                lacking.append(f"the one copy of {of}: there are {sorted(whole)}")
        self.found["objects"] = len(there)
        leaked = sorted(set(there) - needed) + [f"the upload of {name}" for name in self.cluster.uploads()]
        return leaked, lacking + sorted(needed - set(there))

    # ---- what happened ----

    def sum_up(self):
        operations = self.cluster.all("/operations")
        nodes = {node["id"]: node["name"] for node in self.api.items("/nodes", {})}
        verdict = Verdict(operations, self.cluster.ledger, nodes, self.account.models)
        kinds, failures = collections.Counter(), collections.Counter()
        unexplained = []
        for operation in operations:
            kinds[f"{operation['kind']} {operation['state']}"] += 1
            if failure := operation.get("failure"):
                why = verdict.explained(operation)
                failures[f"{operation['kind']} {failure['code']}: {why or 'UNEXPLAINED'}"] += 1
                if why is None:
                    machine = nodes.get(operation["nodeId"])
                    unexplained.append({key: operation.get(key) for key in OF_FAILURES} | {"machine": machine})
                    self.account.violation(f"nothing explains the failure of {operation['kind']} {operation['id']} on {machine}: {failure}")
        self.found["operations"] = dict(sorted(kinds.items()))
        self.found["failures"] = dict(sorted(failures.items()))
        self.found["unexplainedFailures"] = unexplained
        self.found["outages"] = sum(len(ones) for ones in self.cluster.ledger.outages.values())


def packs_of(data):
    """The ids of the packs that a snapshot's map names."""
    if data[:8] != b"GNSPACK1":
        raise BenchFailure("a map does not begin as one")
    (packs,) = struct.unpack_from("<i", data, 24)
    at, ids = 28, []
    for _ in range(packs):
        ids.append(data[at : at + 32].hex())
        (scope,) = struct.unpack_from("<i", data, at + 40)
        (chunks,) = struct.unpack_from("<i", data, at + 44 + scope)
        at += 48 + scope + chunks * (32 + 4 + 8 + 4 + 4)
    return ids
