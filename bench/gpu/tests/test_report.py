"""The report writes a section for each raw result that is there, and none for one that is not."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

from tests.scripts import GPU, load

report = load(GPU.parent / "report")

MACHINE = {
    "device": "H", "driver": "1", "machine": {"pcie": None, "cpuCores": 1, "memoryBytes": 1e9, "kernel": "k", "criu": "4", "revision": "r"},
}  # fmt: skip
COPY = {"deviceToHost": 50e9, "hostToDevice": 40e9}
SIZE = {
    "totals": {"vramBytes": 20e9}, "tensors": 320, "drainBytesPerSecond": 45e9, "drainOfPinned": 0.9, "fillBytesPerSecond": 39e9,
    "fillOfPinned": 0.975, "thawSeconds": 2.5, "pauseSeconds": 2.0,
}  # fmt: skip


class ReportTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        root, report.ROOT = report.ROOT, self.folder
        self.addCleanup(setattr, report, "ROOT", root)

    def rendered(self, name, **result):
        (self.folder / f"{name}.json").write_text(json.dumps(MACHINE | result))
        return report.render(self.folder)

    def test_without_results_it_says_what_makes_them(self):
        self.assertIn("No results yet", report.render(self.folder))

    def test_a_partial_result_is_not_read(self):
        (self.folder / "switch.partial.json").write_text("{}")
        self.assertIn("No results yet", report.render(self.folder))

    def test_data_path(self):
        text = self.rendered(
            "data-path",
            pinnedCopy=COPY,
            sizes=[
                SIZE | {"totals": {"vramBytes": 60e9}},
                SIZE | {"second": {"movedOfVram": 0.0123, "pauseSeconds": 0.7}},
                {"totals": {"vramBytes": 5e9}, "pauseSeconds": 1.0},
            ],
            linearity={"fill": {"bytesPerSecond": 39e9, "startSeconds": 0.01, "largestResidualSeconds": 0.02, "points": 3}},
            notRun={"disk": "no --disk-root"},
            failed=["5 GB: it broke"],
        )
        self.assertIn("| 20.00 GB | 320 | 45.0 GB/s, 90.0 % | 39.0 GB/s, 97.5 % | 2.50 s | 2.00 s | 1.2 % | 0.70 s |", text)
        self.assertIn("| 60.00 GB | 320 | 45.0 GB/s, 90.0 % | 39.0 GB/s, 97.5 % | 2.50 s | 2.00 s | – | – |", text)
        self.assertLess(text.index("| 20.00 GB |"), text.index("| 60.00 GB |"))
        self.assertNotIn("| 5.00 GB |", text)
        self.assertIn("39.0 GB/s for each further byte", text)
        self.assertIn("Not measured: disk: no --disk-root.", text)
        self.assertIn("Failed: 5 GB: it broke.", text)

    def test_several_rounds_of_a_size_show_the_best_and_the_median(self):
        further = [SIZE | {"fillBytesPerSecond": rate, "fillOfPinned": rate / 40e9, "thawSeconds": 2.7} for rate in (36e9, 38e9)]
        text = self.rendered("data-path", pinnedCopy=COPY, sizes=[SIZE | {"further": further}])
        self.assertIn("| 39.0 GB/s, 97.5 %; median of 3 38.0 GB/s, 95.0 % | 2.70 s | 2.00 s |", text)
        self.assertIn("Of several rounds", text)

    def test_a_thaw_from_a_drive_beside_its_floor(self):
        floor = {"readSeconds": 5, "rebuildSeconds": 1.5, "fillSeconds": 0.5, "seconds": 5.5, "thawOverFloor": 1.1}
        disk = {
            "save": {"totals": {"vramBytes": 10e9}}, "drive": {"bytesPerSecond": 2e9, "readers": 16},
            "cold": {"thawOperationSeconds": 6.05}, "floor": floor,
        }  # fmt: skip
        text = self.rendered("data-path", pinnedCopy=COPY, sizes=[SIZE], disk=disk, plainSaveSeconds=9.0, plainGigabytes=10, pauseOfPlain=0.2)
        self.assertIn("6.05 s; max(read 5.00 s, rebuild 1.50 s) + fill 0.50 s = 5.50 s: 10.0 % above.", text)
        self.assertIn("The plain way with 10 GB stands still for 9.00 s, ours for 20.0 % of that.", text)

    def test_thaws_from_a_drive_each_beside_its_own_floor(self):
        stages = {"preflight": 0.5, "materialise": 1, "criu-restore": 5, "fill-host": 1, "verify": 3, "fill": 1}
        floor = {"driveBytesPerSecond": 2e9, "readSeconds": 8.0, "rebuildSeconds": 1.0, "fillSeconds": 1.0, "seconds": 9.0}
        slow = {"thawSeconds": 9.9, "stages": stages, "floor": floor}
        fast = {"thawSeconds": 6.0, "stages": stages | {"criu-restore": 1, "verify": 0.5}, "floor": floor}
        squeezed = {"thawSeconds": 3.0, "stages": stages, "floor": floor, "compressed": True}
        text = report.from_disk({"totals": {"storedBytes": 16e9}, "diskThaws": [slow, fast, squeezed]})
        self.assertIn("| after it | as they are | 2.0 GB/s | 1.5 GB/s | 9.00 s | 9.90 s | 10.0 % above |", text)
        # in the thaw the drive was faster than before and after it
        self.assertIn("| 2.0 GB/s | 4.0 GB/s | 5.00 s | 6.00 s | 20.0 % above |", text)
        self.assertIn("| after it | compressed |", text)
        self.assertIn("10.0 % above to 20.0 % above the floor", text)

    def test_switch_counts_each(self):
        one = {"to": "a", "toFirstAnswerSeconds": 0.8, "stages": {"fill": 0.3, "driver-restore": 0.2}, "answerRight": True}
        text = self.rendered(
            "switch",
            compiled=True,
            workloads=[{"server": "samples/llm-server", "weightsBytes": 16e9}] * 2,
            switches=[one | {"stages": {"fill": 9.0}}, one, one],
            compared=[{"after": {"checksumBytes": 16.6e9}}] * 2,
            released=[one, one | {"toFirstAnswerSeconds": 1.1}],
            summary={"count": 3, "minSeconds": 0.8, "medianSeconds": 0.8, "maxSeconds": 0.8, "within1Second": 3},
            answersEqual=True,
        )
        self.assertIn("| 3 | 0.80 s | 0.80 s | 0.80 s | 3 of 3 |", text)
        self.assertIn("Answers right each time: yes", text)
        self.assertIn("fill 0.30", text)
        self.assertIn("compiled decode", text)
        self.assertIn("makes anew (0.20 s): 0.80 s while nothing runs, 1.10 s in the other's place.", text)
        self.assertIn("of both, 16.60 GB and 16.60 GB, are those of before the first suspension.", text)

    def two_gpus(self, *together):
        sides = [{"fillBytesPerSecond": 40e9}] * 2
        rounds = [
            {"sides": [{"fillBytesPerSecond": 40e9 * share} for share in shares], "fillsOverlap": overlap, "ofAlone": list(shares), "apartSeconds": 0.05}
            for overlap, *shares in together
        ]
        return self.rendered("two-gpus", gigabytes=30, way="one daemon", pinnedCopies=[COPY, COPY], alone=sides, together=rounds, answersEqual=True)

    def test_two_gpus_counts_every_round(self):
        text = self.two_gpus((0.8, 0.95, 0.85), (0.9, 0.97, 0.95), (0.7, 0.99, 0.92))
        self.assertIn("| 0 | 40.0 GB/s | 40.0 GB/s | 38.8 GB/s | 97.0 % | 95.0 % | 3 of 3 |", text)
        self.assertIn("| 1 | 40.0 GB/s | 40.0 GB/s | 36.8 GB/s | 92.0 % | 85.0 % | 2 of 3 |", text)
        self.assertIn("Both sides had 90.0 % of alone in 2 of 3. The fills were at the same time for 80.0 % of the shorter one in the median, 70.0 % at least. Answers equal: yes.", text)
        self.assertIn("| 1 | 0.05 s | 80.0 % | 95.0 % | 85.0 % |", text)

    def test_a_round_whose_fills_were_never_at_the_same_time_is_shown_and_proves_nothing(self):
        text = self.two_gpus((0.8, 0.95, 0.95), (0.0, 1.0, 1.0))
        self.assertIn("| 2 | 0.05 s | not at all | 100.0 % | 100.0 % |", text)
        self.assertIn("in 1 of 2.", text)
        self.assertIn("; in 1 not at all: such a round is no evidence", text)

    def test_a_process_group_that_passed_and_one_that_was_refused(self):
        text = self.rendered(
            "process-group",
            rows=[
                {
                    "row": "hooks",
                    "title": "two processes, hooks",
                    "outcome": "PASSED",
                    "program": {"nccl": "2.28.3"},
                    "save": {"totals": {"vramBytes": 1e9}, "pauseSeconds": 1.5},
                    "thaw": {"seconds": 1.0, "toFirstAnswerSeconds": 2.0},
                },
                {"row": "no-hooks", "title": "two processes, no hooks", "outcome": "REFUSED", "stage": "preflight", "code": "WORKLOAD_UNSUPPORTED", "reason": "it shares device memory"},
            ],
            answersEqual=True,
        )
        self.assertIn("| two processes, hooks | passed | 2.28.3 |", text)
        self.assertIn("refused in preflight: WORKLOAD_UNSUPPORTED it shares device memory", text)

    def test_a_process_that_came_back_on_another_gpu(self):
        text = self.rendered(
            "other-gpu",
            rows=[
                {
                    "title": "sees both, uses the first",
                    "outcome": "PASSED",
                    "map": {"0": 1},
                    "heldBytes": [0, 4.5e9],
                    "save": {"totals": {"vramBytes": 4e9}, "pauseSeconds": 1.5},
                    "thaw": {"seconds": 1.0},
                }
            ],
            answersEqual=False,
        )
        self.assertIn("| sees both, uses the first | GPU 0 to 1 | passed | 4.00 GB |", text)
        self.assertIn("| 0.00 GB, 4.50 GB |", text)
        self.assertIn("Answers equal after each way: NO.", text)

    def test_direct_storage_beside_the_pool_and_the_drive(self):
        text = self.rendered(
            "direct-storage",
            storage={"reason": "compatibility mode: so", "startSeconds": 0.5},
            chunks=100,
            fileSystem="xfs",
            rounds=3,
            ways=[
                {"way": "pinnedPool", "threads": 8, "bytesPerSecond": 5e9},
                {"way": "cuFile", "threads": 8, "bytesPerSecond": 4e9},
            ],
            drives=[{"bytesPerSecond": 5e9}, {"bytesPerSecond": 10e9}],
            digestsEqual=True,
        )
        self.assertIn("| 8 | 5.0 GB/s | 50.0 % | 4.0 GB/s | 40.0 % | 0.80 |", text)
        self.assertIn("compatibility mode: so", text)
        self.assertIn("all right", text)

    def test_frameworks_with_what_was_refused_and_what_failed(self):
        passed = {
            "title": "JAX", "outcome": "PASSED", "program": {"jax": "0.11"}, "save": {"totals": {"vramBytes": 1e9, "hostBytes": 2e9}, "movedBytes": 5e8, "pauseSeconds": 1.0},
            "thaw": {"seconds": 2.0},
        }  # fmt: skip
        refused = {"title": "X", "outcome": "REFUSED", "code": "WORKLOAD_UNSUPPORTED", "reason": "managed | memory", "documented": "a/README.md"}
        failed = {"title": "Y", "outcome": "FAILED", "reason": "state differs"}
        compared = {
            "withoutSeconds": 0.001, "withSeconds": 0.00101, "ratio": 1.01, "pairRatio": 1.011, "interval": [0.992, 1.02], "roundsInterval": [1.01, 1.012],
            "processMedians": {"without": [0.001, 0.00102], "with": [0.00101, 0.00103]},
        }  # fmt: skip
        overhead = {"loads": [{"load": "decode", **compared, "pairs": 107}], "calls": [{"call": "cuEventRecord", **compared, "pairs": 5}]}
        text = self.rendered(
            "frameworks",
            rows=[passed, refused, failed],
            overhead=overhead,
        )
        self.assertIn("| JAX | passed | jax 0.11 | 1.00 GB | 0.50 GB | 2.00 GB | 1.00 s | 2.00 s |", text)
        self.assertIn("| X | refused: WORKLOAD_UNSUPPORTED managed / memory ([why](../a/README.md)) |", text)
        self.assertIn("| Y | failed:  state differs |", text)
        alone = self.rendered("overhead", overhead=overhead)
        for text in (text, alone):
            self.assertIn("| decode | 1 ms | 1.01 ms | 1.0110 | 0.9920 to 1.0200 | 1.0100 to 1.0120 | 1, 1.02 | 1.01, 1.03 |", text)
            self.assertIn("2 processes a side, 107 pairs of a load (`", text)
            self.assertIn("5 pairs of each driver call, each a process of its own.", text)
        self.assertIn("| hardware |", alone)
        self.assertNotIn("undisturbed", alone)
        for one in overhead["loads"]:
            one["undisturbed"] = {"ratio": 1.0049, "interval": [0.9981, 1.0119]}
        self.assertIn("| 1.0100 to 1.0120 | 1.0049 | 0.9981 to 1.0119 | 1, 1.02 | 1.01, 1.03 |", self.rendered("overhead", overhead=overhead))

    def test_the_committed_document_is_what_the_committed_results_say(self):
        report.ROOT = GPU.parent.parent
        self.assertIn(report.render(), report.DOCUMENT.read_text())


if __name__ == "__main__":
    unittest.main()
