"""Which failures the soak takes for what they must be. Run with: python3 -m unittest discover -s bench/soak -t bench/soak"""

import datetime
import unittest

from soaklib import verdict
from soaklib.ledger import Act, Ledger, Outage
from soaklib.load import Account, Reads
from soaklib.verdict import Verdict, chunk_bytes, damage, only_copies, unlike_tier

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC).timestamp()


def at(second):
    return datetime.datetime.fromtimestamp(NOON + second, datetime.UTC).isoformat().replace("+00:00", "Z")


def operation(kind, begin, end, code=None, stage=None, node="node-1", snapshot="snapshot-1", store=None):
    return {
        "kind": kind,
        "state": "FAILED" if code else "SUCCEEDED",
        "nodeId": node,
        "target": {"snapshotId": snapshot, "storeId": store},
        "createdAt": at(begin),
        "startedAt": at(begin),
        "finishedAt": at(end),
        "failure": code and {"code": code, "stage": stage},
    }


def explained(failed, others=(), outages=(), acts=()):
    ledger = Ledger()
    for outage in outages:
        ledger.outages[outage.machine].append(outage)
    ledger.acts += acts
    return Verdict([failed, *others], ledger, {"node-1": "m1", "node-2": "m2"}, {"snapshot-1": "slot1"}).explained(failed)


class KillTest(unittest.TestCase):
    THAW = operation("THAW", 10, 20, "CRIU_FAILED", "criu-restore")

    def test_a_kill_of_its_daemon_explains_a_failure(self):
        self.assertEqual(explained(self.THAW, outages=[Outage("m1", NOON + 15, until=NOON + 30)]), verdict.KILL)

    def test_so_does_one_from_before_that_the_daemon_was_not_back_from(self):
        self.assertEqual(explained(self.THAW, outages=[Outage("m1", NOON, until=NOON + 11)]), verdict.KILL)
        self.assertEqual(explained(self.THAW, outages=[Outage("m1", NOON)]), verdict.KILL)

    def test_a_kill_elsewhere_or_at_another_time_does_not(self):
        for outage in (Outage("m2", NOON + 15, until=NOON + 30), Outage("m1", NOON, until=NOON + 9), Outage("m1", NOON + 21)):
            self.assertIsNone(explained(self.THAW, outages=[outage]))

    def test_nothing_is_an_excuse_for_wrong_content_or_an_error_of_ours(self):
        for code in ("INTERNAL", "CHUNK_CORRUPT", "MANIFEST_INVALID", "PROTOCOL_ERROR"):
            self.assertIsNone(explained(operation("THAW", 10, 20, code), outages=[Outage("m1", NOON + 15)]))

    def test_a_lost_node_that_nobody_killed_is_not_explained(self):
        self.assertIsNone(explained(operation("SCRUB", 10, 20, "NODE_LOST")))


