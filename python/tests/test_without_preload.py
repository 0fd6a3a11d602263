"""The module in a process without gpusnap: which bytes are meant, and that nothing happens."""

import unittest

import gpusnap
from gpusnap._memory import span


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
