"""Device memory whose content need not be saved."""

import math

from ._native import Answer, call


def rebuildable(memory, tag="rebuildable"):
    """Says that the content of a tensor, an array or (address, bytes) need not be saved: after a thaw it is zero.

    Ends when the memory is freed. True when declared; False without the preload, or for memory that is saved in any case
    because the driver keeps it. Raises ValueError for what is no such memory, or a tag that is not 1 to 31 printable ASCII
    characters without space and comma.
    """
    address, size = span(memory)
    answer = call("rebuildable", address, size, tag.encode("utf-8"))
    if answer is Answer.INVALID:
        raise ValueError(f"cannot be declared rebuildable: {size} bytes at {address:#x}, tag {tag!r}")
    if answer is Answer.TOO_MANY:
        raise RuntimeError("too many ranges are declared rebuildable; declare larger ones")
    return answer is Answer.OK


def keep(memory):
    """Takes rebuildable() back for memory that begins where this one does; False when there is nothing to take back."""
    return call("keep", span(memory)[0]) is Answer.OK


def span(memory):
    """Address and bytes of a tensor like PyTorch's, of an array like CuPy's, or of a pair of them."""
    if isinstance(memory, tuple):
        address, size = memory
        return int(address), int(size)
    if hasattr(memory, "data_ptr"):
        return _span_of_tensor(memory)
    if hasattr(memory, "__cuda_array_interface__"):
        return _span_of_array(memory.__cuda_array_interface__)
    raise ValueError(f"neither a tensor nor an array nor (address, bytes): {type(memory).__name__}")


def _span_of_tensor(tensor):
    size = tensor.numel() * tensor.element_size()
    if tensor.is_contiguous():
        return tensor.data_ptr(), size
    # Another view of a whole storage, as attention kernels like them, is as good as the storage.
    storage = tensor.untyped_storage()
    if size != storage.nbytes():
        raise ValueError("the tensor has gaps in which other data may live; declare the contiguous tensor it is a view of")
    return storage.data_ptr(), size


def _span_of_array(description):
    item = int(description["typestr"][2:])
    shape = description["shape"]
    expected = item
    packed = []
    for extent in reversed(shape):
        packed.insert(0, expected)
        expected *= extent
    strides = description.get("strides")
    if strides is not None and tuple(strides) != tuple(packed):
        raise ValueError("the array has gaps or another order; declare the contiguous array it is a view of")
    return description["data"][0], item * math.prod(shape)
