"""What this server tells gpusnap about itself: the KV pool need not be saved, and how to come to rest before a save."""

import gpusnap

KV_TAG = "kv-cache"


def declare(model, server, note):
    """From now on the pool is left out of snapshots; without gpusnap's preload nothing happens, and the log says so."""
    declared = gpusnap.rebuildable(model.kv_pool, tag=KV_TAG)
    note(f"the KV pool is {'rebuildable' if declared else 'saved like all memory: no preload, or no GPU memory'}")

    @gpusnap.on_quiesce
    def come_to_rest(remaining_seconds):
        # Nobody may read the pool between the thaw and its rebuilding, so requests wait until then.
        if not server.calm.acquire(timeout=remaining_seconds):
            raise TimeoutError("a request is still being answered")
        try:
            model.empty_caches()
        except BaseException:
            server.calm.release()
            raise

    @gpusnap.on_resume
    def go_on(reason):
        try:
            if reason is gpusnap.Resume.THAWED:
                model.rebuild_kv_pool()
                model.synchronize()
        finally:
            server.calm.release()
