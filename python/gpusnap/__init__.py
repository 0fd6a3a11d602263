"""What a GPU inference server can tell gpusnap: memory that it can rebuild, and what to do around a snapshot.

Everything does nothing and says so in a process without gpusnap's preload library. See docs/hints.md.
"""

from ._callbacks import Resume, on_quiesce, on_resume, remove
from ._memory import keep, rebuildable
from ._native import active

__all__ = ["Resume", "active", "keep", "on_quiesce", "on_resume", "rebuildable", "remove"]
