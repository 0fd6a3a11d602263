"""What a server's silence is taken for. Run with: python3 -m unittest discover -s bench/soak -t bench/soak"""

import datetime
import time
import types
import unittest
from unittest import mock

from soaklib import silence
from soaklib.load import Account, Slot
from soaklib.silence import Silent

MACHINE = types.SimpleNamespace(name="m1")


def listed(state="RUNNING", seconds_ago=0.0):
    seen = datetime.datetime.fromtimestamp(time.time() - seconds_ago, datetime.UTC)
    return {"id": "w", "pid": 20500, "nodeId": "node-1", "state": state, "lastSeenAt": seen.isoformat().replace("+00:00", "Z")}


class Listings:
    """A service that lists a workload otherwise each time it is asked; the last one again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def get(self, path):
        if path != "/workloads/w":
            raise AssertionError(path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def refuses():
    raise ConnectionRefusedError("refused")


class SilenceTest(unittest.TestCase):
    def setUp(self):
        self.account = Account()

    def explained(self, before, *since, again=refuses):
        with mock.patch.object(silence, "POLL_SECONDS", 0), mock.patch.object(silence, "PATIENCE_SECONDS", 0.1):
            return silence.explain(Listings(*since), self.account, MACHINE, before, again, ConnectionRefusedError("refused"))

    def test_a_machine_that_lost_its_power_since_took_its_servers_with_it(self):
        self.account.went_off(MACHINE)
        why, wrong = self.explained(listed(seconds_ago=3))
        self.assertFalse(wrong)
        self.assertIn("pid 20500 on m1 was last seen RUNNING 3.0 s before, then: refused", why)
        self.assertIn("its machine had lost its power 0.0 s before", why)

    def test_one_that_lost_it_before_the_server_was_seen_did_not(self):
        self.account.powered_off["m1"] = time.time() - 100
        why, wrong = self.explained(listed(seconds_ago=3), listed("GONE"))
        self.assertFalse(wrong)
        self.assertNotIn("power", why)

    def test_a_server_that_ended_is_told_to_have(self):
        why, wrong = self.explained(listed(seconds_ago=1), listed(seconds_ago=1), listed("GONE"))
        self.assertFalse(wrong)
        self.assertIn("it was told to be GONE", why)

    def test_a_server_that_only_came_late_answers(self):
        why, wrong = self.explained(listed(), listed(seconds_ago=-10), again=lambda: "42")
        self.assertFalse(wrong)
        self.assertIn("it answers", why)

    def test_a_server_that_its_daemon_still_has_running_is_wrong(self):
        why, wrong = self.explained(listed(), listed(seconds_ago=-10))
        self.assertTrue(wrong)
        self.assertIn("its daemon still has it RUNNING, but: refused", why)

    def test_but_not_where_the_power_went_meanwhile(self):
        def off():
            self.account.went_off(MACHINE)
            refuses()

        why, wrong = self.explained(listed(), listed(seconds_ago=-10), again=off)
        self.assertFalse(wrong)
        self.assertIn("lost its power", why)

    def test_a_silence_of_which_nothing_more_is_heard_says_so(self):
        why, wrong = self.explained(listed(seconds_ago=1), listed(seconds_ago=1))
        self.assertFalse(wrong)
        self.assertIn("nothing was heard of it", why)

    def test_a_slot_tells_it_and_what_is_wrong_is_a_violation(self):
        cluster = types.SimpleNamespace(api=Listings(listed(seconds_ago=-10)), volume=mock.MagicMock(), answer=lambda *_: refuses())
        slot = Slot(1, cluster, self.account, mock.MagicMock(), 7)
        with self.assertRaises(Silent) as silent, mock.patch("builtins.print"):
            slot.ask(listed(), MACHINE)
        (violation,) = self.account.violations
        self.assertEqual(violation, f"slot1: {silent.exception}")


if __name__ == "__main__":
    unittest.main()
