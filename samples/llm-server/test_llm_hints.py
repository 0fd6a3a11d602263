"""How the server comes to rest and goes on, with stand-ins for model and module: needs no PyTorch and no preload."""

import enum
import sys
import threading
import types
import unittest
from unittest import mock


class Resume(enum.IntEnum):
    RESUMED = 0
    THAWED = 1
    GIVEN_UP = 2


class Module(types.ModuleType):
    """As much of gpusnap as the server uses; keeps what was registered."""

    def __init__(self, declared=True):
        super().__init__("gpusnap")
        self.Resume = Resume
        self.ranges = []
        self.declared = declared

    def rebuildable(self, memory, tag):
        self.ranges.append((memory, tag))
        return self.declared

    def on_quiesce(self, function):
        self.quiesce = function
        return function

    def on_resume(self, function):
        self.resume = function
        return function


class Model:
    kv_pool = "the pool"

    def __init__(self):
        self.did = []

    def empty_caches(self):
        self.did.append("emptied")

    def rebuild_kv_pool(self):
        self.did.append("rebuilt")

    def synchronize(self):
        pass


class HintsTest(unittest.TestCase):
    def declare(self, declared=True):
        self.module = Module(declared)
        self.model = Model()
        self.server = types.SimpleNamespace(calm=threading.Lock())
        self.notes = []
        with mock.patch.dict(sys.modules, gpusnap=self.module):
            sys.modules.pop("llm_hints", None)
            import llm_hints

            llm_hints.declare(self.model, self.server, self.notes.append)

    def test_declares_the_pool_by_its_tag_and_says_whether_that_had_an_effect(self):
        self.declare()
        self.assertEqual([("the pool", "kv-cache")], self.module.ranges)
        self.assertIn("is rebuildable", self.notes[0])
        self.declare(declared=False)
        self.assertIn("is saved like all memory", self.notes[0])

    def test_requests_wait_from_quiesce_to_resume_and_caches_are_empty_meanwhile(self):
        self.declare()
        self.module.quiesce(10)
        self.assertTrue(self.server.calm.locked())
        self.assertEqual(["emptied"], self.model.did)
        self.module.resume(Resume.RESUMED)
        self.assertFalse(self.server.calm.locked())
        self.assertEqual(["emptied"], self.model.did)

    def test_the_pool_is_built_anew_after_a_thaw_before_a_request_can_read_it(self):
        self.declare()
        self.module.quiesce(10)
        seen = []
        self.model.rebuild_kv_pool = lambda: seen.append(self.server.calm.locked())
        self.module.resume(Resume.THAWED)
        self.assertEqual([True], seen)
        self.assertFalse(self.server.calm.locked())

    def test_a_request_that_does_not_end_refuses_the_save(self):
        self.declare()
        with self.server.calm:
            with self.assertRaisesRegex(TimeoutError, "still being answered"):
                self.module.quiesce(0.01)
        self.assertFalse(self.server.calm.locked())

    def test_caches_that_cannot_be_emptied_leave_the_server_answering(self):
        self.declare()
        self.model.empty_caches = mock.Mock(side_effect=RuntimeError("no"))
        with self.assertRaises(RuntimeError):
            self.module.quiesce(10)
        self.assertFalse(self.server.calm.locked())


if __name__ == "__main__":
    unittest.main()
