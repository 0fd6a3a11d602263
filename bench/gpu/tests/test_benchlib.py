"""Tests of the benchmark's own parts: a wrong clock or a left process would spoil minutes on a GPU."""

import ctypes
import json
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from pathlib import Path

from benchlib import gpusnap
from benchlib.failure import BenchFailure
from benchlib.processes import Running, Supervisor, at_once, become_subreaper, descendants, run, start_ticks
from benchlib.result import REQUIRED, Result
from benchlib.stack import stage_seconds

HEADER = Path(__file__).resolve().parents[3] / "gpu-native/native/include/gpusnap.h"


class ResultTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_no_file_while_a_required_value_is_missing(self):
        result = Result(self.folder, "x")
        result.record(**{key: 1 for key in REQUIRED if key != "thawSeconds"})
        with self.assertRaisesRegex(BenchFailure, "not measured: thawSeconds"):
            result.finish()
        self.assertFalse(result.final.exists())
        self.assertTrue(result.partial.exists())

    def test_the_required_values_come_first_and_the_partial_file_goes(self):
        result = Result(self.folder, "x")
        result.record(extra=True, **{key: 1 for key in reversed(REQUIRED)})
        result.finish()
        self.assertEqual([*REQUIRED, "extra"], list(json.loads(result.final.read_text())))
        self.assertFalse(result.partial.exists())

    def test_a_new_run_removes_the_old_result_first(self):
        (self.folder / "x.json").write_text("{}")
        Result(self.folder, "x")
        self.assertFalse((self.folder / "x.json").exists())


class ProcessesTest(unittest.TestCase):
    def setUp(self):
        self.logs = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.logs)

    def test_a_stop_takes_the_whole_family(self):
        supervisor = Supervisor(self.logs)
        parent = supervisor.start("family", ["bash", "-c", "trap '' TERM; sleep 60 & wait"])
        while len(descendants(parent.pid)) < 1:
            time.sleep(0.01)
        child = descendants(parent.pid)[0]
        parent.stop(politely=False)
        self.assertIsNone(start_ticks(parent.pid))
        self.assertIsNone(start_ticks(child))

    def test_an_orphan_is_adopted_and_its_pid_is_free_after_its_end(self):
        become_subreaper()
        out = run(["bash", "-c", "sleep 60 </dev/null >/dev/null 2>&1 & echo $!"])
        orphan = Running("orphan", int(out), self.logs / "none")
        self.assertTrue(orphan.alive())
        orphan.stop(politely=False)
        self.assertFalse(Path(f"/proc/{orphan.pid}").exists())

    def test_an_ended_process_is_reported_with_the_end_of_its_log(self):
        supervisor = Supervisor(self.logs)
        short = supervisor.start("short", ["bash", "-c", "echo this is why; exit 3"])
        short.popen.wait()
        with self.assertRaisesRegex(BenchFailure, "this is why"):
            short.require_alive()

    def test_after_the_end_nothing_is_started(self):
        supervisor = Supervisor(self.logs)
        supervisor.start("sleeping", ["sleep", "60"])
        self.assertEqual([], supervisor.stop_all())
        with self.assertRaisesRegex(BenchFailure, "late is not started"):
            supervisor.start("late", ["sleep", "60"])
        self.assertEqual([], supervisor.stop_all())

    def test_a_failing_block_ends_what_its_threads_wait_for(self):
        supervisor = Supervisor(self.logs)
        begun, outcomes = threading.Event(), []

        def wait():
            process = supervisor.start("awaited", ["sleep", "60"])
            begun.set()
            outcomes.append(process.popen.wait())

        with self.assertRaises(SystemExit):
            with at_once(1, supervisor.stop_all) as pool:
                task, dropped = pool.submit(wait), pool.submit(wait)
                begun.wait(20)
                raise SystemExit(143)
        task.result(20)
        self.assertEqual([-15], outcomes)
        self.assertTrue(dropped.cancelled())

    def test_a_script_that_is_asked_to_end_leaves_nothing_behind(self):
        source = """
            import sys, time
            from pathlib import Path
            from benchlib.hand import Command
            from benchlib.processes import Supervisor, at_once, become_subreaper, exit_on_sigterm, run
            become_subreaper()
            exit_on_sigterm()
            folder = Path(sys.argv[1])
            supervisor = Supervisor(folder)
            try:
                with at_once(2, supervisor.stop_all) as pool:
                    pool.submit(run, ["sleep", "61.5"])
                    # One that does not end when asked, with a child in a session of its own.
                    supervisor.start("deaf", ["bash", "-c", "trap '' TERM; setsid sleep 62.5 & echo $$ $! >pids; while :; do sleep 1; done"], cwd=folder)
                    while not (folder / "pids").exists() or len((folder / "pids").read_text().split()) < 2:
                        time.sleep(0.01)
                    Command("save", ["sleep", "63.5"], folder / "log", supervisor)
                    (folder / "ready").touch()
                    time.sleep(60)
            finally:
                (folder / "left").write_text(repr(supervisor.stop_all()))
        """
        script = subprocess.Popen(
            [sys.executable, "-B", "-c", textwrap.dedent(source), self.logs], cwd=Path(__file__).resolve().parents[1]
        )
        self.addCleanup(script.kill)
        while not (self.logs / "ready").exists():
            self.assertIsNone(script.poll())
            time.sleep(0.01)
        family = descendants(script.pid)
        self.assertGreaterEqual(len(family), 4)
        script.terminate()
        self.assertEqual(143, script.wait(24))
        self.assertEqual("[]", (self.logs / "left").read_text())
        self.assertEqual([None] * len(family), [start_ticks(pid) for pid in family])

    def test_logs_are_their_owners_alone(self):
        printing = Supervisor(self.logs).start("printing", ["echo", "a secret"])
        printing.popen.wait()
        run(["echo", "another"], log=self.logs / "run.log")
        for log in (printing.log, self.logs / "run.log"):
            self.assertEqual(0o600, stat.S_IMODE(log.stat().st_mode), log)

    def test_a_failed_command_shows_what_it_printed(self):
        with self.assertRaisesRegex(BenchFailure, "ended 4:\nno luck"):
            run(["bash", "-c", "echo no luck; exit 4"])


