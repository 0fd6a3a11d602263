"""What the scripts make of what they measured. Run with: python3 -m unittest discover -s bench/store -t bench/store"""

import http.server
import json
import os
import shutil
import tempfile
import threading
import unittest
from pathlib import Path

from storelib import drive, floors, memory, s3, timed, turns
from storelib.summary import quarters, summarize, summarize_s3

from benchlib.budget import Budget
from benchlib.failure import BenchFailure

GB = 10**9


def took(seconds, **more):
    return {"seconds": seconds, "cpuSeconds": seconds, "peakBytes": 1, "storedBytes": 4 * GB, **more}


def a_round(ours, theirs, second_bytes=GB // 10):
    side = {"save": took(theirs), "second": took(theirs / 2, storedBytes=second_bytes), "restore": took(theirs), "proof": took(theirs)}
    own = {
        "save": took(ours, storeSeconds=ours / 2, proofSeconds=ours / 2),
        "second": took(ours / 2, storedBytes=second_bytes, proofSeconds=ours),
        "restore": took(ours),
    }
    return {"gpusnap": own, "restic": side, "borg": side, "rclone": side}


class SummaryTest(unittest.TestCase):
    CEILINGS = {"digestBytesPerSecond": 2 * GB}
    FLOOR = {"depths": {"4": {"write": GB, "read": GB}, "8": {"write": 2 * GB, "read": GB / 2}}, "memoryBytesPerSecond": 4 * GB}

    def test_between_sides_the_mean_of_all_rounds_counts(self):
        summary = summarize({"imageBytes": 4 * GB, "rounds": [a_round(8, 30), a_round(6, 24)], "floors": [self.FLOOR], "ceilings": self.CEILINGS})
        self.assertEqual(summary["times"]["restic"]["save"], 3.86)
        self.assertEqual(summary["times"]["borg"]["store"], 7.71)
        self.assertEqual(summary["times"]["borg"]["saveAndProof"], 8.14)

    def test_the_floor_is_that_of_the_fastest_depth_and_a_proven_save_writes_and_reads(self):
        summary = summarize({"imageBytes": 4 * GB, "rounds": [a_round(8, 30)], "floors": [self.FLOOR], "ceilings": self.CEILINGS})
        self.assertEqual(summary["floor"], {"storeSeconds": 2, "saveSeconds": 6, "restoreSeconds": 4})
        self.assertEqual(summary["storeOfFloor"], 0.5)
        self.assertEqual(summary["saveOfFloor"], 0.75)
        self.assertEqual(summary["restoreOfFloor"], 0.5)

    def test_a_depth_that_was_fast_once_is_no_floor(self):
        lucky = {"depths": {"4": {"write": GB, "read": GB}, "8": {"write": GB / 4, "read": 2 * GB}}, "memoryBytesPerSecond": 4 * GB}
        unlucky = {"depths": {"4": {"write": GB, "read": GB}, "8": {"write": 2 * GB, "read": GB / 2}}, "memoryBytesPerSecond": 4 * GB}
        summary = summarize({"imageBytes": 4 * GB, "rounds": [a_round(8, 30)], "floors": [lucky, unlucky], "ceilings": self.CEILINGS})
        self.assertEqual(summary["floor"], {"storeSeconds": 4, "saveSeconds": 8, "restoreSeconds": 4})

    def test_the_mean_of_all_our_rounds_counts(self):
        own = [{key: a_round(10, 30)["gpusnap"][key] for key in ("save", "restore")}]
        values = {"imageBytes": 4 * GB, "rounds": [a_round(8, 30)], "ownRounds": own, "floors": [self.FLOOR], "ceilings": self.CEILINGS}
        summary = summarize(values)
        self.assertEqual(summary["means"], {"storeSeconds": 4.5, "saveSeconds": 9, "restoreSeconds": 9, "rounds": 2})
        self.assertEqual(summary["saveOfFloor"], 0.667)
        self.assertEqual(summary["times"]["restic"]["save"], 3.33)

    def test_what_was_read_back_from_the_drive_is_no_faster_than_the_drive(self):
        quick = a_round(8, 30)
        quick["gpusnap"]["save"]["proofSeconds"] = 2
        summary = summarize({"imageBytes": 4 * GB, "rounds": [quick], "floors": [self.FLOOR], "ceilings": self.CEILINGS})
        self.assertEqual(summary["floor"]["restoreSeconds"], 2)
        self.assertEqual(summary["restoreOfFloor"], 0.25)

    def test_a_restore_into_memory_is_no_faster_than_memory(self):
        slow = self.FLOOR | {"memoryBytesPerSecond": GB / 2}
        summary = summarize({"imageBytes": 4 * GB, "rounds": [a_round(8, 30)], "floors": [slow], "ceilings": self.CEILINGS})
        self.assertEqual(summary["floor"]["restoreSeconds"], 8)

    def test_what_the_cores_need_is_the_digests_and_the_pages_of_a_restore(self):
        summary = summarize({"imageBytes": 4 * GB, "rounds": [a_round(8, 30)], "floors": [self.FLOOR], "ceilings": self.CEILINGS})
        self.assertEqual(summary["processor"], {"storeSeconds": 2, "saveSeconds": 4, "restoreSeconds": 3})

    def test_what_a_second_version_adds_is_that_of_the_worst_round(self):
        rounds = [a_round(8, 30, GB // 10), a_round(8, 30, GB // 5)]
        summary = summarize({"imageBytes": 4 * GB, "rounds": rounds, "floors": [self.FLOOR], "ceilings": self.CEILINGS})
        self.assertEqual(summary["secondStoredRatio"]["gpusnap"], 0.05)

    def test_rates_of_s3_are_those_of_the_image(self):
        rounds = [{side: {"push": took(push), "pull": took(4)} for side, push in (("gpusnap", 2), ("rclone", 8))}]
        summary = summarize_s3({"imageBytes": 4 * GB, "servers": {"one": {"rounds": rounds}}, "moved": {"peakBytes": [3, 5, 4]}})
        self.assertEqual(summary["servers"]["one"]["push"]["gpusnapBytesPerSecond"], 2 * GB)
        self.assertEqual(summary["servers"]["one"]["push"]["timesRclone"], 4)
        self.assertEqual(summary["peakBytes"], 5)
        self.assertNotIn("parts", summary["servers"]["one"]["pull"])

    def test_a_download_is_compared_to_its_proven_end_and_as_far_as_rclone_goes(self):
        one = {side: {"push": took(1), "pull": took(pull)} for side, pull in (("gpusnap", 8), ("rclone", 4))}
        parts = {"bringSeconds": 2, "syncSeconds": 0.5, "proofSeconds": 3}
        slower = {"bringSeconds": 3, "syncSeconds": 0, "proofSeconds": 1}
        rounds = [one | {"gpusnapByParts": slower}, one | {"gpusnapByParts": parts}]
        pull = summarize_s3({"imageBytes": 4 * GB, "servers": {"one": {"rounds": rounds}}, "moved": {"peakBytes": [1]}})["servers"]["one"]["pull"]
        self.assertEqual(pull["timesRclone"], 0.5)
        self.assertEqual(pull["withoutProofTimesRclone"], 1.6)
        self.assertEqual(pull["withoutProofBytesPerSecond"], 1.6 * GB)
        self.assertEqual(pull["parts"], parts)

    def test_memory_is_compared_by_quarters_of_the_rounds(self):
        self.assertEqual(quarters([9, 1, 2, 4, 3, 2, 1, 5, 2]), {"peakBytes": [9, 4, 3, 5], "lastOverSecond": 1.25})
        self.assertIsNone(quarters([1, 2, 3]))


class FloorsTest(unittest.TestCase):
    def test_a_group_of_jobs_takes_as_long_as_its_longest(self):
        group = {"write": {"io_bytes": 4000, "runtime": 1000}, "job_runtime": 3900, "job options": {"numjobs": "4"}}
        self.assertEqual(floors.rate(group, "write"), 4000)

    def test_one_job_takes_as_long_as_its_fsync(self):
        one = {"write": {"io_bytes": 4000, "runtime": 1000}, "job_runtime": 2000, "job options": {}}
        self.assertEqual(floors.rate(one, "write"), 2000)


class TurnsTest(unittest.TestCase):
    def run_rounds(self, count, budget_seconds, each, after):
        """Numbers of the rounds that ran, with a clock of our own, and what was said."""
        now, said, ran = [0.0], [], []
        budget = Budget(budget_seconds, lambda: now[0])
        for number in turns.within(count, budget, lambda: after, said.append):
            ran.append(number)
            now[0] += each[number]
        return ran, said

    def test_all_rounds_run_where_there_is_time(self):
        self.assertEqual(self.run_rounds(3, turns.UNLIMITED_SECONDS, [10, 20, 30], 5), ([0, 1, 2], []))

    def test_a_round_that_would_not_end_before_what_follows_is_left_out_and_told(self):
        ran, said = self.run_rounds(4, 100, [40, 30, 30, 30], 5)
        self.assertEqual(ran, [0, 1])
        self.assertEqual(said, ["2 of 4 rounds are left out: the budget has 30 s left, this takes about 45 s"])

    def test_the_first_round_runs_whatever_the_budget(self):
        self.assertEqual(self.run_rounds(2, 1, [40, 40], 5)[0], [0])


class TimedTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_a_command_is_told_with_its_processor_time_and_memory(self):
        found = timed.timed(["python3", "-c", "x = bytearray(64 << 20); sum(range(10**6))"], self.folder / "log", durable=self.folder)
        self.assertGreater(found.cpu_seconds, 0)
        self.assertGreater(found.peak_bytes, 64 << 20)

    def test_a_failure_shows_what_the_command_said(self):
        with self.assertRaisesRegex(BenchFailure, "no such thing"):
            timed.timed(["python3", "-c", "raise SystemExit('no such thing')"], self.folder / "log")

    def test_credentials_of_this_machine_do_not_reach_the_peers(self):
        os.environ["AWS_PROFILE"] = "mine"
        self.addCleanup(os.environ.pop, "AWS_PROFILE")
        self.assertNotIn("AWS_PROFILE", timed.environment({"A": "b"}))
        self.assertEqual(timed.environment({"A": "b"})["A"], "b")

    def test_folders_are_compared_by_name_and_content(self):
        first, second = self.folder / "first", self.folder / "second"
        for folder in (first, second):
            folder.mkdir()
            (folder / "file").write_bytes(b"same")
        timed.require_same(first, second)
        (second / "file").write_bytes(b"else")
        with self.assertRaisesRegex(BenchFailure, "other content"):
            timed.require_same(first, second)
        (second / "more").write_bytes(b"")
        with self.assertRaisesRegex(BenchFailure, "more"):
            timed.require_same(first, second)

    def test_what_is_counted_is_what_the_drive_holds(self):
        with open(self.folder / "sparse", "wb") as file:
            file.truncate(1 << 30)
        self.assertLess(timed.allocated_bytes(self.folder), 1 << 20)
        (self.folder / "full").write_bytes(os.urandom(1 << 20))
        timed.sync_file_system(self.folder)
        self.assertGreaterEqual(timed.allocated_bytes(self.folder), 1 << 20)
        timed.forget_cached(self.folder)
        self.assertEqual(len((self.folder / "full").read_bytes()), 1 << 20)


class DriveTest(unittest.TestCase):
    def test_a_folder_in_memory_is_no_loop_device(self):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            found = drive.facts(folder)
            self.assertEqual((found["fileSystem"], found["loop"]), ("tmpfs", False))
            self.assertEqual(os.listdir(folder), [])

    def test_a_mount_that_is_refused_says_what_to_leave_out(self):
        parent = Path(tempfile.mkdtemp(dir="/dev/shm"))
        self.addCleanup(shutil.rmtree, parent)
        folder = memory.Folder(parent, huge_pages=False)
        with self.assertRaisesRegex(BenchFailure, "without --huge-pages"):
            folder.system(["mount", "-t", "tmpfs", "-o", "no-such-option", "none", folder.path])
        folder.close()
        self.assertFalse(folder.path.exists())


class RemoteTest(unittest.TestCase):
    def test_rclone_is_pointed_at_the_server_and_at_no_file(self):
        remote = s3.rclone_remote("http://127.0.0.1:1")
        self.assertEqual(remote["RCLONE_CONFIG_S3_ENDPOINT"], "http://127.0.0.1:1")
        self.assertEqual(remote["RCLONE_CONFIG"], os.devnull)

    def test_a_server_that_refuses_is_a_failure_that_names_the_request(self):
        class Refusing(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                self.send_response(403)
                self.end_headers()

            def log_message(self, *_):
                pass

        listening = http.server.HTTPServer(("127.0.0.1", 0), Refusing)
        self.addCleanup(listening.server_close)
        threading.Thread(target=listening.handle_request, daemon=True).start()
        server = s3.Server.__new__(s3.Server)
        server.name, server.port = "refusing", listening.server_port
        with self.assertRaisesRegex(BenchFailure, "refusing answers PUT /bench with 403"):
            server.request("PUT", "/bench")


if __name__ == "__main__":
    unittest.main()
