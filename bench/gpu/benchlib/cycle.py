"""A program's way through a freeze and a thaw, its answers compared bit for bit."""

import json
import time

from .failure import BenchFailure
from .hand import CommandFailure

# What a save may refuse, and where it says so.
REFUSALS = {"WORKLOAD_UNSUPPORTED": "node-daemon/src/main/java/io/gpusnap/node/engine/README.md"}


class Cycle:
    """One program's way through a freeze and a thaw."""

    def __init__(self, bench, node, row, instance):
        self.bench, self.node, self.row, self.instance = bench, node, row, instance
        self.facts = {}

    def run(self, record):
        instance = self.instance
        self.bench.note(f"== {self.row.name} (ready after {instance.ready_seconds} s)")
        before, work = self.settled()
        self.facts = {"readySeconds": instance.ready_seconds, "program": self.program_facts()}
        try:
            saved = self.node.save(instance.process)
        except CommandFailure as refusal:
            self.refused(refusal, before, record)
            return
        self.facts["save"] = {key: saved[key] for key in ("totals", "pauseSeconds", "movedBytes", "stages", "commandSeconds") if key in saved}
        self.thaw(saved["snapshotId"])
        self.compare(before, instance.answers(), "after the thaw")
        self.compare({"work 1": work}, {"work 1": instance.ask("/work?round=1")}, "in a second round of work")
        fresh = instance.ask("/work?round=2")
        self.same_process(before, {"work 2": fresh})
        self.compare(before, instance.answers(), "after new work")
        record(self.row, "PASSED", answersEqual=True, compared=len(before) + 1, **self.facts, programAfter=self.program_facts())

    def settled(self):
        """Answers before the freeze; asked twice, for a program that does not agree with itself proves nothing."""
        first, work = self.instance.answers(), self.instance.ask("/work?round=1")
        self.compare(first, self.instance.answers(), "before any freeze")
        self.compare({"work 1": work}, {"work 1": self.instance.ask("/work?round=1")}, "before any freeze")
        return first, work

    def thaw(self, snapshot_id):
        instance = self.instance
        dead = instance.process
        began = time.monotonic()
        instance.process, thawed = self.node.thaw(snapshot_id, f"{self.row.name}-thawed", dead.log)
        _, first = instance.first_answer(60)
        self.facts["thaw"] = {
            **{key: thawed[key] for key in ("seconds", "stageSeconds", "fillBytesPerSecond", "commandSeconds") if key in thawed},
            "toFirstAnswerSeconds": round(time.monotonic() - began, 3),
            "samePid": thawed["pid"] == dead.pid,
        }
        self.facts["firstAnswer"] = first

    def refused(self, refusal, before, record):
        """A refusal is good when it is one that is written down and the program goes on as it was."""
        documented = REFUSALS.get(refusal.code)
        facts = {**self.facts, "code": refusal.code, "reason": refusal.detail, "stage": refusal.last_stage, "documented": documented}
        if documented is None:
            raise BenchFailure(f"the save failed in stage after {refusal.last_stage}: {refusal.code}: {refusal.detail}")
        self.compare(before, self.instance.answers(), "after the refusal")
        record(self.row, "REFUSED", answersEqual=True, **facts)

    def program_facts(self):
        try:
            return json.loads(self.instance.get("/facts", 30)[0])
        except OSError as failure:
            return {"error": str(failure)}

    @staticmethod
    def compare(before, after, when):
        for name, was in before.items():
            if after[name] != was:
                raise BenchFailure(f"{name} differs {when}: {after[name]} instead of {was}")

    @staticmethod
    def same_process(before, fresh):
        tokens = {answer["token"] for answer in [*before.values(), *fresh.values()]}
        if len(tokens) != 1:
            raise BenchFailure(f"answers of more than one process: {tokens}")
