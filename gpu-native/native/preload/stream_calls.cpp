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
    CUstream key = handle_of(stream, per_thread);
    StreamPools::get().capture_begins(key);
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
    Captures::get().end(handle_of(stream, per_thread));
    return result;
}

// A thread that waits is inside, as one that works: a freeze waits for the device anyway, and a wait that met a checkpointed
// context would end the process.
template <typename Driver>
CUresult wait(Driver&& driver) {
    Pass pass;
    CUresult result = driver();
    if (result == CUDA_SUCCESS && StreamPools::get().any_freed() && !Captures::get().begun()) {
        StreamPools::get().trim_to_thresholds();
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
    return wait([&] { return real::cuStreamSynchronize(stream); });
}

CUresult own::cuStreamSynchronize_ptsz(CUstream stream) {
    return wait([&] { return real::cuStreamSynchronize_ptsz(stream); });
}

CUresult own::cuCtxSynchronize() {
    return wait([] { return real::cuCtxSynchronize(); });
}

CUresult own::cuCtxSynchronize_v2(CUcontext context) {
    return wait([&] { return real::cuCtxSynchronize_v2(context); });
}

CUresult own::cuEventSynchronize(CUevent event) {
    return wait([&] { return real::cuEventSynchronize(event); });
}

}  // namespace gpusnap::preload
