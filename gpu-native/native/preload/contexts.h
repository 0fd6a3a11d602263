// What the preload knows about the process's CUDA contexts: which exist, which GPUs reach whose memory, and which streams
// record a graph.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

// The calling thread's context, null when there is none.
CUcontext current_context();
// The device of the calling thread's context; only valid while there is one.
CUdevice current_device();

// Makes a context current on this thread for the life of the object; a null context changes nothing.
class CurrentContext {
public:
    explicit CurrentContext(CUcontext context);
    ~CurrentContext();
    CurrentContext(const CurrentContext&) = delete;
    CurrentContext& operator=(const CurrentContext&) = delete;
    // Why it is not current.
    CUresult result() const { return result_; }

private:
    bool pushed_ = false;
    CUresult result_ = CUDA_SUCCESS;
};

class Contexts {
public:
    static Contexts& get();
    // True when peers are to be let in: it is the first on its device, or they could not be let in before.
    bool note(CUcontext context, CUdevice device);
    void forget(CUcontext context);
    std::vector<CUcontext> all();
    // Some context on a device, null when none is known.
    CUcontext any_on(CUdevice device);
    std::vector<CUcontext> on(CUdevice device);
    CUdevice device_of(CUcontext context, CUdevice otherwise);

    // The other devices with a context that can reach a device's memory.
    std::vector<CUdevice> peers_of(CUdevice owner);
    // Some could not be let in: the next note says so.
    void owe_peers();
    // After a thaw the same ordinals may be other GPUs.
    void forget_peers();

private:
    std::mutex mutex_;
    std::map<CUcontext, CUdevice> contexts_;
    bool peers_owed_ = false;
    bool reaches_locked(CUdevice accessor, CUdevice owner);
    std::map<std::pair<CUdevice, CUdevice>, bool> reaches_;  // accessor, owner; as the driver said
};

class Captures {
public:
    static Captures& get();
    void begin(CUstream stream);
    void end(CUstream stream);
    // Cheap, and true rather too often: a capture that ended unseen still counts.
    bool begun() const noexcept { return count_.load(std::memory_order_relaxed) > 0; }
    // Asks the driver, and drops those that ended without our seeing it.
    bool any();

private:
    std::atomic<size_t> count_{0};
    std::mutex mutex_;
    std::multiset<CUstream> streams_;
};

// What the preload does by itself is no business of a capture that runs meanwhile on any thread; without
// this, the driver would refuse it and spoil the capture.
class RelaxedCapture {
public:
    RelaxedCapture();
    ~RelaxedCapture();
    RelaxedCapture(const RelaxedCapture&) = delete;
    RelaxedCapture& operator=(const RelaxedCapture&) = delete;

private:
    bool exchanged_ = false;
    int mode_;
};

}  // namespace gpusnap::preload
