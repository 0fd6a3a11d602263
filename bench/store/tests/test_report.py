"""The report's sections of a machine without a GPU."""

import importlib.machinery
import importlib.util
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from storelib import ROOT
from storelib.summary import summarize

from tests import test_store
from tests.test_store import GB, a_round, took


def load_report():
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader = importlib.machinery.SourceFileLoader("bench_report", str(ROOT / "bench/report"))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_report", loader))
        loader.exec_module(module)
        return module
    finally:
        sys.dont_write_bytecode = before


MACHINE = {
    "cpu": "C", "cpuCores": 2, "memoryBytes": 24 * GB, "loadAverage": [0.1, 0, 0], "kernel": "k", "java": "j", "criu": "4", "drive": "ext4",
    "revision": "r", "tools": {"restic": "restic 1", "rclone": "rclone 1"},
}  # fmt: skip


class OwnSectionsTest(unittest.TestCase):
    def setUp(self):
        self.report = load_report()
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.report.ROOT = self.folder

    def rendered(self, name, **result):
        (self.folder / name).mkdir()
        (self.folder / name / f"{name}.json").write_text(json.dumps({"machine": MACHINE, "loadAverageAtEnd": [1.25, 0, 0]} | result))
        return self.report.render_own(self.folder)

    def test_without_results_there_is_no_section(self):
        self.assertEqual(self.report.render_own(self.folder), "")

    def test_store(self):
        values = {
            "imageBytes": 4 * GB, "rounds": [a_round(8, 30), a_round(6, 24)], "floors": [test_store.SummaryTest.FLOOR], "ceilings": test_store.SummaryTest.CEILINGS,
        }  # fmt: skip
        values["ceilings"] = values["ceilings"] | {"copyBytesPerSecond": 9 * GB}
        criu = {"imageBytes": GB} | {side: {"save": took(1), "restore": took(2)} for side in ("gpusnap", "restic", "borg", "rclone")}
        text = self.rendered("store", **values, summary=summarize(values), criu=criu, changedRatio=0.03, changedRegions=16)
        self.assertIn("load average 0.1 before, 1.2 after", text)
        self.assertIn("| **gpusnap** | 3.00 s | 3.00 s, part of each save | 3.00 s | 6.00 s | 4.00 GB | 2.5 % | 6.0 s |", text)
        self.assertIn("| borg | 24.00 s | 30.00 s | 12.00 s | 24.00 s | 4.00 GB | 2.5 % | 24.0 s |", text)
        self.assertIn("| restic | 7.7× | 8.1× | 3.9× | 3.9× | 3.9× |", text)
        self.assertIn("| restore, from the drive into memory | 3.50 s | 7.00 s | 50.0 % | 3.00 s |", text)

    def test_s3(self):
        one = {side: {"push": took(2, serverCpuSeconds=1), "pull": took(4, serverCpuSeconds=1), "peakBytes": 3 * 10**8} for side in ("gpusnap", "rclone")}
        text = self.rendered(
            "s3", imageBytes=4 * GB, servers={"s3mock": {"rounds": [one]}}, moved={"bytes": 20 * GB, "peakBytes": [1e8, 2e8]}, concurrency=8,
            partBytes=16 << 20, heapBytes=256 << 20,
        )  # fmt: skip
        self.assertIn("| s3mock | rclone | 2000 MB/s | 1000 MB/s | 2.0 s, 1.0 s | 4.0 s, 1.0 s | 300 MB |", text)
        self.assertIn("peak resident memory 200 MB; round by round 100, 200 MB", text)

    def test_s3_by_parts_and_quarters(self):
        one = {side: {"push": took(2, serverCpuSeconds=1), "pull": took(4, serverCpuSeconds=1), "peakBytes": 3 * 10**8} for side in ("gpusnap", "rclone")}
        one["gpusnapByParts"] = {"bringSeconds": 1.5, "syncSeconds": 0.5, "proofSeconds": 2}
        storage = {"fileSystem": "ext4", "loop": True, "loopOn": "xfs", "loopDirectIo": True, "directIo": True}
        text = self.rendered(
            "s3", imageBytes=4 * GB, servers={"stand-in": {"rounds": [one]}}, concurrency=8, partBytes=16 << 20, heapBytes=256 << 20,
            moved={"bytes": 40 * GB, "peakBytes": [1e8, 2e8, 2e8, 2.02e8], "quarters": {"peakBytes": [1e8, 2e8, 2e8, 2.02e8], "lastOverSecond": 1.01}},
            machine=MACHINE | {"storage": storage},
        )  # fmt: skip
        self.assertIn("kernel k, ext4, a loop device on xfs, past the page cache, O_DIRECT works, j, rclone 1", text)
        self.assertIn("| stand-in | 1.50 s | 0.50 s | 2.00 s | 2.00× | 1.00× |", text)
        self.assertIn("rclone's ends when it is durable", text)
        self.assertIn("quarter by quarter of 4 rounds 100, 200, 200, 202 MB, the last 101.0 % of the second", text)

    def test_fan_out_and_soak(self):
        machine = MACHINE | {"python": "3"}
        run = {"nodes": 8, "snapshotBytes": GB, "peerFailures": {"busy": 1, "absent": 2}, "seconds": 3, "answersEqual": True, "peerTimeoutSeconds": 60}
        (self.folder / "fan-out").mkdir()
        (self.folder / "fan-out/2-cores.json").write_text(json.dumps({
            "machine": machine, "runs": [run | {"fanOut": False, "peerTimeoutSeconds": None, "s3EgressSnapshots": 8}, run | {"fanOut": True, "s3EgressSnapshots": 1.1}],
        }))  # fmt: skip
        (self.folder / "soak").mkdir()
        (self.folder / "soak/20-minutes.json").write_text(json.dumps({
            "hardware": machine, "minutes": 20.0, "seed": 1, "load": {"killed daemon": 30, "killed machine": 2, "save SUCCEEDED": 9},
            "audit": {"readySnapshots": 13, "copiesRestored": 36, "copiesScrubbed": 37, "bytesByTierOfCopies": {"NVME": {"nvme": 2 * GB}},
                "failures": {"THAW NODE_LOST: its daemon was killed meanwhile": 3}, "unexplainedFailures": []}, "violations": ["one"],
        }))  # fmt: skip
        (self.folder / "soak/20-minutes-full.json").write_text(json.dumps({
            "hardware": machine, "minutes": 20.0, "seed": 2, "load": {}, "audit": {}, "violations": [],
            "daemons": {"nfs": True, "keys": True, "signing": False, "peers": True},
        }))  # fmt: skip
        full = self.report.render_own(self.folder)
        self.assertIn("### Soak of 20 minutes with nfs, keys, peers: daemons killed at random", full)
        self.assertIn("| daemons with | nfs, keys, peers |", full)
        (self.folder / "soak/20-minutes-full.json").unlink()
        text = self.report.render_own(self.folder)
        self.assertIn("| together, `peers.timeoutSeconds` 60 | 8 | 1.00 GB | 1.10 | 1 busy, 2 absent | 3.00 s | yes |", text)
        self.assertIn("20 minutes, seed 1, 32 kills, 9 saves, 0 restores, 0 deletions", text)
        self.assertIn("| 36 of 37 |", text)
        self.assertIn("| copies of kind NVME were read from | nvme: 2.00 GB |", text)
        self.assertIn("| operations that failed, of those that nothing explains | 3, 0 |", text)
        self.assertIn("### Soak of 20 minutes: daemons killed at random", text)
        self.assertNotIn("daemons with", text)
        self.assertIn("- one", text)


if __name__ == "__main__":
    unittest.main()
