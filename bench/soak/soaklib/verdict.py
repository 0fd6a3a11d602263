"""Which failures of operations are as they must be, and by what; the others are violations."""

from .ledger import moment

# The content of a snapshot, or what must not be: no kill of a daemon is an excuse.
NEVER = ("INTERNAL", "CHUNK_CORRUPT", "MANIFEST_INVALID", "PROTOCOL_ERROR")
# Nothing was touched, and the caller can ask again.
REFUSALS = (("THAW", "preflight", "PID_CONFLICT"), ("THAW", "preflight", "PORT_CONFLICT"), ("EVICT", None, "IN_USE"), ("DELETE", None, "IN_USE"))
SWEPT = ("CHUNK_MISSING", "OBJECT_GONE")
GONE = (*SWEPT, "SNAPSHOT_NOT_READY")

KILL = "its daemon was killed meanwhile"
SWEEP = "a sweep of that store ran meanwhile"
DEAD_SWEEP = "a sweep of that store had died, and none had ended what it began"
DELETION = "its snapshot was deleted meanwhile"
ACT = "the load started or ended the same server there meanwhile"
REFUSAL = "refused, with nothing touched"


class Verdict:
    """`operations` of the whole run as the service lists them; `machines`: names by node id; `models`: by snapshot id."""

    def __init__(self, operations, ledger, machines, models):
        self.operations = operations
        self.outages = ledger.outages
        self.acts = ledger.acts
        self.machines = machines
        self.models = models

    def explained(self, operation):
        """By what a failed operation is as it must be; None: by nothing."""
        failure = operation["failure"]
        code, stage = failure["code"], failure.get("stage")
        if code in NEVER:
            return None
        if code in GONE:
            return self.gone(operation, code, stage)
        begin, end = span(operation)
        machine = self.machines.get(operation["nodeId"])
        if any(one.since <= end and begin <= one.until for one in self.outages.get(machine, ())):
            return KILL
        if any(kind == operation["kind"] and code == refused and at in (None, stage) for kind, at, refused in REFUSALS):
            return REFUSAL
        model = self.models.get(operation["target"].get("snapshotId"))
        if model and any((act.machine, act.model) == (machine, model) and act.since <= end and begin <= act.until for act in self.acts):
            return ACT
        return None

    def gone(self, operation, code, stage):
        """What is missing was there until something took it that may: a sweep from under a push that had not named it yet, or a deletion."""
        if operation["kind"] == "TRANSFER" and code in SWEPT and stage in (None, "commit"):
            store = operation["target"].get("storeId")
            if any(one["target"].get("storeId") == store and overlap(one, operation) for one in self.of("SWEEP")):
                return SWEEP
            if code == "OBJECT_GONE":
                return self.condemned(store, operation)
        if any(takes(one, operation) and overlap(one, operation) for one in self.of("DELETE", "EVICT")):
            return DELETION
        return None

    def condemned(self, store, operation):
        """From the moment that a sweep is queued nothing is shared of what it is to delete. Of what one had that died, nobody knows what is
        there: that goes on until another one has come to its end."""
        sweeps = [one for one in self.of("SWEEP") if one["target"].get("storeId") == store]
        begin, end = span(operation)
        if any(span(one)[0] <= end and begin <= span(one)[1] for one in sweeps):
            return SWEEP
        ends = [(moment(one["finishedAt"]), one["state"]) for one in sweeps if one.get("finishedAt") and span(one)[1] <= begin]
        return DEAD_SWEEP if ends and max(ends)[1] == "FAILED" else None

    def of(self, *kinds):
        return (one for one in self.operations if one["kind"] in kinds)


def takes(one, operation):
    """A deletion is of all copies, an eviction of that node's own."""
    same = one["target"].get("snapshotId") == operation["target"].get("snapshotId")
    return same and (one["kind"] == "DELETE" or one["nodeId"] == operation["nodeId"])


def unlike_tier(kind, bytes_by_tier, needed_bytes):
    """What is wrong with how a thaw read the one copy that it was to read, or None."""
    tier = kind.lower()
    elsewhere = {name: read for name, read in bytes_by_tier.items() if name != tier and read}
    if elsewhere:
        return f"it read from elsewhere than {tier}: {elsewhere}"
    if bytes_by_tier.get(tier, 0) < needed_bytes:
        return f"it read {bytes_by_tier.get(tier, 0)} of {needed_bytes} bytes"
    return None


def damage(corrupt_by_tier, ready):
    """What says that something of READY snapshots was lost, whether or not it was mended since."""
    found = [f"{number} copies in {tier} were found wrong" for tier, number in sorted(corrupt_by_tier.items()) if number]
    for snapshot in ready:
        if not durable(snapshot):
            found.append(f"READY snapshot {snapshot['id']} has no copy: {snapshot['locations']}")
        found += [
            f"the copy of {snapshot['id']} in {copy['storeId']} ({copy['kind']}) is CORRUPT: {copy.get('damage')}"
            for copy in snapshot["locations"]
            if copy["state"] == "CORRUPT"
        ]
    return found


def durable(snapshot):
    """Its copies that outlive a machine's memory."""
    return [copy for copy in snapshot["locations"] if copy["state"] == "PRESENT" and copy["kind"] != "MEMORY"]


def only_copies(ready):
    """Those that one copy is left of, with that copy."""
    return [(snapshot, *copies) for snapshot in ready if len(copies := durable(snapshot)) == 1]


def chunks_of(manifest):
    """All chunks that have content, as often as they are named."""
    for kind in (manifest["device"]["allocations"], manifest["host"]["files"], manifest["host"].get("areas", [])):
        for one in kind:
            yield from (chunk for chunk in one["chunks"] if chunk["digest"] != "zero")


def chunk_bytes(manifest):
    """Of each content once."""
    return sum({chunk["digest"]: chunk["sizeBytes"] for chunk in chunks_of(manifest)}.values())


def span(operation):
    """From when it was asked for until its end, or for ever."""
    return moment(operation["createdAt"]), moment(operation["finishedAt"]) if operation.get("finishedAt") else float("inf")


def overlap(one, other):
    """Whether both were under way at one moment; what never began has done nothing."""
    if not one.get("startedAt"):
        return False
    return moment(one["startedAt"]) <= span(other)[1] and span(other)[0] <= span(one)[1]
