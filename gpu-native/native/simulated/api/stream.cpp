// Streams, events, host functions, capture.
#include <chrono>

#include "core/call.h"
#include "work/context.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

void create(CUstream* out, unsigned flags, int priority) {
  require(out != nullptr && flags <= CU_STREAM_NON_BLOCKING);
  const auto context = current_context();
  auto stream = std::make_shared<Stream>(context.get(), flags, priority, Stream::Role::kOrdinary);
  *out = reinterpret_cast<CUstream>(stream.get());
  const std::lock_guard lock(context->submission);
  context->streams.insert(std::move(stream));
}

CUgraph graph_handle(const std::shared_ptr<Graph>& graph) { return reinterpret_cast<CUgraph>(graph.get()); }

void record(CUevent event, CUstream stream) { record_event(*events().get(event), stream_of(stream)); }

void elapsed(float* milliseconds, CUevent start, CUevent end) {
  require(milliseconds != nullptr);
  std::chrono::steady_clock::time_point times[2];
  const std::shared_ptr<Event> both[2] = {events().get(start), events().get(end)};
  for (int i = 0; i < 2; ++i) {
    const std::lock_guard lock(both[i]->mutex);
    require(both[i]->ever_recorded && (both[i]->flags & CU_EVENT_DISABLE_TIMING) == 0, CUDA_ERROR_INVALID_HANDLE);
    require(both[i]->recorded.done(), CUDA_ERROR_NOT_READY);
    times[i] = *both[i]->time;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(times[1] - times[0]).count();
}

Ticket recorded(CUevent handle) {
  const auto event = events().get(handle);
  const std::lock_guard lock(event->mutex);
  require(!event->capture, CUDA_ERROR_CAPTURED_EVENT);
  return event->recorded;
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned int flags) {
  return call(__func__, [&] { create(stream, flags, 0); });
}

GPUSNAP_SIM_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned int flags, int priority) {
  return call(__func__, [&] { create(stream, flags, priority); });
}

