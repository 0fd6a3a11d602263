"""Which revision a result says that it is of."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "revision"


class RevisionTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "GPUSNAP_"))}

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *words):
        line = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-C", str(self.root), *words]
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, check=True).stdout.strip()

    def revision(self, **more):
        script = self.root / "bench/revision"
        script.parent.mkdir(exist_ok=True)
        shutil.copy(SCRIPT, script)
        return subprocess.run([script], env=self.environment | more, cwd="/", capture_output=True, text=True, check=True).stdout.strip()

    def commit(self):
        for name in ("code.py", "bench/results/one.json", "bench/other/run", "docs/benchmarks.md"):
            self.write(name, "old")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "one")
        return self.git("rev-parse", "--short", "HEAD")

    def test_a_new_result_and_what_is_written_from_it_are_not_the_code(self):
        head = self.commit()
        self.assertEqual(self.revision(), head)
        self.write("bench/results/one.json", "new")
        self.write("bench/results/two.json", "new")
        self.write("docs/benchmarks.md", "new")
        self.assertEqual(self.revision(), head)
        self.git("add", "bench/results")
        self.assertEqual(self.revision(), head)

    def test_a_change_of_code_or_of_a_bench_is(self):
        for name in ("code.py", "bench/other/run"):
            head = self.commit() if not (self.root / ".git").exists() else self.git("rev-parse", "--short", "HEAD")
            self.write(name, "new")
            self.assertEqual(self.revision(), f"{head}-dirty")
            self.git("add", name)
            self.assertEqual(self.revision(), f"{head}-dirty")
            self.git("reset", "-q", "--hard")
            self.assertEqual(self.revision(), head)

    def test_without_a_repository_it_is_what_is_said_or_unknown(self):
        self.environment["GIT_CEILING_DIRECTORIES"] = str(self.root.parent)
        self.assertEqual(self.revision(), "unknown")
        self.assertEqual(self.revision(GPUSNAP_REVISION="abc"), "abc")


if __name__ == "__main__":
    unittest.main()
