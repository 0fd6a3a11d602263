// Streams: which ones record a graph, which ones end, and the moments at which freed memory goes back.
#include "preload/contexts.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

template <typename Driver>
CUresult begin(CUstream stream, bool per_thread, Driver&& driver) {
    Pass pass;
    CUstream key = canonical(stream, per_thread).stream;
    Captures::get().begin(key);
    CUresult result = driver();
    if (result != CUDA_SUCCESS) {
        Captures::get().end(key);
    }
    return result;
}

// The capture is over whatever the result: a failed end destroys it.
template <typename Driver>
CUresult end(CUstream stream, bool per_thread, Driver&& driver) {
    Pass pass;
    CUresult result = driver();
    Captures::get().end(canonical(stream, per_thread).stream);
    return result;
}

// Waiting is not gated: a thread may wait for work that was launched before a freeze, and a frozen device is idle.
CUresult after_waiting(CUresult result) {
    if (result == CUDA_SUCCESS && StreamPools::get().any_resting() && !Captures::get().begun() && Gate::try_enter()) {
        StreamPools::get().trim_to_thresholds();
        Gate::leave();
    }
    return result;
}

template <typename Driver>
CUresult destroy(CUstream stream, Driver&& driver) {
    Pass pass;
    Captures::get().end(stream);
    StreamPools::get().stream_destroyed(stream);
    return driver();
}

}  // namespace

CUresult own::cuStreamBeginCapture(CUstream stream) {
    return begin(stream, false, [&] { return real::cuStreamBeginCapture(stream); });
}

CUresult own::cuStreamBeginCapture_ptsz(CUstream stream) {
    return begin(stream, true, [&] { return real::cuStreamBeginCapture_ptsz(stream); });
}

CUresult own::cuStreamBeginCapture_v2(CUstream stream, int mode) {
    return begin(stream, false, [&] { return real::cuStreamBeginCapture_v2(stream, mode); });
}

CUresult own::cuStreamBeginCapture_v2_ptsz(CUstream stream, int mode) {
    return begin(stream, true, [&] { return real::cuStreamBeginCapture_v2_ptsz(stream, mode); });
}

CUresult own::cuStreamBeginCaptureToGraph(CUstream stream, void* graph, const void* dependencies, const void* edges,
                                          size_t count, int mode) {
    return begin(stream, false, [&] {
        return real::cuStreamBeginCaptureToGraph(stream, graph, dependencies, edges, count, mode);
    });
}

CUresult own::cuStreamBeginCaptureToGraph_ptsz(CUstream stream, void* graph, const void* dependencies, const void* edges,
                                               size_t count, int mode) {
    return begin(stream, true, [&] {
        return real::cuStreamBeginCaptureToGraph_ptsz(stream, graph, dependencies, edges, count, mode);
    });
}

CUresult own::cuStreamEndCapture(CUstream stream, void* graph) {
    return end(stream, false, [&] { return real::cuStreamEndCapture(stream, graph); });
}

CUresult own::cuStreamEndCapture_ptsz(CUstream stream, void* graph) {
    return end(stream, true, [&] { return real::cuStreamEndCapture_ptsz(stream, graph); });
}

CUresult own::cuStreamDestroy(CUstream stream) {
    return destroy(stream, [&] { return real::cuStreamDestroy(stream); });
}

CUresult own::cuStreamDestroy_v2(CUstream stream) {
    return destroy(stream, [&] { return real::cuStreamDestroy_v2(stream); });
}

CUresult own::cuStreamSynchronize(CUstream stream) {
    return after_waiting(real::cuStreamSynchronize(stream));
}

CUresult own::cuStreamSynchronize_ptsz(CUstream stream) {
    return after_waiting(real::cuStreamSynchronize_ptsz(stream));
}

CUresult own::cuCtxSynchronize() {
    return after_waiting(real::cuCtxSynchronize());
}

CUresult own::cuCtxSynchronize_v2(CUcontext context) {
    return after_waiting(real::cuCtxSynchronize_v2(context));
}

CUresult own::cuEventSynchronize(CUevent event) {
    return after_waiting(real::cuEventSynchronize(event));
}

}  // namespace gpusnap::preload
