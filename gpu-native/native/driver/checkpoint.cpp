// The driver's checkpoint verbs on another process. Their argument structs must be zeroed.
#include <cstring>
#include <memory>
#include <vector>

#include "driver/gpu.h"
#include "driver/still_threads.h"

using namespace gpusnap;

namespace {

template <typename Function>
Function available(Function function) {
    if (function == nullptr) {
        throw Failure(GPUSNAP_E_UNSUPPORTED, "this driver has no checkpoint calls: it takes 570 or newer (CUDA 12.8)");
    }
    return function;
}

// Names the process in the text; a wrong state is the caller's to handle, so it has its own status.
void check(CUresult result, const char* call, int32_t pid) {
    if (result == CUDA_SUCCESS) {
        return;
    }
    const Driver& driver = Driver::get();
    std::string text = std::string(call) + "(" + std::to_string(pid) + "): " + driver.describe(result);
    switch (result) {
        case CUDA_ERROR_NOT_READY:
            throw Failure(GPUSNAP_E_TIMEOUT, text);
        case CUDA_ERROR_ILLEGAL_STATE:
            throw Failure(GPUSNAP_E_STATE, text);
        case CUDA_ERROR_OUT_OF_MEMORY:
            throw Failure(GPUSNAP_E_NO_DEVICE_MEMORY, text);
        case CUDA_ERROR_NOT_SUPPORTED:
            throw Failure(GPUSNAP_E_UNSUPPORTED, text);
        default:
            throw Failure(GPUSNAP_E_DRIVER, text);
    }
}

CUuuid to_cuda(const char (&text)[48]) {
    char copy[49] = {};
    std::memcpy(copy, text, sizeof text);
    UuidBytes bytes = parse_uuid(copy);
    CUuuid uuid{};
    std::memcpy(&uuid, bytes.data(), bytes.size());
    return uuid;
}

}  // namespace

gpusnap_status gpusnap_process_query(int32_t pid, int32_t* state) {
    return guarded([&] {
        require(state != nullptr, "state is NULL");
        CUprocessState answer{};
        check(available(Driver::get().cuCheckpointProcessGetState)(pid, &answer), "cuCheckpointProcessGetState", pid);
        *state = static_cast<int32_t>(answer);
    });
}

gpusnap_status gpusnap_process_lock(int32_t pid, uint32_t timeout_ms) {
    return guarded([&] {
        CUcheckpointLockArgs args{};
        args.timeoutMs = timeout_ms;
        check(available(Driver::get().cuCheckpointProcessLock)(pid, &args), "cuCheckpointProcessLock", pid);
    });
}

gpusnap_status gpusnap_process_checkpoint(int32_t pid) {
    return guarded([&] {
        CUcheckpointCheckpointArgs args{};
        check(available(Driver::get().cuCheckpointProcessCheckpoint)(pid, &args), "cuCheckpointProcessCheckpoint", pid);
    });
}

gpusnap_status gpusnap_process_restore(int32_t pid, const gpusnap_gpu_pair* pairs, size_t pair_count) {
    return guarded([&] {
        require(pairs != nullptr || pair_count == 0, "pairs is NULL but pair_count is not 0");
        std::vector<CUcheckpointGpuPair> converted;
        for (size_t i = 0; i < pair_count; i++) {
            CUcheckpointGpuPair pair{};
            pair.oldUuid = to_cuda(pairs[i].from_uuid);
            pair.newUuid = to_cuda(pairs[i].to_uuid);
            converted.push_back(pair);
        }
        CUcheckpointRestoreArgs args{};
        if (!converted.empty()) {
            args.gpuPairs = converted.data();
            args.gpuPairsCount = static_cast<unsigned int>(converted.size());
        }
        check(available(Driver::get().cuCheckpointProcessRestore)(pid, &args), "cuCheckpointProcessRestore", pid);
    });
}

gpusnap_status gpusnap_process_unlock(int32_t pid) {
    return guarded([&] {
        CUcheckpointUnlockArgs args{};
        check(available(Driver::get().cuCheckpointProcessUnlock)(pid, &args), "cuCheckpointProcessUnlock", pid);
    });
}

struct gpusnap_still {
    gpusnap_still(pid_t process, pid_t running) : threads(process, running) {}
    StillThreads threads;
};

gpusnap_status gpusnap_process_still(int32_t pid, gpusnap_still** still) {
    return guarded([&] {
        require(still != nullptr, "still is NULL");
        require(pid > 0, "pid is not positive");
        const Driver& driver = Driver::get();
        int thread = 0;
        check(available(driver.cuCheckpointProcessGetRestoreThreadId)(pid, &thread), "cuCheckpointProcessGetRestoreThreadId", pid);
        *still = std::make_unique<gpusnap_still>(pid, thread).release();
    });
}

void gpusnap_still_end(gpusnap_still* still) {
    delete still;
}
