#include "preload/freeing_stream.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "preload/contexts.h"
#include "preload/hooks.h"

namespace gpusnap::preload {
namespace {

// Never given twice, unlike a thread id.
uint64_t thread_number() {
    static std::atomic<uint64_t> last{0};
    static thread_local const uint64_t number = ++last;
    return number;
}

// What a thread has asked the driver last: most ask about the same again and again.
std::atomic<uint64_t> generation{1};
struct Answer {
    uint64_t generation = 0;
    const void* about = nullptr;
    CUcontext context = nullptr;
    CUdevice device = 0;

    bool is_about(const void* wanted) const {
        return about == wanted && generation == preload::generation.load(std::memory_order_acquire);
    }
};
thread_local Answer last_stream;
thread_local Answer last_context;

CUcontext context_of(CUstream stream) {
    if (last_stream.is_about(stream)) {
        return last_stream.context;
    }
    uint64_t asked_in = generation.load(std::memory_order_acquire);
    CUcontext context = nullptr;
    if (real::cuStreamGetCtx(stream, &context) != CUDA_SUCCESS || context == nullptr) {
        return current_context();
    }
    last_stream = {asked_in, stream, context, 0};
    return context;
}

}  // namespace

CUstream handle_of(CUstream stream, bool per_thread) {
    return stream != nullptr ? stream : per_thread ? CU_STREAM_PER_THREAD : CU_STREAM_LEGACY;
}

StreamKey key_of(CUstream handle) {
    if (handle == CU_STREAM_LEGACY || handle == CU_STREAM_PER_THREAD) {
        return {handle, current_context(), handle == CU_STREAM_PER_THREAD ? thread_number() : 0};
    }
    return {handle, context_of(handle), 0};
}

CUdevice device_of(CUcontext context) {
    if (last_context.is_about(context)) {
        return last_context.device;
    }
    uint64_t asked_in = generation.load(std::memory_order_acquire);
    CurrentContext scope(context);
    CUdevice device = current_device();
    if (scope.result() == CUDA_SUCCESS) {
        last_context = {asked_in, context, context, device};
    }
    return device;
}

void forget_contexts_of_streams() {
    generation.fetch_add(1, std::memory_order_acq_rel);
}

FreeingStream::~FreeingStream() {
    for (CUevent event : {older_.event, newer_.event}) {
        if (event != nullptr) {
            real::cuEventDestroy_v2(event);
        }
    }
}

bool FreeingStream::can_be_asked() const {
    return !gone() && (!of_a_thread() || key_.thread == thread_number());
}

bool FreeingStream::record(Mark& mark) {
    CurrentContext scope(key_.context);
    if (scope.result() != CUDA_SUCCESS) {
        return false;
    }
    if (mark.event == nullptr && real::cuEventCreate(&mark.event, CU_EVENT_DISABLE_TIMING) != CUDA_SUCCESS) {
        mark.event = nullptr;
        return false;
    }
    mark.pending = real::cuEventRecord(mark.event, key_.stream) == CUDA_SUCCESS;
    mark.time = now_;
    return mark.pending;
}

uint64_t FreeingStream::freed(bool others) {
    now_++;
    if (of_a_thread() || (others && key_.stream == CU_STREAM_LEGACY && !older_.pending)) {
        record_now();
    }
    return now_;
}

void FreeingStream::look_at_marks() {
    while (older_.pending && real::cuEventQuery(older_.event) == CUDA_SUCCESS) {
        passed_ = std::max(passed_, older_.time);
        older_.pending = false;
        std::swap(older_, newer_);
    }
}

uint64_t FreeingStream::passed(bool ask) {
    look_at_marks();
    if (passed_ == now_ || !ask || !can_be_asked()) {
        return passed_;
    }
    CurrentContext scope(key_.context);
    CUresult answer = scope.result() == CUDA_SUCCESS ? real::cuStreamQuery(key_.stream) : scope.result();
    if (answer == CUDA_SUCCESS) {
        all_passed();
    } else if (answer == CUDA_ERROR_NOT_READY && takes_events() && !older_.pending) {
        record(older_);
    }
    return passed_;
}

void FreeingStream::all_passed() {
    passed_ = now_;
    older_.pending = false;
    newer_.pending = false;
}

bool FreeingStream::let_wait(CUstream other, uint64_t time, bool ask) {
    for (const Mark* mark : {&older_, &newer_}) {
        if (mark->pending && mark->time >= time) {
            return real::cuStreamWaitEvent(other, mark->event, 0) == CUDA_SUCCESS;
        }
    }
    Mark& mark = older_.pending ? newer_ : older_;
    return ask && takes_events() && record(mark) && real::cuStreamWaitEvent(other, mark.event, 0) == CUDA_SUCCESS;
}

void FreeingStream::ends() {
    int status = CU_STREAM_CAPTURE_STATUS_NONE;
    bool records = Captures::get().begun() && (real::cuStreamIsCapturing(key_.stream, &status) != CUDA_SUCCESS ||
                                               status != CU_STREAM_CAPTURE_STATUS_NONE);
    // Nobody could find out later: where an event cannot be had, it is waited for now.
    if (passed_ < now_ && !records && !record_now() && real::cuStreamSynchronize(key_.stream) == CUDA_SUCCESS) {
        all_passed();
    }
    key_.stream = nullptr;
}

}  // namespace gpusnap::preload
