"""The module in a process without gpusnap: which bytes are meant, and that nothing happens."""

import gc
import os
import signal
import threading
import types
import unittest
from unittest import mock

import gpusnap
from gpusnap import _callbacks, _memory
from gpusnap._memory import span
from gpusnap._native import Answer


class Storage:
    def __init__(self, address, size):
        self.address, self.size = address, size

    def data_ptr(self):
        return self.address

    def nbytes(self):
        return self.size


class Tensor:
    """As much of a PyTorch tensor as the module looks at."""

    def __init__(self, address, elements, element_size=2, contiguous=True, storage=None):
        self.address, self.elements, self.size, self.contiguous = address, elements, element_size, contiguous
        self.storage = storage or Storage(address, elements * element_size)

    def data_ptr(self):
        return self.address

    def numel(self):
        return self.elements

    def element_size(self):
        return self.size

    def is_contiguous(self):
        return self.contiguous

    def untyped_storage(self):
        return self.storage


class Array:
    def __init__(self, **description):
        self.__cuda_array_interface__ = description


class Unreferable:
    """Takes no weak reference, like the memory of CuPy's pool."""

    __slots__ = ()


class PoolArray(Array):
    """As much of a CuPy array as the module looks at."""

    def __init__(self, address, size, mem, base=None):
        super().__init__(typestr="|u1", shape=(size,), strides=None, data=(address, False))
        self.data = types.SimpleNamespace(mem=mem)
        self.base = base


class Preload:
    """Stands in for the preload: which addresses are declared."""

    def __init__(self):
        self.declared = {}
        self.answer = Answer.OK
        self.meanwhile = lambda: None

    def call(self, name, address, size=None, tag=None):
        if name == "keep":
            return Answer.OK if self.declared.pop(address, None) else Answer.UNKNOWN
        self.meanwhile()
        if self.answer is Answer.OK:
            self.declared[address] = size
        return self.answer


class SpanTest(unittest.TestCase):
    def test_of_a_pair_is_the_pair(self):
        self.assertEqual((4096, 8192), span((4096, 8192)))

    def test_of_a_contiguous_tensor_is_its_elements_even_in_a_larger_storage(self):
        self.assertEqual((4096, 200), span(Tensor(4096, 100, storage=Storage(0, 1 << 20))))

    def test_of_another_view_of_a_whole_storage_is_the_storage(self):
        self.assertEqual((4096, 200), span(Tensor(4096, 100, contiguous=False)))

    def test_of_a_tensor_with_gaps_there_is_none(self):
        with self.assertRaisesRegex(ValueError, "gaps"):
            span(Tensor(4096, 100, contiguous=False, storage=Storage(4096, 400)))

    def test_of_an_array_is_its_items(self):
        self.assertEqual((4096, 96), span(Array(typestr="<f4", shape=(2, 3, 4), strides=None, data=(4096, False))))
        self.assertEqual((4096, 96), span(Array(typestr="<f4", shape=(2, 12), strides=(48, 4), data=(4096, False))))

    def test_of_an_array_with_gaps_there_is_none(self):
        with self.assertRaisesRegex(ValueError, "gaps"):
            span(Array(typestr="<f4", shape=(2, 12), strides=(96, 4), data=(4096, False)))

    def test_of_anything_else_there_is_none(self):
        with self.assertRaisesRegex(ValueError, "str"):
            span("memory")


