#include "preload/contexts.h"

#include <algorithm>
#include <utility>

#include "preload/hooks.h"
#include "preload/log.h"

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
        result_ = real::cuCtxPushCurrent_v2(context);
        pushed_ = result_ == CUDA_SUCCESS;
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

bool Contexts::note(CUcontext context, CUdevice device) {
    std::lock_guard lock(mutex_);
    bool owed = std::exchange(peers_owed_, false);
    auto found = contexts_.find(context);
    if (found != contexts_.end() && found->second == device) {
        return owed;
    }
    bool first = std::none_of(contexts_.begin(), contexts_.end(), [&](const auto& known) { return known.second == device; });
    contexts_[context] = device;
    return first || owed;
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

std::vector<CUdevice> Contexts::peers_of(CUdevice owner) {
    std::lock_guard lock(mutex_);
    std::vector<CUdevice> found;
    for (const auto& [context, device] : contexts_) {
        bool known = device == owner || std::find(found.begin(), found.end(), device) != found.end();
        if (!known && reaches_locked(device, owner)) {
            found.push_back(device);
        }
    }
    return found;
}

bool Contexts::reaches_locked(CUdevice accessor, CUdevice owner) {
    if (auto known = reaches_.find({accessor, owner}); known != reaches_.end()) {
        return known->second;
    }
    int can = 0;
    if (CUresult result = real::cuDeviceCanAccessPeer(&can, accessor, owner); result != CUDA_SUCCESS) {
        peers_owed_ = true;
        log(Level::error, "cuDeviceCanAccessPeer: %d; memory of device %d is not opened to device %d, and it is asked again",
            static_cast<int>(result), owner, accessor);
        return false;
    }
    return reaches_.emplace(std::pair{accessor, owner}, can != 0).first->second;
}

void Contexts::owe_peers() {
    std::lock_guard lock(mutex_);
    peers_owed_ = true;
}

void Contexts::forget_peers() {
    std::lock_guard lock(mutex_);
    reaches_.clear();
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
