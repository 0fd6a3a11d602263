"""Tests of the parts of frameworks, data-path, switch, two-gpus and all."""

import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import types
import unittest
import unittest.mock
import urllib.error
import urllib.request
from pathlib import Path

from benchlib import beside, programs, stack, storage
from benchlib.budget import Budget
from benchlib.drive import measure_read
from benchlib.failure import BenchFailure
from benchlib.fit import line
from benchlib.hand import Command, CommandFailure
from benchlib.overhead import Plan, compared, in_turn, measure_overhead, parse_calls, passes
from benchlib.processes import Supervisor
from benchlib.rounds import values
from benchlib.workloads import free_port
from tests.scripts import GPU, load

data_path = load(GPU / "data-path")
frameworks = load(GPU / "frameworks")
switch = load(GPU / "switch")
two_gpus = load(GPU / "two-gpus")
process_group = load(GPU / "process-group")
cufile_ways = load(GPU / "cufile-ways")
everything = load(GPU / "all")


class OverheadTest(unittest.TestCase):
    def test_each_pair_is_recorded_as_it_comes_and_the_sides_take_turns(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "bin").mkdir()
        program = folder / "bin/preload-overhead"
        program.write_text(f'#!/bin/sh\necho "$SIDE" >>{folder}/order\necho "cuEventRecord  200.0 ns"\n')
        program.chmod(0o755)
        settings = types.SimpleNamespace(native_dir=folder / "lib", driver=None, simulated=True)
        bench = types.SimpleNamespace(settings=settings, preload=lambda name: {"SIDE": "with"})
        seen = []
        measured = measure_overhead(bench, Plan(100, 3, 8), lambda sofar: seen.append(sofar["calls"][0]["pairs"]))
        self.assertEqual([1, 2, 3, 4, 5], seen)
        self.assertEqual([], measured["loads"])
        self.assertEqual(["", "with", "with", ""] * 2 + ["", "with"], (folder / "order").read_text().splitlines())

    def test_what_would_say_nothing_is_refused_with_the_option(self):
        for plan, words in (
            (Plan(99, 3, 8), "--overhead-pairs 99: 100 at least"),
            (Plan(100, 1, 8), "--overhead-instances 1: 2 at least"),
            (Plan(100, 3, 12), "--overhead-requests 12: a multiple of 8"),
        ):
            with self.assertRaisesRegex(BenchFailure, words):
                measure_overhead(None, plan, None)

    def test_neighbours_are_compared_so_that_a_drift_of_the_machine_does_not_show(self):
        drifting = [[1.0], [2.0], [4.0], [2.0]]
        found = compared([drifting, drifting], [[[1.01 * each] for [each] in drifting]] * 2)
        self.assertAlmostEqual(1.01, found["pairRatio"])
        self.assertEqual(8, found["pairs"])
        self.assertAlmostEqual(1.01, found["roundsInterval"][0])
        self.assertAlmostEqual(1.01, found["roundsInterval"][1])

    def test_processes_that_differ_widen_the_interval_and_show_by_themselves(self):
        noise = [1 + k % 7 / 1e4 for k in range(40)]
        without, with_it = ([[[process * each] for each in noise] for process in side] for side in ((1.0, 1.03, 1.0), (1.03, 1.0, 1.03)))
        found = compared(without, with_it)
        self.assertLess(found["interval"][0], 1.0)
        self.assertGreater(found["interval"][1], 1.02)
        self.assertGreater(found["roundsInterval"][0], 1.02)
        self.assertEqual([1.0, 1.03, 1.0], [round(each, 2) for each in found["processMedians"]["without"]])
        self.assertEqual(found, compared(without, with_it))

    def test_a_cost_shows_although_processes_differ(self):
        without = [[[process * (1 + k % 5 / 1e3)] for k in range(40)] for process in (1.0, 1.002, 0.999)]
        found = compared(without, [[[1.02 * each] for [each] in process] for process in without])
        self.assertGreater(found["interval"][0], 1.01)
        self.assertLess(found["interval"][1], 1.03)

    def test_a_processor_that_is_slowed_down_half_of_the_time_hides_no_cost(self):
        draw = random.Random(3)

        def process(cost):
            # Requests of several lengths, each slowed down by itself in one of two cases, and some noise.
            return [[cost * length * draw.choice((1.0, 1.8)) * draw.uniform(1, 1.01) for length in (1.0, 2.0, 3.0, 4.0)] for _ in range(40)]

        found = compared([process(1.0) for _ in range(4)], [process(1.03) for _ in range(4)])
        self.assertGreater(found["interval"][1] - found["interval"][0], 0.05)
        low, high = found["undisturbed"]["interval"]
        self.assertTrue(1.02 < low < found["undisturbed"]["ratio"] < high < 1.04, found["undisturbed"])
        self.assertTrue(all(2.5 <= each < 2.6 for each in found["undisturbed"]["processes"]["without"]))

    def test_a_piece_of_the_work_that_costs_more_shows_by_itself(self):
        process = [[1.0, 2.0, 4.0] for _ in range(10)]
        dearer = [[1.0, 2.0, 5.0] for _ in range(10)]
        self.assertEqual([1.0, 1.0, 1.25], compared([process] * 2, [dearer] * 2)["undisturbed"]["pieces"])

    def test_another_side_and_another_process_is_first_each_time_and_neighbours_stay_beside_each_other(self):
        rounds = [in_turn(k, 3) for k in range(6)]
        self.assertEqual(6, len({tuple(order) for order in rounds}))
        self.assertEqual({(side, number) for side in ("without", "with") for number in range(3)}, {order[0] for order in rounds})
        for order in rounds:
            self.assertEqual(6, len(set(order)))
            self.assertTrue(all(order[k][1] == order[k + 1][1] for k in (0, 2, 4)))

    def test_every_process_is_asked_as_often_for_as_many_pairs_as_wanted(self):
        bench = types.SimpleNamespace(budget=Budget(1e9))
        asked = []

        def ask(process, path):
            asked.append((process, path))
            return '{"secondsACall": 0.5, "pieces": [0.4, 0.6]}'

        for sofar in passes(bench, Plan(100, 2, 16), ask):
            last = sofar
        self.assertEqual(
            {"allocations": 104, "async-allocations": 104, "decode": 26, "decode-graph": 26, "uncached": 26}, {one["load"]: one["pairs"] for one in last}
        )
        self.assertEqual(52, asked.count((("overhead", "with", 1), "/measure?load=allocations&calls=16")))
        self.assertEqual(52, asked.count((("overhead-async", "with", 1), "/measure?load=async-allocations&calls=16")))

    def passes_on_a_slow_machine(self, budget_seconds):
        """(what there was last, what was skipped), where every question takes a second: 66 s a pass, of which 9 say something."""
        now = [0.0]
        skipped = []
        bench = types.SimpleNamespace(
            budget=Budget(budget_seconds, clock=lambda: now[0]), skip=lambda label, reason: skipped.append((label, reason))
        )

        def ask(process, path):
            now[0] += 1
            return '{"secondsACall": 0.5, "pieces": [0.4, 0.6]}'

        last = None
        for sofar in passes(bench, Plan(1000, 3, 8), ask):
            last = sofar
        self.assertLessEqual(now[0], budget_seconds)
        return last, skipped

    def test_a_budget_that_ends_leaves_the_pairs_that_say_something(self):
        last, skipped = self.passes_on_a_slow_machine(700)
        self.assertEqual(120, last[0]["pairs"])
        self.assertEqual([("overhead: passes 11 to 84", "the budget has 40 s left, this takes about 66 s")], skipped)

    def test_too_few_pairs_are_not_waited_for_beyond_the_budget(self):
        last, skipped = self.passes_on_a_slow_machine(300)
        self.assertIsNone(last)
        self.assertEqual([("overhead: passes 2 to 84", "the budget has 234 s left, this takes about 528 s")], skipped)

    def test_all_of_it_takes_less_than_four_minutes(self):
        options = frameworks.parse([])
        plan = Plan(options.overhead_pairs, options.overhead_instances, options.overhead_requests)
        self.assertLess(plan.seconds(plan.pairs), 240)