class EndOfDeclarationTest(unittest.TestCase):
    def setUp(self):
        self.preload = Preload()
        patch = mock.patch.object(_memory, "call", self.preload.call)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(_memory._ends.clear)

    def test_comes_with_the_storage_and_not_with_one_tensor_on_it(self):
        storage = Storage(4096, 200)
        tensor, view = Tensor(4096, 100, storage=storage), Tensor(4096, 100, storage=storage)
        del storage
        self.assertTrue(gpusnap.rebuildable(tensor))
        del tensor
        self.assertEqual({4096: 200}, self.preload.declared)
        del view
        self.assertEqual({}, self.preload.declared)
        self.assertEqual({}, _memory._ends)

    def test_what_is_put_at_the_address_afterwards_is_not_declared(self):
        tensor = Tensor(4096, 100)
        gpusnap.rebuildable(tensor)
        del tensor
        other = Tensor(4096, 100)
        self.assertEqual({}, self.preload.declared)
        self.assertFalse(gpusnap.keep(other))

    def test_comes_also_for_storages_that_only_the_garbage_collector_finds(self):
        tensor = Tensor(4096, 100)
        tensor.storage.itself = tensor.storage
        gpusnap.rebuildable(tensor)
        del tensor
        gc.collect()
        self.assertEqual({}, self.preload.declared)

    def test_comes_for_each_part_of_one_storage(self):
        storage = Storage(4096, 400)
        for address in (4096, 4296):
            gpusnap.rebuildable(Tensor(address, 100, storage=storage))
        self.assertEqual({4096: 200, 4296: 200}, self.preload.declared)
        del storage
        self.assertEqual({}, self.preload.declared)

    def test_of_an_earlier_owner_does_not_touch_a_later_declaration(self):
        earlier, later = Tensor(4096, 100), Tensor(4096, 50)
        gpusnap.rebuildable(earlier)
        gpusnap.rebuildable(later)
        del earlier
        self.assertEqual({4096: 100}, self.preload.declared)
        del later
        self.assertEqual({}, self.preload.declared)

    def test_is_the_callers_business_for_an_address(self):
        tensor = Tensor(4096, 100)
        gpusnap.rebuildable(tensor)
        gpusnap.rebuildable((4096, 200))
        del tensor
        self.assertEqual({4096: 200}, self.preload.declared)
        self.assertTrue(gpusnap.keep((4096, 200)))

    def test_still_comes_when_declaring_again_failed(self):
        for dies_meanwhile in (False, True):
            with self.subTest(dies_meanwhile=dies_meanwhile):
                owners = [Tensor(4096, 100)]
                self.preload.answer, self.preload.meanwhile = Answer.OK, lambda: None
                gpusnap.rebuildable(owners[0])
                self.preload.answer = Answer.INVALID
                if dies_meanwhile:
                    self.preload.meanwhile = owners.clear
                with self.assertRaises(ValueError):
                    gpusnap.rebuildable((4096, 200), tag="no tag")
                self.assertEqual({} if dies_meanwhile else {4096: 200}, self.preload.declared)
                owners.clear()
                self.assertEqual({}, self.preload.declared)

    def test_does_not_come_any_more_after_keep(self):
        tensor = Tensor(4096, 100)
        gpusnap.rebuildable(tensor)
        self.assertTrue(gpusnap.keep(tensor))
        gpusnap.rebuildable((4096, 200))
        del tensor
        self.assertEqual({4096: 200}, self.preload.declared)

    def test_of_an_array_comes_with_its_memory(self):
        memory = Storage(4096, 200)
        array = PoolArray(4096, 200, memory)
        gpusnap.rebuildable(array)
        del array
        self.assertEqual({4096: 200}, self.preload.declared)
        del memory
        self.assertEqual({}, self.preload.declared)

    def test_of_an_array_whose_memory_takes_no_weak_reference_comes_with_the_array_that_all_are_views_of(self):
        base = PoolArray(4096, 200, Unreferable())
        view = PoolArray(4096, 200, base.data.mem, base=base)
        gpusnap.rebuildable(PoolArray(4096, 200, base.data.mem, base=base))
        del base
        self.assertEqual({4096: 200}, self.preload.declared)
        del view
        self.assertEqual({}, self.preload.declared)

    def test_of_any_other_array_comes_with_the_object(self):
        array = Array(typestr="|u1", shape=(200,), data=(4096, False))
        gpusnap.rebuildable(array)
        del array
        self.assertEqual({}, self.preload.declared)

    def test_that_would_not_be_noticed_is_refused_before_anything_is_declared(self):
        class Fixed:
            __slots__ = ("__cuda_array_interface__",)

        fixed = Fixed()
        fixed.__cuda_array_interface__ = {"typestr": "|u1", "shape": (200,), "data": (4096, False)}
        anew = Tensor(4096, 100)
        anew.untyped_storage = lambda: Storage(4096, 200)  # as PyTorch before 2.1
        rigid, storage = Tensor(4096, 100), Unreferable()
        rigid.untyped_storage = lambda: storage
        for memory in (fixed, anew, rigid):
            with self.assertRaisesRegex(ValueError, r"no weak reference; pass \(address, bytes\)"):
                gpusnap.rebuildable(memory)
        self.assertEqual({}, self.preload.declared)


class ForkTest(unittest.TestCase):
    def test_a_child_does_not_wait_for_a_lock_that_a_thread_of_the_parent_holds(self):
        function = gpusnap.on_quiesce(lambda remaining_seconds: None)
        self.addCleanup(gpusnap.remove, function)
        held, let_go = threading.Event(), threading.Event()

        def hold():
            with _callbacks._lock:
                held.set()
                let_go.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # ends a child that hangs
            registered = len(_callbacks._registered)
            gpusnap.remove(gpusnap.on_resume(print))
            _callbacks._end()
            os._exit(registered)
        let_go.set()
        holder.join()
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


class WithoutPreloadTest(unittest.TestCase):
    def test_everything_does_nothing_and_says_so(self):
        self.assertFalse(gpusnap.active())
        self.assertFalse(gpusnap.rebuildable(Tensor(4096, 100), tag="kv-cache"))
        self.assertFalse(gpusnap.keep(Tensor(4096, 100)))

    def test_decorators_leave_the_function_as_it_is(self):
        def function(argument):
            return argument

        self.assertIs(function, gpusnap.on_quiesce(function))
        self.assertIs(function, gpusnap.on_resume(function))
        gpusnap.remove(function)
        gpusnap.remove(function)
        with self.assertRaises(ValueError):
            gpusnap.remove(function)

    def test_what_cannot_be_called_is_refused_at_once(self):
        with self.assertRaises(TypeError):
            gpusnap.on_quiesce("function")


if __name__ == "__main__":
    unittest.main()
