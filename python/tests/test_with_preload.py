"""The module in a process with the real preload on the simulated driver; this process plays the daemon."""

import threading
import unittest

from simulated import DRIVER, OK, PRELOAD, QUIESCE, REFUSED, RELEASE, REMAP, RESUME, TIMEOUT, Daemon, Workload

MIB = 1 << 20
TEN_SECONDS = 10_000

# In the workload: what lives in an allocation, as a caching allocator hands it out.
TENSOR = """
class Tensor:
    def __init__(self, address, size):
        self.__cuda_array_interface__ = {"typestr": "|u1", "shape": (size,), "data": (address, False)}
"""


@unittest.skipUnless(PRELOAD.exists() and DRIVER.exists(), f"not built: {PRELOAD} (scripts/build-native.sh build)")
class WithPreloadTest(unittest.TestCase):
    def start(self, program="", **options):
        workload = Workload(program, **options)
        self.addCleanup(workload.close)
        return workload

    def connect(self, workload):
        daemon = Daemon(workload)
        self.addCleanup(daemon.close)
        return daemon

    def test_declared_memory_is_told_until_it_is_freed(self):
        workload = self.start(
            """
pool = allocate(16 << 20)
say(gpusnap.active(), gpusnap.rebuildable((pool, 8 << 20), tag="kv-cache"), gpusnap.rebuildable((pool + (8 << 20), 4096)))
"""
        )
        self.assertEqual(["True True True"], workload.said)
        daemon = self.connect(workload)
        self.assertEqual([(0, 8 * MIB, "kv-cache"), (8 * MIB, 4096, "rebuildable")], daemon.hints())
        self.assertEqual(["True", "False"], workload.run("[say(gpusnap.keep((pool, 1))) for _ in range(2)]"))
        self.assertEqual([(8 * MIB, 4096, "rebuildable")], daemon.hints())
        workload.run("free(pool)")
        self.assertEqual([], daemon.hints())

    def test_what_an_allocator_puts_where_a_declared_tensor_was_is_not_declared(self):
        workload = self.start(
            TENSOR
            + """
segment = allocate(16 << 20)  # stays the allocator's all the time
tensor = Tensor(segment, 8 << 20)
say(gpusnap.rebuildable(tensor, tag="kv-cache"))
"""
        )
        self.assertEqual(["True"], workload.said)
        daemon = self.connect(workload)
        self.assertEqual([(0, 8 * MIB, "kv-cache")], daemon.hints())
        workload.run("tensor = None; weights = Tensor(segment, 8 << 20)")
        self.assertEqual([], daemon.hints())

    def test_a_tensor_that_dies_while_the_process_is_frozen_is_declared_until_it_goes_on(self):
        workload = self.start(TENSOR + "tensor = Tensor(allocate(8 << 20), 8 << 20)\ngpusnap.rebuildable(tensor)\n")
        daemon = self.connect(workload)
        self.assertEqual(OK, daemon.ask(QUIESCE, TEN_SECONDS)[0])
        dropper = threading.Thread(target=workload.run, args=("tensor = None",))
        dropper.start()
        self.assertEqual([(0, 8 * MIB, "rebuildable")], daemon.hints())
        self.assertEqual(OK, daemon.ask(RESUME)[0])
        dropper.join()
        self.assertEqual([], daemon.hints())

    def test_a_process_that_ends_while_it_is_frozen_does_not_wait_for_its_declarations(self):
        workload = self.start(TENSOR + "tensor = Tensor(allocate(8 << 20), 8 << 20)\ngpusnap.rebuildable(tensor)\n")
        self.assertEqual(OK, self.connect(workload).ask(QUIESCE, TEN_SECONDS)[0])
        self.assertEqual((0, ""), workload.end())

    def test_memory_of_the_drivers_own_is_false_and_nonsense_an_error(self):
        workload = self.start(
            """
small = allocate(4096)
say(gpusnap.rebuildable((small, 4096)))
for arguments in (((small, 0), "tag"), ((small, 4096), "with space"), ((small, 4096), "x" * 32), ((small, 4096), "ä")):
    try:
        gpusnap.rebuildable(*arguments)
    except ValueError:
        say("refused")
"""
        )
        self.assertEqual(["False"] + ["refused"] * 4, workload.said)

    def test_functions_run_around_a_freeze_and_may_use_the_gpu(self):
        workload = self.start(
            """
cache = allocate(8 << 20)
@gpusnap.on_quiesce
def before(remaining_seconds):
    use_gpu()
    free(cache)
    say("before", 0 < remaining_seconds <= 10)
@gpusnap.on_resume
def after(reason):
    use_gpu()
    allocate(4 << 20)
    say("after", reason.name)
"""
        )
        daemon = self.connect(workload)
        self.assertEqual(OK, daemon.ask(QUIESCE, TEN_SECONDS)[0])
        self.assertEqual("before True", workload.next_line())
        for verb in (RELEASE, REMAP, RESUME):
            self.assertEqual(OK, daemon.ask(verb)[0])
        self.assertEqual("after THAWED", workload.next_line())

    def test_what_a_function_raises_is_the_reason_that_is_told(self):
        workload = self.start(
            """
@gpusnap.on_quiesce
def first(remaining_seconds):
    say("first")
@gpusnap.on_resume
def first_again(reason):
    say("first again", reason.name)
@gpusnap.on_quiesce
def second(remaining_seconds):
    raise RuntimeError("a request is under way: " + "ä" * 300)
"""
        )
        daemon = self.connect(workload)
        status, text = daemon.ask(QUIESCE, TEN_SECONDS)
        self.assertEqual(REFUSED, status)
        self.assertIn("a request is under way: ää", text.decode())
        self.assertEqual(["first", "first again GIVEN_UP"], [workload.next_line(), workload.next_line()])
        workload.run("gpusnap.remove(second)")
        self.assertEqual(OK, daemon.ask(QUIESCE, TEN_SECONDS)[0])

    def test_what_a_resume_function_raises_stops_no_other(self):
        workload = self.start(
            """
gpusnap.on_resume(lambda reason: say("still called"))
gpusnap.on_resume(lambda reason: 1 / 0)
"""
        )
        daemon = self.connect(workload)
        self.assertEqual([OK, OK], [daemon.ask(QUIESCE, TEN_SECONDS)[0], daemon.ask(RESUME)[0]])
        self.assertEqual("still called", workload.next_line())
        status, errors = workload.end()
        self.assertEqual(0, status)
        self.assertIn("ZeroDivisionError", errors)

    def test_threads_that_keep_the_interpreter_busy_do_not_keep_functions_from_running(self):
        workload = self.start(
            """
import threading
def work():
    while True:
        sum(range(1000))
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
@gpusnap.on_quiesce
def before(remaining_seconds):
    say("before")
"""
        )
        self.assertEqual(OK, self.connect(workload).ask(QUIESCE, TEN_SECONDS)[0])
        self.assertEqual("before", workload.next_line())

    def test_a_late_function_is_a_time_out_and_the_process_works_on(self):
        workload = self.start(
            """
import threading
let_go = threading.Event()
@gpusnap.on_quiesce
def before(remaining_seconds):
    let_go.wait()
@gpusnap.on_resume
def after(reason):
    say("after", reason.name)
"""
        )
        daemon = self.connect(workload)
        status, text = daemon.ask(QUIESCE, 300)
        self.assertEqual(TIMEOUT, status)
        self.assertIn("callback 1 of 1", text.decode())
        self.assertEqual(["works"], workload.run("free(allocate(4 << 20)); say('works')"))
        # Removing waits for the function that runs; on another thread, since this one is to let it go.
        workload.run("remover = threading.Thread(target=gpusnap.remove, args=(before,)); remover.start()")
        self.assertEqual(["True"], workload.run("say(remover.is_alive())"))
        said = workload.run("let_go.set(); remover.join()")
        self.assertEqual(["after GIVEN_UP"], said or [workload.next_line()])
        self.assertEqual(OK, daemon.ask(QUIESCE, TEN_SECONDS)[0])

    def test_a_process_ends_as_ever_while_functions_are_registered(self):
        workload = self.start("gpusnap.on_quiesce(lambda remaining_seconds: None)\ngpusnap.on_resume(print)\n")
        self.assertEqual((0, ""), workload.end())

    def test_a_process_ends_as_ever_while_a_function_hangs(self):
        for kind, argument in (("on_quiesce", "remaining_seconds"), ("on_resume", "reason")):
            with self.subTest(kind):
                workload = self.start(
                    f"""
import threading
@gpusnap.{kind}
def hang({argument}):
    say("hangs")
    threading.Event().wait()
gpusnap.on_quiesce(lambda remaining_seconds: None)
"""
                )
                daemon = self.connect(workload)
                daemon.send(QUIESCE, TEN_SECONDS)
                if kind == "on_resume":
                    self.assertEqual(OK, daemon.receive()[0])
                    daemon.send(RESUME)
                self.assertEqual("hangs", workload.next_line())
                self.assertEqual((0, ""), workload.end())

    def test_a_process_ends_as_ever_while_a_function_goes_on_in_python(self):
        workload = self.start(
            """
import time
@gpusnap.on_quiesce
def before(remaining_seconds):
    say("before")
    while True:
        time.sleep(0.001)
"""
        )
        self.connect(workload).send(QUIESCE, TEN_SECONDS)
        self.assertEqual("before", workload.next_line())
        self.assertEqual((0, ""), workload.end())

    def test_a_function_may_take_itself_back(self):
        workload = self.start(
            """
from gpusnap import _callbacks
from gpusnap._native import call
@gpusnap.on_quiesce
def before(remaining_seconds):
    gpusnap.remove(before)
    say("before")
"""
        )
        daemon = self.connect(workload)
        for _ in range(2):
            self.assertEqual([OK, OK], [daemon.ask(QUIESCE, TEN_SECONDS)[0], daemon.ask(RESUME)[0]])
        self.assertEqual("before", workload.next_line())
        self.assertEqual(["UNKNOWN"], workload.run("say(call('off_quiesce', _callbacks._THUNKS['quiesce'], 1).name)"))

    def test_a_forked_child_keeps_functions_only_when_cuda_was_not_in_use_yet(self):
        # In a Python of its own: the prologue has used CUDA already.
        workload = self.start(
            """
import subprocess
program = '''
import ctypes, os
import gpusnap
from gpusnap import _callbacks
def registered_in_child():
    child = os.fork()
    if child == 0:
        os._exit(len(_callbacks._registered))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
gpusnap.on_quiesce(print)
cuda = ctypes.CDLL("libcuda.so.1")
before = registered_in_child()
assert cuda.cuInit(0) == 0
context = ctypes.c_void_p()
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
print(before, registered_in_child())
'''
ended = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True)
say(ended.stdout.strip() + ended.stderr.strip())
"""
        )
        self.assertEqual(["1 0"], workload.said)

    def test_in_a_forked_child_nothing_happens(self):
        workload = self.start(
            """
import os
pool = allocate(8 << 20)
child = os.fork()
if child == 0:
    os._exit(0 if not gpusnap.active() and not gpusnap.rebuildable((pool, 4096)) else 1)
say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
        )
        self.assertEqual(["0"], workload.said)
        self.assertEqual([], self.connect(workload).hints())

    def test_a_declaration_waits_while_the_process_is_frozen(self):
        workload = self.start("pool = allocate(8 << 20)\n")
        daemon = self.connect(workload)
        self.assertEqual(OK, daemon.ask(QUIESCE, TEN_SECONDS)[0])
        answer = []
        asker = threading.Thread(target=lambda: answer.extend(workload.run("say(gpusnap.rebuildable((pool, 4096)))")))
        asker.start()
        self.assertEqual([], daemon.hints())
        self.assertEqual(OK, daemon.ask(RESUME)[0])
        asker.join()
        self.assertEqual(["True"], answer)

    def test_on_the_same_driver_without_the_preload_nothing_happens(self):
        workload = self.start(
            """
pool = allocate(8 << 20)
gpusnap.on_quiesce(lambda remaining_seconds: None)
say(gpusnap.active(), gpusnap.rebuildable((pool, 8 << 20)), gpusnap.keep((pool, 8 << 20)))
""",
            preload=False,
        )
        self.assertEqual(["False False False"], workload.said)


if __name__ == "__main__":
    unittest.main()