class StagesTest(unittest.TestCase):
    def test_seconds_of_the_stages_that_ran_with_any_precision_of_time(self):
        operation = {
            "stages": [
                {"name": "drain", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01.500123456Z"},
                {"name": "revive", "startedAt": None, "finishedAt": None},
            ]
        }
        self.assertEqual({"drain": 1.5}, stage_seconds(operation))


class StructuresTest(unittest.TestCase):
    def test_the_version_is_the_headers(self):
        said = re.search(r"#define GPUSNAP_ABI_VERSION (\d+)u", HEADER.read_text())
        self.assertIn(int(said[1]), gpusnap.ABI_VERSIONS)

    def test_the_structures_are_those_of_the_header(self):
        compiler = shutil.which("cc") or shutil.which("c++")
        if compiler is None:
            self.skipTest("no C compiler to ask for the header's sizes")
        pairs = {
            "gpusnap_init_args": gpusnap.InitArgs,
            "gpusnap_driver_info": gpusnap.DriverInfo,
            "gpusnap_gpu_info": gpusnap.GpuInfo,
            "gpusnap_pool_args": gpusnap.PoolArgs,
        }
        lines = [
            f'printf("{name} %zu{" %zu" * len(kind._fields_)}\\n", sizeof({name})'
            + "".join(f", offsetof({name}, {field[0]})" for field in kind._fields_)
            + ");"
            for name, kind in pairs.items()
        ]
        source = f'#include <stdio.h>\n#include "{HEADER}"\nint main(void) {{ {" ".join(lines)} return 0; }}\n'
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "sizes"
            subprocess.run([compiler, "-x", "c", "-", "-o", program], input=source, text=True, check=True)
            said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
        for line in said:
            name, *numbers = line.split()
            kind = pairs[name]
            mine = [ctypes.sizeof(kind), *(getattr(kind, field[0]).offset for field in kind._fields_)]
            self.assertEqual(mine, list(map(int, numbers)), name)


if __name__ == "__main__":
    unittest.main()