GPUSNAP_SIM_EXPORT CUresult cuStreamDestroy_v2(CUstream handle) {
  return call(__func__, [&] {
    require(handle != nullptr && handle != CU_STREAM_LEGACY && handle != CU_STREAM_PER_THREAD, CUDA_ERROR_INVALID_HANDLE);
    const auto stream = stream_of(handle);
    const std::lock_guard lock(stream->context->submission);
    stream->queue->close();  // what is queued still runs
    stream->context->streams.erase(stream);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetPriority, _ptsz, (CUstream stream, int* priority), (stream, priority)) {
  return call("cuStreamGetPriority", [&] {
    require(priority != nullptr);
    *priority = stream_of(stream)->priority;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetFlags, _ptsz, (CUstream stream, unsigned int* flags), (stream, flags)) {
  return call("cuStreamGetFlags", [&] {
    require(flags != nullptr);
    *flags = stream_of(stream)->flags;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetId, _ptsz, (CUstream stream, unsigned long long* id), (stream, id)) {
  return call("cuStreamGetId", [&] {
    require(id != nullptr);
    *id = stream_of(stream)->id;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetCtx, _ptsz, (CUstream stream, CUcontext* context), (stream, context)) {
  return call("cuStreamGetCtx", [&] {
    require(context != nullptr);
    *context = reinterpret_cast<CUcontext>(stream_of(stream)->context);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetDevice, _ptsz, (CUstream stream, CUdevice* device), (stream, device)) {
  return call("cuStreamGetDevice", [&] {
    require(device != nullptr);
    *device = stream_of(stream)->context->device;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamQuery, _ptsz, (CUstream stream), (stream)) {
  return call_past_lock("cuStreamQuery", [&] {
    const auto target = stream_of(stream);
    refuse_while_capturing(*target);
    require(target->queue->last().done(), CUDA_ERROR_NOT_READY);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamSynchronize, _ptsz, (CUstream stream), (stream)) {
  return call_past_lock("cuStreamSynchronize", [&] {
    const auto target = stream_of(stream);
    refuse_while_capturing(*target);
    if (target->role == Stream::Role::kLegacy) {
      target->context->synchronize();  // the legacy stream waits for all blocking ones; waiting for more does no harm
    } else {
      target->queue->last().wait();
    }
    require(target->context->sticky_error == CUDA_SUCCESS, target->context->sticky_error);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamWaitEvent, _ptsz, (CUstream stream, CUevent event, unsigned int flags),
                        (stream, event, flags)) {
  return call("cuStreamWaitEvent", [&] {
    require(flags <= 1);
    wait_event(stream_of(stream), *events().get(event));
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamAddCallback, _ptsz,
                        (CUstream stream, CUstreamCallback callback, void* data, unsigned int flags),
                        (stream, callback, data, flags)) {
  return call("cuStreamAddCallback", [&] {
    require(callback != nullptr && flags == 0);
    const auto target = stream_of(stream);
    refuse_while_capturing(*target);
    submit(target, CU_GRAPH_NODE_TYPE_HOST, [=] { callback(stream, CUDA_SUCCESS, data); });
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamAttachMemAsync, _ptsz,
                        (CUstream stream, CUdeviceptr address, size_t size, unsigned int flags),
                        (stream, address, size, flags)) {
  return call("cuStreamAttachMemAsync", [&] {
    require(address != 0 && (flags == 1 || flags == 2 || flags == 4));
    (void)size;
    submit(stream_of(stream), CU_GRAPH_NODE_TYPE_EMPTY, [] {});
  });
}

GPUSNAP_SIM_STREAM_CALL(cuLaunchHostFunc, _ptsz, (CUstream stream, CUhostFn function, void* data),
                        (stream, function, data)) {
  return call("cuLaunchHostFunc", [&] {
    require(function != nullptr);
    submit(stream_of(stream), CU_GRAPH_NODE_TYPE_HOST, [=] { function(data); });
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamBeginCapture_v2, _ptsz, (CUstream stream, CUstreamCaptureMode mode), (stream, mode)) {
  return call("cuStreamBeginCapture_v2", [&] {
    require(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    begin_capture(stream_of(stream), mode);
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamEndCapture, _ptsz, (CUstream stream, CUgraph* graph), (stream, graph)) {
  return call("cuStreamEndCapture", [&] {
    require(graph != nullptr);
    *graph = nullptr;
    *graph = graphs().add<CUgraph>(end_capture(stream_of(stream)));
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamIsCapturing, _ptsz, (CUstream stream, CUstreamCaptureStatus* status), (stream, status)) {
  return call("cuStreamIsCapturing", [&] {
    require(status != nullptr);
    const auto target = stream_of(stream);
    const std::lock_guard lock(target->context->submission);
    *status = !target->capture               ? CU_STREAM_CAPTURE_STATUS_NONE
              : target->capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                             : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  });
}

GPUSNAP_SIM_STREAM_CALL(cuStreamGetCaptureInfo_v3, _ptsz,
                        (CUstream stream, CUstreamCaptureStatus* status, uint64_t* id, CUgraph* graph,
                         const CUgraphNode** dependencies, const CUgraphEdgeData** edges, size_t* count),
                        (stream, status, id, graph, dependencies, edges, count)) {
  return call("cuStreamGetCaptureInfo_v3", [&] {
    require(status != nullptr);
    const auto target = stream_of(stream);
    const std::lock_guard lock(target->context->submission);
    const auto& capture = target->capture;
    *status = !capture ? CU_STREAM_CAPTURE_STATUS_NONE
              : capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                     : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    if (!capture) return;
    if (id != nullptr) *id = capture->id;
    if (graph != nullptr) *graph = graph_handle(capture->graph);
    if (edges != nullptr) *edges = nullptr;
    if (dependencies == nullptr && count == nullptr) return;
    thread_local CUgraphNode last;  // valid until the thread's next capture call, as the caller expects
    const bool any = !capture->graph->nodes.empty();
    if (any) last = reinterpret_cast<CUgraphNode>(capture->graph->nodes.back().get());
    if (dependencies != nullptr) *dependencies = any ? &last : nullptr;
    if (count != nullptr) *count = any ? 1 : 0;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return call(__func__, [&] {
    require(mode != nullptr && *mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && *mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    *mode = exchange_capture_mode(*mode);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuEventCreate(CUevent* event, unsigned int flags) {
  return call(__func__, [&] {
    require(event != nullptr && flags <= 7);
    require((flags & CU_EVENT_INTERPROCESS) == 0, CUDA_ERROR_NOT_SUPPORTED);
    current_context();
    auto made = std::make_shared<Event>();
    made->flags = flags;
    *event = events().add<CUevent>(std::move(made));
  });
}

GPUSNAP_SIM_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  return call(__func__, [&] { events().take(event); });
}

GPUSNAP_SIM_STREAM_CALL(cuEventRecord, _ptsz, (CUevent event, CUstream stream), (event, stream)) {
  return call("cuEventRecord", [&] { record(event, stream); });
}

GPUSNAP_SIM_STREAM_CALL(cuEventRecordWithFlags, _ptsz, (CUevent event, CUstream stream, unsigned int flags),
                        (event, stream, flags)) {
  return call("cuEventRecordWithFlags", [&] {
    require(flags <= 1);
    record(event, stream);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuEventQuery(CUevent event) {
  return call_past_lock(__func__, [&] { require(recorded(event).done(), CUDA_ERROR_NOT_READY); });
}

GPUSNAP_SIM_EXPORT CUresult cuEventSynchronize(CUevent event) {
  return call_past_lock(__func__, [&] { recorded(event).wait(); });
}

GPUSNAP_SIM_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  return call_past_lock(__func__, [&] { elapsed(milliseconds, start, end); });
}

GPUSNAP_SIM_EXPORT CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
  return call_past_lock(__func__, [&] { elapsed(milliseconds, start, end); });
}
