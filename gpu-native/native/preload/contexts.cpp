#include "preload/contexts.h"

#include "preload/hooks.h"

namespace gpusnap::preload {

CUcontext current_context() {
    CUcontext context = nullptr;
    real::cuCtxGetCurrent(&context);
    return context;
}

CUdevice current_device() {
    CUdevice device = 0;
    real::cuCtxGetDevice(&device);
    return device;
}

CurrentContext::CurrentContext(CUcontext context) {
    if (context != nullptr && current_context() != context) {
        pushed_ = real::cuCtxPushCurrent_v2(context) == CUDA_SUCCESS;
    }
}

CurrentContext::~CurrentContext() {
    if (pushed_) {
        CUcontext popped = nullptr;
        real::cuCtxPopCurrent_v2(&popped);
    }
}

Contexts& Contexts::get() {
    static Contexts* only = new Contexts();
    return *only;
}

void Contexts::note(CUcontext context, CUdevice device) {
    std::lock_guard lock(mutex_);
    contexts_[context] = device;
}

void Contexts::forget(CUcontext context) {
    std::lock_guard lock(mutex_);
    contexts_.erase(context);
}

std::vector<CUcontext> Contexts::all() {
    std::lock_guard lock(mutex_);
    std::vector<CUcontext> found;
    for (const auto& [context, device] : contexts_) {
        found.push_back(context);
    }
    return found;
}

std::vector<CUcontext> Contexts::on(CUdevice device) {
    std::lock_guard lock(mutex_);
    std::vector<CUcontext> found;
    for (const auto& [context, owner] : contexts_) {
        if (owner == device) {
            found.push_back(context);
        }
    }
    return found;
}

CUcontext Contexts::any_on(CUdevice device) {
    std::vector<CUcontext> found = on(device);
    return found.empty() ? nullptr : found.front();
}

CUdevice Contexts::device_of(CUcontext context, CUdevice otherwise) {
    std::lock_guard lock(mutex_);
    auto found = contexts_.find(context);
    return found == contexts_.end() ? otherwise : found->second;
}

void Contexts::enable_peer(CUdevice accessor, CUdevice owner) {
    std::lock_guard lock(mutex_);
    peers_.emplace(owner, accessor);
}

void Contexts::disable_peer(CUdevice accessor, CUdevice owner) {
    std::lock_guard lock(mutex_);
    peers_.erase({owner, accessor});
}

std::vector<CUdevice> Contexts::accessors_of(CUdevice owner) {
    std::lock_guard lock(mutex_);
    std::vector<CUdevice> found{owner};
    for (const auto& [device, accessor] : peers_) {
        if (device == owner && accessor != owner) {
            found.push_back(accessor);
        }
    }
    return found;
}

Captures& Captures::get() {
    static Captures* only = new Captures();
    return *only;
}

void Captures::begin(CUstream stream) {
    std::lock_guard lock(mutex_);
    streams_.insert(stream);
    count_.store(streams_.size(), std::memory_order_relaxed);
}

void Captures::end(CUstream stream) {
    std::lock_guard lock(mutex_);
    auto found = streams_.find(stream);
    if (found != streams_.end()) {
        streams_.erase(found);
        count_.store(streams_.size(), std::memory_order_relaxed);
    }
}

bool Captures::any() {
    std::lock_guard lock(mutex_);
    for (auto at = streams_.begin(); at != streams_.end();) {
        int status = CU_STREAM_CAPTURE_STATUS_NONE;
        // The per-thread stream means another stream on this thread: it cannot be asked about from here.
        bool ours = *at != CU_STREAM_PER_THREAD;
        if (ours && real::cuStreamIsCapturing(*at, &status) == CUDA_SUCCESS && status == CU_STREAM_CAPTURE_STATUS_NONE) {
            at = streams_.erase(at);
        } else {
            ++at;
        }
    }
    count_.store(streams_.size(), std::memory_order_relaxed);
    return !streams_.empty();
}

RelaxedCapture::RelaxedCapture() : mode_(CU_STREAM_CAPTURE_MODE_RELAXED) {
    if (Captures::get().begun()) {
        exchanged_ = real::cuThreadExchangeStreamCaptureMode(&mode_) == CUDA_SUCCESS;
    }
}

RelaxedCapture::~RelaxedCapture() {
    if (exchanged_) {
        real::cuThreadExchangeStreamCaptureMode(&mode_);
    }
}

}  // namespace gpusnap::preload