class MissingTest(unittest.TestCase):
    PUSH = operation("TRANSFER", 10, 20, "CHUNK_MISSING", "commit", store="bucket")

    def test_a_sweep_of_the_same_store_at_that_time_explains_a_push_that_is_refused_at_its_commit(self):
        self.assertEqual(explained(self.PUSH, [operation("SWEEP", 5, 12, node="node-2", snapshot=None, store="bucket")]), verdict.SWEEP)

    def test_a_sweep_that_died_explains_a_refusal_until_another_has_ended(self):
        push = operation("TRANSFER", 10, 20, "OBJECT_GONE", store="bucket")
        died = operation("SWEEP", 2, 6, "NODE_LOST", store="bucket")
        self.assertEqual(explained(push, [died]), verdict.DEAD_SWEEP)
        self.assertIsNone(explained(push, [died, operation("SWEEP", 7, 9, store="bucket")]))
        self.assertIsNone(explained(push, [died | {"target": {"storeId": "other"}}]))
        self.assertIsNone(explained(self.PUSH, [died]))

    def test_a_sweep_that_waits_for_its_node_explains_a_refusal(self):
        push = operation("TRANSFER", 10, 20, "OBJECT_GONE", store="bucket")
        waits = operation("SWEEP", 5, 12, store="bucket") | {"startedAt": None}
        self.assertEqual(explained(push, [waits]), verdict.SWEEP)
        self.assertIsNone(explained(push, [operation("SWEEP", 21, 30, store="bucket")]))

    def test_a_sweep_at_another_time_or_of_another_store_does_not(self):
        self.assertIsNone(explained(self.PUSH, [operation("SWEEP", 0, 9, store="bucket")]))
        self.assertIsNone(explained(self.PUSH, [operation("SWEEP", 5, 12, store="other")]))

    def test_nor_does_it_explain_what_is_missing_anywhere_else(self):
        sweep = operation("SWEEP", 5, 12, store="bucket")
        self.assertIsNone(explained(operation("TRANSFER", 10, 20, "CHUNK_MISSING", "copy", store="bucket"), [sweep]))
        self.assertIsNone(explained(operation("THAW", 10, 20, "CHUNK_MISSING", "materialise", store="bucket"), [sweep]))

    def test_nor_does_a_sweep_that_never_began(self):
        sweep = operation("SWEEP", 5, 12, store="bucket") | {"startedAt": None}
        self.assertIsNone(explained(self.PUSH, [sweep]))

    def test_a_deletion_of_the_snapshot_explains_it_and_one_of_another_does_not(self):
        thaw = operation("THAW", 10, 20, "CHUNK_MISSING", "preflight")
        self.assertEqual(explained(thaw, [operation("DELETE", 9, 15, node="node-2")]), verdict.DELETION)
        self.assertIsNone(explained(thaw, [operation("DELETE", 9, 15, snapshot="snapshot-2")]))

    def test_an_eviction_explains_it_on_its_own_node_only(self):
        thaw = operation("THAW", 10, 20, "CHUNK_MISSING", "preflight")
        self.assertEqual(explained(thaw, [operation("EVICT", 9, 15)]), verdict.DELETION)
        self.assertIsNone(explained(thaw, [operation("EVICT", 9, 15, node="node-2")]))

    def test_a_snapshot_that_is_not_ready_by_then_was_deleted_or_is_not_explained(self):
        push = operation("TRANSFER", 10, 20, "SNAPSHOT_NOT_READY", store="bucket")
        self.assertEqual(explained(push, [operation("DELETE", 9, 25)]), verdict.DELETION)
        self.assertIsNone(explained(push, [operation("SWEEP", 5, 12, store="bucket")]))

    def test_a_kill_does_not_explain_what_is_missing(self):
        self.assertIsNone(explained(self.PUSH, outages=[Outage("m1", NOON + 15)]))


class OthersTest(unittest.TestCase):
    def test_a_server_that_the_load_started_there_meanwhile_explains_a_thaw_of_the_same(self):
        thaw = operation("THAW", 10, 20, "CRIU_FAILED", "criu-restore")
        self.assertEqual(explained(thaw, acts=[Act("m1", "slot1", NOON + 12, NOON + 13)]), verdict.ACT)
        for act in (Act("m2", "slot1", NOON + 12, NOON + 13), Act("m1", "slot2", NOON + 12, NOON + 13), Act("m1", "slot1", NOON, NOON + 9)):
            self.assertIsNone(explained(thaw, acts=[act]))

    def test_a_taken_process_id_or_port_is_a_refusal_as_long_as_nothing_was_touched(self):
        for code in ("PID_CONFLICT", "PORT_CONFLICT"):
            self.assertEqual(explained(operation("THAW", 10, 20, code, "preflight")), verdict.REFUSAL)
            self.assertIsNone(explained(operation("THAW", 10, 20, code, "criu-restore")))

    def test_what_is_in_use_is_not_evicted(self):
        self.assertEqual(explained(operation("EVICT", 10, 20, "IN_USE", "evict")), verdict.REFUSAL)


class LedgerTest(unittest.TestCase):
    def test_an_outage_lasts_until_another_instance_has_spoken(self):
        ledger = Ledger()
        outage = ledger.killing("m1")
        ledger.seen("m1", "b")  # not known yet which one was killed
        ledger.killed(outage, "a")
        ledger.seen("m1", "a")
        ledger.seen("m2", "b")
        self.assertEqual(outage.until, float("inf"))
        ledger.seen("m1", "b")
        self.assertLess(outage.until, float("inf"))


