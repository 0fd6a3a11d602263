"""After the load: is every READY snapshot what it says, and is there anything that nobody needs?"""

import collections
import json
import struct
import threading
import time

from benchlib.failure import BenchFailure
from benchlib.rest import ApiFailure

from .verdict import NEVER, Verdict, chunk_bytes, chunks_of, damage, durable, only_copies, unlike_tier

IDLE_SECONDS = 300
GONE_SECONDS = 420
RESTORE_SECONDS = 120
OF_FAILURES = ("id", "kind", "attempt", "target", "failure", "createdAt", "startedAt", "finishedAt")


class Audit:
    def __init__(self, cluster, daemons, account, slots, fresh):
        self.daemons = daemons
        self.shared = daemons.shared(cluster)
        # One on a node and one in each shared store.
        self.copies = 1 + len(self.shared)
        self.cluster = cluster
        self.api = cluster.api
        self.account = account
        self.slots = {slot.name: slot for slot in slots}
        self.fresh = fresh
        self.came_back = set()
        self.found = {"copiesRestored": 0, "bytesByTierOfCopies": collections.defaultdict(collections.Counter)}

    def run(self):
        for step in (
            self.come_to_rest, self.look_for_damage, self.restore_only_copies, self.settle, self.scrub,
            self.restore_everything, self.account_for_blobs, self.sum_up,
        ):  # fmt: skip
            started = time.monotonic()
            print(f"audit: {step.__name__}", flush=True)
            step()
            self.found[f"{step.__name__}Seconds"] = round(time.monotonic() - started, 1)

    # ---- rest ----

    def come_to_rest(self):
        """No load, no processes, no policy that mends anything; nothing may be left on its way."""
        self.cluster.set_policy([])
        for machine in self.machines():
            self.cluster.wait(lambda m=machine: self.cluster.online(m), IDLE_SECONDS, f"{machine.name} is online")
        for machine in self.machines():
            for slot in self.slots.values():
                slot.end_on(machine)
        self.await_idle()
        for machine in self.machines():
            self.account.reads.saw(machine.name, self.cluster.read_bytes(machine))
        self.found["bytesByTierOfLoad"] = self.account.reads.total()

    def look_for_damage(self):
        """Before any repair: nothing damages anything in this soak, so whatever was found wrong is a loss, mended or not."""
        self.found["corruptCopies"] = self.cluster.corrupt_copies()
        for text in damage(self.found["corruptCopies"], self.cluster.snapshots()):
            self.account.violation(text)

    def restore_only_copies(self):
        """What has only one copy left comes back from that one, before another is made; of one model all are made so."""
        models = sorted({snapshot["model"] for snapshot in self.cluster.snapshots()})
        kind = sorted(self.shared)[0]
        self.found["onlyCopiesRestored"] = 0
        if not models:
            self.account.violation("there is no READY snapshot")
            return
        self.cluster.set_policy([{"kind": "archive", "to": kind, "unusedFor": "PT1M"}], models[:1])
        self.cluster.wait(lambda: self.is_archived(models[0], kind), IDLE_SECONDS, f"{models[0]} is in {kind} only")
        self.cluster.set_policy([])
        self.await_idle()
        self.bring_fresh_up()
        for snapshot, copy in only_copies(self.cluster.snapshots()):
            self.restore_guarded(snapshot, copy, self.machine_of(copy), "onlyCopiesRestored")
        self.cluster.kill_daemon(self.fresh)
        self.fresh.power_off()
        self.cluster.wait(lambda: self.cluster.node(self.fresh)["state"] != "ONLINE", IDLE_SECONDS, f"{self.fresh.name} is out of sight")

    def is_archived(self, model, kind):
        copies = [[copy["kind"] for copy in one["locations"]] for one in self.cluster.snapshots() if one["model"] == model]
        return all(kinds == [kind] for kinds in copies)

    def bring_fresh_up(self):
        self.fresh.power_on()
        self.cluster.start_daemon(self.fresh)
        self.cluster.wait(lambda: self.cluster.online(self.fresh), IDLE_SECONDS, f"{self.fresh.name} is online")

    def machine_of(self, copy):
        """Where a copy of a node's own is; what is shared comes back on a machine that has nothing."""
        if "nodeId" not in copy:
            return self.fresh
        names = {node["id"]: node["name"] for node in self.api.items("/nodes", {})}
        return next(machine for machine in self.cluster.machines if machine.name == names[copy["nodeId"]])

    def settle(self):
        """Each snapshot on a node and in each shared store, and then no moves; nothing may be left on its way."""
        self.cluster.set_policy([{"kind": "minimum-copies", "copies": self.copies}])
        self.cluster.wait(self.is_copied, IDLE_SECONDS, f"each READY snapshot has {self.copies} copies")
        self.cluster.set_policy([])
        self.await_idle()
        # Threads that started while a server did may have an id beside its own; anew they have not.
        for machine in self.machines():
            self.cluster.restart_daemon(machine)
        self.await_idle()

    def is_copied(self):
        return all(sum(copy["state"] == "PRESENT" for copy in one["locations"]) >= self.copies for one in self.cluster.snapshots())

    def await_idle(self):
        deadline = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < deadline:
            active = [one for state in ("PENDING", "RUNNING") for one in self.cluster.all("/operations", state=state)]
            # Sweeps and scrubs go on for ever, one after the other.
            active = [one for one in active if one["kind"] not in ("SWEEP", "SCRUB")]
            # A deletion that failed is tried again after a pause in which no operation runs.
            if not active and not self.cluster.all("/snapshots", state="DELETING"):
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
        self.bring_fresh_up()
        copies = collections.defaultdict(list)
        ready = self.cluster.snapshots()
        for snapshot in ready:
            for copy in durable(snapshot):
                copies[self.machine_of(copy).name].append((snapshot, copy))
        threads = [threading.Thread(target=self.restore_on, args=(one, copies[one.name])) for one in self.cluster.machines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for snapshot in ready:
            if snapshot["id"] not in self.came_back:
                self.account.violation(f"READY snapshot {snapshot['id']} came back from nowhere")

    def restore_on(self, machine, copies):
        for snapshot, copy in copies:
            self.restore_guarded(snapshot, copy, machine, "copiesRestored")

    def restore_guarded(self, snapshot, copy, machine, counted):
        try:
            self.restore(snapshot, copy, machine, counted)
        except (BenchFailure, OSError, KeyError) as trouble:
            self.account.violation(f"{snapshot['id']} on {machine.name}: the audit broke: {type(trouble).__name__}: {trouble}")

    def reaches(self, machine, kind):
        return self.cluster.online(machine) and any(
            tier["kind"] == kind and "storeId" in tier and tier.get("health") != "UNHEALTHY"
            for tier in self.cluster.node(machine)["inventory"]["tiers"]
        )

    def restore(self, snapshot, copy, machine, counted):
        slot = self.slots[snapshot["model"]]
        where = f"{snapshot['id']} from {copy['kind']} on {machine.name}"
        # A daemon that has just begun, asks no other one and has nothing in its pool: what it reads, it reads from the copy.
        self.daemons.audit(machine, copy["kind"])
        self.cluster.restart_daemon(machine, forgetting=True)
        if machine is self.fresh:
            # A store that it has not looked at yet is one that it does not name, or of which it says that it has not answered.
            self.cluster.wait(lambda: self.reaches(machine, copy["kind"]), IDLE_SECONDS, f"{machine.name} reaches {copy['kind']}")
        node = self.cluster.node(machine)["id"]
        try:
            accepted = self.api.post("/restores", {"snapshotId": snapshot["id"], "nodeId": node, "fallback": "NONE"})
            self.api.wait_operation(accepted["operation"]["id"], RESTORE_SECONDS)
            answer = slot.await_answer(machine)
            if answer != self.account.expected.get(snapshot["id"]):
                self.account.violation(f"{where} answers {answer}, not {self.account.expected.get(snapshot['id'])}")
            manifest = self.api.get(f"/snapshots/{snapshot['id']}/manifest")
            self.read_from(where, snapshot, copy, self.cluster.read_bytes(machine), manifest, counted)
        except (ApiFailure, BenchFailure, OSError) as failure:
            self.account.violation(f"{where} does not come back: {failure}")
        slot.end_on(machine)
        self.cluster.wait(lambda: not self.running(slot, node), IDLE_SECONDS, f"{slot.name} is gone")

    def read_from(self, where, snapshot, copy, bytes_by_tier, manifest, counted):
        wrong = unlike_tier(copy["kind"], bytes_by_tier, chunk_bytes(manifest))
        if wrong:
            self.account.violation(f"{where}: {wrong}")
        with self.account.lock:
            self.found[counted] += 1
            self.came_back.add(snapshot["id"])
            self.found["bytesByTierOfCopies"][copy["kind"]].update(bytes_by_tier)

    def running(self, slot, node=None):
        found = [one for one in self.api.items("/workloads", {"name": slot.name}) if one["state"] == "RUNNING"]
        return [one for one in found if node in (None, one["nodeId"])]

    # ---- accounted for ----

    def account_for_blobs(self):
        ready = {snapshot["id"]: snapshot for snapshot in self.cluster.snapshots()}
        deadline = time.monotonic() + GONE_SECONDS
        while True:
            leaked, lacking = [], []
            for machine in self.machines():
                unneeded, gone = self.unaccounted_on_disk(machine, ready)
                leaked += unneeded
                lacking += gone
            for kind, store in self.shared.items():
                unneeded, gone = self.unaccounted(ready, kind, store)
                leaked += [f"{kind}: nobody needs {name}" for name in unneeded]
                lacking += [f"{kind}: {name} is needed and is not there" for name in gone]
            if not leaked or time.monotonic() > deadline:
                break
            time.sleep(2)
        for text in leaked + lacking:
            self.account.violation(text)

    def unaccounted_on_disk(self, machine, ready):
        """What of a machine's own store nobody needs, and what is needed and lacking."""
        store = machine.disk / "store"
        node = self.cluster.node(machine)["id"]
        here = {of for of, one in ready.items() if any(c.get("nodeId") == node and c["kind"] == "NVME" for c in one["locations"])}
        manifests = {file.stem: json.loads(file.read_text()) for file in (store / "manifests").iterdir()}
        needed = {chunk["digest"] for one in manifests.values() for chunk in chunks_of(one)}
        there = {file.name for file in (store / "chunks").glob("*/*")}
        self.found[f"chunksOn{machine.name}"] = len(there)
        leaked = [f"manifest {of} is there and no copy is known" for of in sorted(set(manifests) - here)]
        if unneeded := sorted(there - needed):
            leaked.append(f"{len(unneeded)} chunks that nobody needs: {unneeded[:5]}")
        for folder in ("pending", "deleted", "quarantine", "tmp"):
            leaked += [f"{folder}/{file.name} is left" for file in (store / folder).iterdir()]
        lacking = [f"the manifest of {of} is not there" for of in sorted(here - set(manifests))]
        lacking += [f"chunk {name} is not there" for name in sorted(needed - there)]
        return [f"{machine.name}: {text}" for text in leaked], [f"{machine.name}: {text}" for text in lacking]

    def unaccounted(self, ready, kind, store):
        """Objects of a shared store that nobody needs, and names that are needed and lacking."""
        there = store.objects()
        here = {of for of, one in ready.items() if any(copy["kind"] == kind for copy in one["locations"])}
        copies = collections.defaultdict(list)
        for name in there:
            if name.startswith("snapshots/"):
                copies[name.removeprefix("snapshots/").split(".")[0]].append(name)
        needed, lacking = {"gpusnap-store.json", "gpusnap-service.json"}, []
        if self.daemons.ways["keys"]:
            # Which scope a key is of, only its name's hash tells; there is one tenant, and nothing rotates.
            keys = {name for name in there if name.startswith("keys/")}
            needed |= keys
            if here and len(keys) != 1:
                lacking.append(f"the tenant's one data key: there are {sorted(keys)}")
        for of in here:
            whole = {name.rsplit(".", 1)[0] for name in copies[of] if name.endswith(".json")}
            if not whole:
                lacking.append(f"the manifest of {of}")
            for copy in whole:
                needed |= {f"{copy}.json", f"{copy}.map", *([f"{copy}.sig"] if self.daemons.ways["signing"] else [])}
                for pack in packs_of(store.read_object(f"{copy}.map")):
                    needed |= {f"packs/{pack[:2]}/{pack}", f"indexes/{pack}"}
            if len(whole) > 1:
                lacking.append(f"the one copy of {of}: there are {sorted(whole)}")
        self.found[f"objectsIn{kind}"] = len(there)
        leaked = sorted(set(there) - needed) + [f"the upload of {name}" for name in store.uploads()]
        return leaked, lacking + sorted(needed - set(there))

    # ---- what happened ----

    def sum_up(self):
        for tier, number in self.cluster.corrupt_copies().items():
            if number > self.found["corruptCopies"].get(tier, 0):
                self.account.violation(f"{number} copies in {tier} were found wrong by the end of the audit")
        self.found["coldRestores"] = dict(sorted(collections.Counter(one["cold"]["code"] for one in self.account.cold).items()))
        for restore in self.account.cold:
            if restore["cold"]["code"] in NEVER:
                self.account.violation(f"restore {restore['id']} ended COLD for {restore['cold']}")
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
