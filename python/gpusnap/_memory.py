"""Device memory whose content need not be saved."""

import math
import weakref

from ._native import Answer, call


def rebuildable(memory, tag="rebuildable"):
    """Says that the content of a tensor, an array or (address, bytes) need not be saved: after a thaw it is zero.

    Ends when the storage of the tensor or array dies, also where a caching allocator then keeps the memory. With
    (address, bytes) it ends when the memory is given back to the driver; whoever puts something else there before that must
    call keep() first.

    True when declared; False without the preload, or for memory that is saved in any case because the driver keeps it. Raises
    ValueError for what is no such memory or of which it cannot be known when it dies, or a tag that is not 1 to 31 printable
    ASCII characters without space and comma.
    """
    address, size = span(memory)
    before = _ends.get(address)
    # In place before the memory is declared: at no time is there a declaration of a dead tensor that nobody takes back.
    end = None if isinstance(memory, tuple) else _End(_owner(memory), address)
    _put(address, end)
    answer = call("rebuildable", address, size, tag.encode("utf-8"))
    _let_go(before if answer is Answer.OK else end)
    if answer is not Answer.OK:
        _put(address, before)  # what was declared there before still is, so it must still end
        if before is not None and not before.finalizer.alive:
            keep((address, size))
    if answer is Answer.INVALID:
        raise ValueError(f"cannot be declared rebuildable: {size} bytes at {address:#x}, tag {tag!r}")
    if answer is Answer.TOO_MANY:
        raise RuntimeError("too many ranges are declared rebuildable; declare larger ones")
    return answer is Answer.OK


def keep(memory):
    """Takes rebuildable() back for memory that begins where this one does; False when there is nothing to take back."""
    address, _ = span(memory)
    _let_go(_ends.pop(address, None))
    return call("keep", address) is Answer.OK


class _End:
    """Takes a declaration back when the owner of its memory dies, unless another has taken its place in _ends."""

    def __init__(self, owner, address):
        # Collected at any moment, in any thread, maybe in the midst of the functions above: so there is no lock.
        self.finalizer = weakref.finalize(owner, self._owner_died, address)
        self.finalizer.atexit = False  # while the process is frozen it would wait, and keep the process from ending

    def _owner_died(self, address):
        if _ends.get(address) is self:
            del _ends[address]
            call("keep", address)


# By address. Several for one owner are right: its slices.
_ends = {}


def _put(address, end):
    if end is None:
        _ends.pop(address, None)
    else:
        _ends[address] = end


def _let_go(end):
    if end is not None:
        end.finalizer.detach()


def _owner(memory):
    """What lives as long as the memory is not given back to its allocator, or shorter."""
    if hasattr(memory, "untyped_storage"):
        owners = [memory.untyped_storage()]
        if owners[0] is not memory.untyped_storage():
            owners = []  # PyTorch before 2.1: made anew for each call, dies at once
    elif hasattr(getattr(memory, "data", None), "mem"):
        # A view of CuPy's holds the array that it is a view of. The memory of CuPy's pool takes no weak reference so far.
        base = getattr(memory, "base", None)
        owners = [memory.data.mem, memory if base is None else base]
    else:
        owners = [memory]
    for owner in owners:
        try:
            weakref.ref(owner)
            return owner
        except TypeError:
            pass
    raise ValueError(
        f"cannot tell when the memory of this {type(memory).__name__} is freed, since its storage takes no weak reference; "
        "pass (address, bytes), and call keep() before the memory is used for anything else"
    )


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