class BudgetTest(unittest.TestCase):
    def test_what_would_not_end_in_time_is_refused_with_both_numbers(self):
        now = [100.0]
        budget = Budget(60, clock=lambda: now[0])
        self.assertIsNone(budget.refusal(60))
        now[0] = 130.0
        self.assertEqual("the budget has 30 s left, this takes about 40 s", budget.refusal(40))


class HandTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def command(self, text):
        return Command("save", ["bash", "-c", text], self.folder / "log", Supervisor(self.folder))

    def test_the_answer_and_the_time_of_each_stage(self):
        command = self.command(
            "echo 'preflight  done in 0.0 s' >&2; sleep 0.2; echo 'drain  done in 0.2 s, 1.0 GiB' >&2; echo '{\"snapshotId\": \"x\"}'"
        )
        answer, seconds = command.result()
        self.assertEqual({"snapshotId": "x"}, answer)
        self.assertEqual(["drain"], list(command.between()))
        self.assertGreater(command.between()["drain"], 0.1)
        self.assertGreaterEqual(seconds, command.between()["drain"])
        self.assertGreater(command.finished_at("drain"), command.finished_at("preflight"))

    def test_a_refusal_has_its_code_its_words_and_the_last_stage(self):
        command = self.command(
            "echo 'preflight  failed' >&2; echo 'WORKLOAD_UNSUPPORTED: preflight: it uses managed memory; run it without' >&2; exit 1"
        )
        with self.assertRaises(CommandFailure) as raised:
            command.result()
        self.assertEqual("WORKLOAD_UNSUPPORTED", raised.exception.code)
        self.assertIn("managed memory", raised.exception.detail)
        self.assertEqual("preflight", raised.exception.last_stage)

    def test_an_end_without_a_word_is_a_failure_that_names_the_log(self):
        with self.assertRaisesRegex(CommandFailure, f"exit status 7; see {self.folder}"):
            self.command("exit 7").result()


