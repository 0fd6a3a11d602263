import os
import subprocess
import unittest

from soaklib.machines import START_WITH_ID

# In a space of process ids of its own. Says what the start ended with, and which ids are left.
INSIDE = """
mount -t proc proc /proc
bash -c "$START" sleep 1000
echo "ended with $?"
sleep 0.3 # until it is what it will be
echo "left: $(pgrep sleep | tr '\\n' ' ')"
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class StartWithIdTest(unittest.TestCase):
    def start(self, wanted):
        done = subprocess.run(
            ["unshare", "--pid", "--mount", "--fork", "--kill-child", "bash", "-c", INSIDE],
            env=os.environ | {"START": START_WITH_ID, "ID": str(wanted), "LOG": "/dev/null"},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return [line.strip() for line in done.stdout.splitlines()]

    def test_a_process_gets_the_id_that_was_wanted(self):
        self.assertEqual(self.start(21500), ["ended with 0", "left: 21500"])

    def test_one_that_got_another_id_does_not_live_on(self):
        # the first process of them all has it
        self.assertEqual(self.start(1), ["ended with 1", "left:"])
