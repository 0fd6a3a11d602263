#include "preload/device_wait.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "preload/contexts.h"
#include "preload/gate.h"
#include "preload/hooks.h"
#include "preload/threads.h"

namespace gpusnap::preload {
namespace {

struct Wait {
    std::mutex mutex;
    std::condition_variable ended_condition;
    bool ended = false;
    CUresult result = CUDA_SUCCESS;
};

std::shared_ptr<Wait>& unfinished() {
    static auto* only = new std::shared_ptr<Wait>();  // of the control thread only
    return *only;
}

CUresult wait_in_driver(const std::vector<CUcontext>& contexts) {
    for (CUcontext context : contexts) {
        CurrentContext scope(context);
        // Without a current context the driver would answer as it does for one that has ended.
        CUresult result = scope.result() == CUDA_SUCCESS ? real::cuCtxSynchronize() : scope.result();
        // A context that ended since it was listed has nothing left to wait for.
        if (result != CUDA_SUCCESS && result != CUDA_ERROR_CONTEXT_IS_DESTROYED && result != CUDA_ERROR_INVALID_CONTEXT) {
            return result;
        }
    }
    return CUDA_SUCCESS;
}

}  // namespace

DeviceWait::Answer DeviceWait::all_contexts(std::vector<CUcontext> contexts,
                                            std::chrono::steady_clock::time_point deadline, CUresult* failure) {
    if (auto earlier = unfinished()) {
        std::lock_guard lock(earlier->mutex);
        if (!earlier->ended) {
            return Answer::still_waiting;
        }
    }
    auto wait = std::make_shared<Wait>();
    unfinished() = wait;
    std::thread waiter;
    {
        BlockedSignals blocked;
        waiter = std::thread([wait, contexts = std::move(contexts)] {
            pthread_setname_np(pthread_self(), "gpusnap-wait");
            Gate::exempt_this_thread();
            CUresult result = wait_in_driver(contexts);
            std::lock_guard lock(wait->mutex);
            wait->result = result;
            wait->ended = true;
            wait->ended_condition.notify_all();
        });
    }
    std::unique_lock lock(wait->mutex);
    bool ended = wait->ended_condition.wait_until(lock, deadline, [&] { return wait->ended; });
    CUresult result = wait->result;
    lock.unlock();
    if (!ended) {
        waiter.detach();
        return Answer::timed_out;
    }
    waiter.join();
    unfinished() = nullptr;
    *failure = result;
    return result == CUDA_SUCCESS ? Answer::idle : Answer::failed;
}

}  // namespace gpusnap::preload