class CopyTest(unittest.TestCase):
    MANIFEST = {
        "device": {"allocations": [{"chunks": [{"digest": "a", "sizeBytes": 4}, {"digest": "zero", "sizeBytes": 4}]}]},
        "host": {"files": [{"chunks": [{"digest": "a", "sizeBytes": 4}, {"digest": "b", "sizeBytes": 2}]}]},
    }

    def test_each_content_is_needed_once_and_zeros_never(self):
        self.assertEqual(chunk_bytes(self.MANIFEST), 6)

    def test_all_must_have_come_from_the_tier_that_is_audited(self):
        self.assertIsNone(unlike_tier("S3", {"s3": 6}, 6))
        self.assertIsNone(unlike_tier("NVME", {"nvme": 6, "memory": 0}, 6))
        self.assertIn("memory", unlike_tier("NVME", {"nvme": 2, "memory": 4}, 6))
        self.assertIn("peer", unlike_tier("S3", {"s3": 6, "peer": 4}, 6))
        self.assertIn("2 of 6", unlike_tier("S3", {"s3": 2}, 6))
        self.assertIn("0 of 6", unlike_tier("S3", {}, 6))


def snapshot(name, *copies):
    locations = [{"kind": kind, "state": state, "storeId": f"{kind}-{i}"} for i, (kind, state) in enumerate(copies)]
    return {"id": name, "locations": locations}


class DamageTest(unittest.TestCase):
    def test_what_was_found_wrong_is_a_loss_also_when_it_was_mended_since(self):
        whole = snapshot("whole", ("NVME", "PRESENT"), ("S3", "PRESENT"))
        self.assertEqual(damage({}, [whole]), [])
        self.assertEqual(damage({"s3": 0}, [whole]), [])
        self.assertEqual(damage({"s3": 2}, [whole]), ["2 copies in s3 were found wrong"])

    def test_a_copy_that_is_wrong_and_a_snapshot_without_one_are_named(self):
        (wrong,) = damage({}, [snapshot("one", ("NVME", "PRESENT"), ("S3", "CORRUPT"))])
        self.assertIn("the copy of one in S3-1 (S3) is CORRUPT", wrong)
        for copies in ((), [("MEMORY", "PRESENT")], [("NVME", "COPYING")]):
            (none,) = damage({}, [snapshot("one", *copies)])
            self.assertIn("READY snapshot one has no copy", none)

    def test_the_only_copy_is_one_that_outlives_memory(self):
        cold = snapshot("cold", ("S3", "PRESENT"))
        pooled = snapshot("pooled", ("NVME", "PRESENT"), ("MEMORY", "PRESENT"))
        both = snapshot("both", ("NVME", "PRESENT"), ("S3", "PRESENT"))
        found = [(one["id"], copy["kind"]) for one, copy in only_copies([cold, pooled, both, snapshot("lost")])]
        self.assertEqual(found, [("cold", "S3"), ("pooled", "NVME")])


class TroubleTest(unittest.TestCase):
    def test_what_nobody_answers_for_is_counted_and_told(self):
        account = Account()
        account.trouble("slot3", ConnectionRefusedError("nobody listens"))
        self.assertEqual(account.counts, {"ConnectionRefusedError in slot": 1})
        self.assertEqual(account.troubles, ["slot3: nobody listens"])
        self.assertEqual(account.violations, [])


class ReadsTest(unittest.TestCase):
    def test_a_daemon_that_begins_anew_counts_from_nothing(self):
        reads = Reads()
        reads.saw("m0", {"nvme": 5})
        reads.saw("m0", {"nvme": 9, "peer": 1})
        reads.saw("m1", {"nvme": 2})
        reads.saw("m0", {})
        reads.saw("m0", {"nvme": 3})
        self.assertEqual(reads.total(), {"nvme": 14, "peer": 1})


if __name__ == "__main__":
    unittest.main()