class StorageTest(unittest.TestCase):
    def test_digests_are_those_of_the_format(self):
        content = bytes(at % 251 for at in range(4097))
        self.assertEqual("848eb1ae67312dbe55f4751dfd0da669e0a532ee704ddbee62ce3e1025295888", storage.tree_digest(content[:4096]))
        self.assertEqual("128baa53a2f93a7134128dfb8dc43f96b1dfec0d36b04eca09e8bd6474b6c0b9", storage.tree_digest(content))

    def test_no_two_chunks_are_alike_and_batches_come_back_in_order(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        paths = storage.write_chunks(folder, 3)
        self.assertEqual(3, len({storage.tree_digest(path.read_bytes()) for path in paths}))

        class Numbered(storage.Way):
            cleared = 0

            def clear(self):
                self.cleared += 1

            def batch(self, numbers):
                return [storage.Digest((storage.c.c_uint8 * 32)(n)) for n in numbers]

        way = Numbered(None, list(range(40)), 0)
        _, digests = way.run(threads=3)
        self.assertEqual([f"{n:02x}" + "00" * 31 for n in range(40)], digests)
        way.run(threads=3)
        self.assertEqual(2, way.cleared)

    def test_all_of_the_memory_is_cleared(self):
        calls = []
        library = types.SimpleNamespace(call=lambda name, *arguments: calls.append((name, *(one.value for one in arguments))))
        storage.Way(library, ["a", "b"], 1 << 30).clear()
        self.assertEqual([("gpusnap_fill_zero", 0, 1 << 30, 2 * storage.CHUNK_BYTES)], calls)


class NumbersTest(unittest.TestCase):
    def test_the_line_through_points_gives_the_bus_and_the_start(self):
        fit = line([(x, 0.1 + x / 50e9) for x in (5e9, 10e9, 20e9, 60e9)])
        self.assertAlmostEqual(50e9, fit["bytesPerSecond"], delta=1)
        self.assertAlmostEqual(0.1, fit["startSeconds"])
        self.assertLess(fit["largestResidualSeconds"], 1e-9)

    def test_ratios_of_sides_and_of_neighbours(self):
        found = compared([[[1.0], [2.0], [4.0]]], [[[1.1], [2.2], [4.4]]])
        self.assertAlmostEqual(1.1, found["ratio"])
        self.assertAlmostEqual(1.1, found["pairRatio"])

    def test_values_of_all_rounds_that_got_so_far(self):
        entry = {"stages": {"fill": 1}, "further": [{"stages": {"fill": 3}}, {"stages": {}}, {}]}
        self.assertEqual([1, 3], values(entry, "stages", "fill"))
        self.assertEqual([], values({}, "stages", "fill"))

    def test_calls_by_their_names(self):
        text = "without:\ncuEventRecord       272.4 ns\ncuMemAlloc + cuMemFree, 64 KiB   71498.2 ns\nnot measured: no ns here\n"
        self.assertEqual({"cuEventRecord": 272.4, "cuMemAlloc + cuMemFree, 64 KiB": 71498.2}, parse_calls(text))

    def test_sizes_that_do_not_fit_say_why(self):
        fit, refused = data_path.fitting([20, 60], 100e9)
        self.assertEqual([20], fit)
        self.assertEqual({60: "takes 132 GB of memory, 100 are available"}, refused)

    def test_the_floor_of_a_drive_is_the_longer_of_reading_and_rebuilding_and_the_fill(self):
        entry = {
            "drive": {"bytesPerSecond": 2e9},
            "warm": {"thawStages": {"fill": 0.5}, "thawOperationSeconds": 2.0},
            "cold": {"thawOperationSeconds": 6.05},
        }
        floor = data_path.DataPath.disk_floor({"storedBytes": 10e9}, entry)
        self.assertEqual((5.0, 1.5, 5.5), (floor["readSeconds"], floor["rebuildSeconds"], floor["seconds"]))
        self.assertAlmostEqual(1.1, floor["thawOverFloor"])


class DriveTest(unittest.TestCase):
    def test_every_byte_of_the_files_is_read(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "deep").mkdir()
        (folder / "a").write_bytes(b"x" * ((5 << 20) + 123))
        (folder / "deep/b").write_bytes(b"y" * (70 << 10))
        (folder / "tiny").write_bytes(b"z")
        try:
            os.close(os.open(folder / "a", os.O_RDONLY | os.O_DIRECT))
        except OSError as failure:
            self.skipTest(f"the file system of {folder} has no direct reads: {failure}")
        drive = measure_read(folder)
        self.assertEqual((5 << 20) + 123 + (70 << 10), drive["readBytes"])
        self.assertEqual(2, drive["files"])
        self.assertGreater(drive["bytesPerSecond"], 0)

    def test_nothing_to_read_is_a_failure(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        with self.assertRaisesRegex(BenchFailure, "nothing to read"):
            measure_read(folder)


class RowsTest(unittest.TestCase):
    def test_every_row_has_its_program(self):
        for row in (*programs.ROWS, programs.OVERHEAD, programs.OVERHEAD_ASYNC):
            self.assertTrue((GPU / "programs" / row.program).is_file(), row.program)

    def test_a_row_that_is_not_there_is_refused_with_those_that_are(self):
        with self.assertRaisesRegex(BenchFailure, "no rows nothing; there are driver-api"):
            programs.chosen(["nothing"], simulated=False)

    def test_a_different_byte_is_a_failure_that_names_the_answer(self):
        with self.assertRaisesRegex(BenchFailure, "answer 1 differs after the thaw"):
            frameworks.Cycle.compare({"answer 1": {"sha256": "a"}}, {"answer 1": {"sha256": "b"}}, "after the thaw")

    def test_an_answer_of_another_process_is_a_failure(self):
        with self.assertRaisesRegex(BenchFailure, "more than one process"):
            frameworks.Cycle.same_process({"answer 1": {"token": "a"}}, {"work 2": {"token": "b"}})

    def test_a_failure_that_no_document_names_is_no_refusal(self):
        bench = types.SimpleNamespace(note=lambda text: None)
        cycle = frameworks.Cycle(bench, None, programs.ROWS[0], None)
        with self.assertRaisesRegex(BenchFailure, "DRIVER_FAILED"):
            cycle.refused(CommandFailure("save", "DRIVER_FAILED", "it broke", "checkpoint"), {}, None)


class SparedTimeTest(unittest.TestCase):
    def test_rows_leave_the_overhead_its_time(self):
        bench = types.SimpleNamespace(budget=Budget(100, clock=lambda: 0))
        row = programs.Row("a", "a", "torch_eager.py", seconds=60)
        frameworks.Coverage(bench, 40).require_time(row)
        with self.assertRaisesRegex(frameworks.OutOfTime, "this takes about 101 s"):
            frameworks.Coverage(bench, 41).require_time(row)


class ProcessGroupTest(unittest.TestCase):
    def test_each_row_has_its_program_and_an_end(self):
        for row, expected in process_group.PYTORCH:
            self.assertTrue((GPU / "programs" / row.program).is_file(), row.program)
            self.assertIn(expected, ("PASSED", "REFUSED", None))

    def test_a_row_that_ends_otherwise_or_too_late_is_a_failure(self):
        for outcome, stage, expected, words in (
            ("PASSED", None, "REFUSED", "was to end REFUSED"),
            ("REFUSED", "quiesce", "REFUSED", "after it had been touched"),
        ):
            groups = process_group.Groups.__new__(process_group.Groups)
            groups.bench = types.SimpleNamespace(result=types.SimpleNamespace(record=lambda **more: None), note=lambda text: None)
            groups.node, groups.rows = None, []
            row = process_group.PYTORCH[1][0]
            cycle = types.SimpleNamespace(run=lambda record: record(row, outcome, stage=stage))
            with unittest.mock.patch.object(process_group, "Cycle", lambda *_: cycle), self.assertRaisesRegex(BenchFailure, words):
                groups.cycle(row, expected, None)


class CufileWaysTest(unittest.TestCase):
    def test_a_newer_library_is_tried_beside_the_one_that_is_there(self):
        options = cufile_ways.parse(["--cufile", "/opt/newer/libcufile.so.0"])
        found = cufile_ways.libraries(options, None)
        self.assertEqual(["libcufile.so.0", "/opt/newer/libcufile.so.0"], [found[0], found[-1]])

    def test_what_cufile_looks_at_is_told_of_each_folder(self):
        found = cufile_ways.facts(tempfile.gettempdir())
        self.assertRegex(found["device"], r"^\d+:\d+$")
        self.assertIn(found["knownToUdev"], (True, False))


class WorkersTest(unittest.TestCase):
    SOURCE = """
import sys
sys.path.insert(0, sys.argv[1])
from workers import follow
follow(int(sys.argv[sys.argv.index("--worker") + 1]), {"double": lambda n: str(2 * n).encode(), "fail": lambda n: 1 // 0})
"""

    def test_a_worker_answers_tells_its_failures_and_ends_with_its_parent(self):
        sys.path.insert(0, str(GPU / "programs"))
        self.addCleanup(sys.path.remove, str(GPU / "programs"))
        from workers import Worker

        worker = Worker(["-B", "-c", self.SOURCE, GPU / "programs"])
        self.assertEqual(b"42", worker.ask("double", 21))
        with self.assertRaisesRegex(RuntimeError, "ZeroDivisionError"):
            worker.ask("fail")
        self.assertEqual(b"4", worker.ask("double", 2))
        worker.connection.close()
        self.assertEqual(0, worker.process.wait(20))


class ProtocolTest(unittest.TestCase):
    SOURCE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from protocol import Program, parser, serve

class Small(Program):
    def answer(self, n):
        if n == 9:
            raise RuntimeError("no nine")
        return self.token.encode() * n
    def work(self, round):
        return b"w" * round
    def state(self):
        return b"s"
    def facts(self):
        return {"stateBytes": 1}

serve(Small, parser().parse_args())
"""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.port = free_port()
        command = [sys.executable, "-B", "-c", self.SOURCE, GPU / "programs", "--port", self.port, "--log", self.folder / "log"]
        self.process = subprocess.Popen([str(part) for part in command], start_new_session=True)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.terminate)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.get("/ready")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read(), answer.headers["X-Process-Token"]

    def test_raw_bytes_the_token_and_facts(self):
        content, token = self.get("/answer?n=2")
        self.assertEqual(token * 2, content.decode())
        self.assertEqual(16, len(token))
        self.assertEqual((b"www", token), self.get("/work?round=3"))
        self.assertEqual(self.process.pid, json.loads(self.get("/facts")[0])["pid"])

    def test_an_error_is_told_and_the_program_goes_on(self):
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.get("/answer?n=9")
        with raised.exception as refusal:
            self.assertEqual(500, refusal.code)
            self.assertIn(b"RuntimeError: no nine", refusal.read())
        self.assertEqual(b"s", self.get("/state")[0])


class SwitchTest(unittest.TestCase):
    def test_no_switch_in_time_is_a_failure_that_asks_nobody(self):
        skipped = {}
        bench = types.SimpleNamespace(
            options=types.SimpleNamespace(switches=20),
            budget=Budget(0),
            skip=lambda what, why: skipped.update({what: why}),
            note=lambda text: None,
            result=types.SimpleNamespace(record=lambda **more: None),
        )
        switching = switch.Switching.__new__(switch.Switching)
        switching.bench, switching.switches, switching.models = bench, [], []
        with self.assertRaisesRegex(BenchFailure, "no switch was measured"):
            switching.all()
        self.assertEqual(["switches 1 to 20"], list(skipped))

    def test_all_weights_of_both_are_compared_the_suspended_one_after_another_switch(self):
        class Weights:
            def __init__(self, name, after):
                self.name, self.after = name, after

            def answers(self):
                return {"checksum": self.after}

        recorded = {}
        bench = types.SimpleNamespace(note=lambda text: None, result=types.SimpleNamespace(record=lambda **more: recorded.update(more)))
        switching = switch.Switching.__new__(switch.Switching)
        switching.bench, switching.switches, switched = bench, [{}] * 5, []
        switching.once = switched.append
        switching.models = [switch.Model(bench, Weights(name, "a")) for name in ("first", "second")]
        for model in switching.models:
            model.before = {"checksum": "a"}
        switching.compare_both()
        self.assertEqual([switching.models[1]], switched)
        self.assertEqual(["first", "second"], [one["workload"] for one in recorded["compared"]])
        switching.models[1].workload.after = "b"
        with self.assertRaisesRegex(BenchFailure, "second answers .*'b'.* instead of .*'a'"):
            switching.compare_both()

    def test_the_operation_of_either_kind_of_answer(self):
        self.assertEqual({"id": "1"}, switch.operation_of({"operation": {"id": "1"}, "snapshots": []}))
        self.assertEqual({"id": "1"}, switch.operation_of({"id": "1"}))


class TwoGpusTest(unittest.TestCase):
    def test_the_part_of_the_shorter_interval(self):
        self.assertEqual(1.0, beside.overlap([0, 10], [2, 4]))
        self.assertEqual(0.5, beside.overlap([0, 2], [1, 5]))
        self.assertEqual(0.0, beside.overlap([0, 1], [3, 4]))

    def test_who_takes_longer_to_its_fill_is_asked_first(self):
        self.assertEqual((1, 0.5), beside.start_together([[1.0, 9.0, 1.0], [1.5]]))
        self.assertEqual((0, 0.0), beside.start_together([[1.0], [1.0]]))

    def test_a_round_is_planned_by_the_last_ones_and_the_first_by_the_last_thaws_alone(self):
        def took(seconds):
            return {"requested": 0.25, "fill": [0.25 + seconds, 9.0]}

        two = two_gpus.TwoGpus.__new__(two_gpus.TwoGpus)
        two.sides, two.together = [None, None], []
        two.alone = [{"thaws": [took(4.0), took(1.0)]}, {"thaws": [took(5.0), took(2.0)]}]
        self.assertEqual([[1.0], [2.0]], two.leads())
        two.together = [{"sides": [took(n), took(2 * n)]} for n in (1.0, 2.0, 3.0, 4.0)]
        self.assertEqual([[2.0, 3.0, 4.0], [4.0, 6.0, 8.0]], two.leads())

    def test_every_round_counts_and_one_without_overlap_never_as_enough(self):
        found = beside.summary([{"fillsOverlap": overlap, "ofAlone": shares} for overlap, shares in ((0.5, [0.9, 0.6]), (0.9, [0.95, 0.96]), (0.0, [1.0, 1.0]))])
        self.assertEqual((3, 1, 0.0, 0.5, 1), tuple(found[key] for key in ("rounds", "roundsWithoutOverlap", "leastOverlap", "medianOverlap", "roundsWithEnoughOnBoth")))
        self.assertEqual({"leastOfAlone": 0.9, "medianOfAlone": 0.95, "roundsWithEnough": 2}, found["sides"][0])
        self.assertEqual({"leastOfAlone": 0.6, "medianOfAlone": 0.96, "roundsWithEnough": 1}, found["sides"][1])

    def test_stages_have_times_of_one_clock(self):
        stages = [
            {"name": "fill", "startedAt": "2026-11-24T22:04:20.100250Z", "finishedAt": "2026-11-24T22:04:20.600500Z"},
            {"name": "resume", "startedAt": "2026-11-24T22:04:20.600500Z"},
        ]
        start, end = stack.stage_times({"stages": stages})["fill"]
        self.assertAlmostEqual(0.50025, end - start, places=6)
        self.assertEqual({"fill": 0.5}, stack.stage_seconds({"stages": stages}))


class AllTest(unittest.TestCase):
    def test_each_measurement_is_a_script(self):
        for one in everything.ORDER:
            self.assertTrue((GPU / one.name).is_file(), one.name)

    def test_what_has_no_time_or_no_gpus_is_refused(self):
        two = everything.Measurement("two-gpus", 90, 240, gpus=2)
        self.assertEqual("takes 2 GPUs, there are 1", everything.refusal(two, 500, 1))
        self.assertEqual("takes 90 s at least, 80 s are left", everything.refusal(two, 80, 2))
        self.assertIsNone(everything.refusal(two, 90, 2))

    def test_a_script_gets_its_time_and_the_common_flags(self):
        options = everything.parse(["--out", "/tmp/x", "--only", "data-path", "--disk-root", "/tmp/d", "--", "--sizes-gb", "20"])
        line_ = everything.command(everything.Measurement("data-path", 1, 2), options, 100)
        self.assertEqual(["--sizes-gb", "20", "--out", "/tmp/x", "--budget-seconds", "85", "--disk-root", "/tmp/d"], line_[1:])

    def test_the_storage_script_measures_the_drive_of_the_disk_root(self):
        options = everything.parse(["--out", "/tmp/x", "--disk-root", "/mnt/drive/new"])
        line_ = everything.command(everything.Measurement("direct-storage", 1, 2), options, 100)
        self.assertEqual(["--folder", "/mnt/drive"], line_[-2:])

    def test_the_logs_of_all_scripts_are_one_archive(self):
        out, kept = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
        for folder in (out, kept):
            self.addCleanup(shutil.rmtree, folder)
        for name in ("one", "two"):
            (out / name).mkdir()
            (out / name / "daemon.log").write_text(name)
            everything.pack_logs(name, out, kept)
        everything.pack_logs("left-none", out, kept)
        self.assertEqual(["all-logs.tar.gz"], [path.name for path in out.iterdir()])
        with tarfile.open(out / "all-logs.tar.gz") as archive:
            self.assertEqual(["one", "one/daemon.log", "two", "two/daemon.log"], archive.getnames())

    def test_one_that_does_not_end_is_ended(self):
        self.assertEqual(-15, everything.run(["sleep", "60"], 0.2))


if __name__ == "__main__":
    unittest.main()
