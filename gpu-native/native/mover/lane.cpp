#include "mover/lane.h"

#include <map>
#include <utility>

namespace gpusnap {

// The event is the end of the latest turn: a stream that waits for it waits for what was recorded until then.
struct CopyLane::Lane {
    std::mutex mutex;
    CUstream stream = nullptr;
    CUevent ended = nullptr;
};

CopyLane::Lane& CopyLane::lane_of(Gpu& gpu, gpusnap_direction direction) {
    static std::mutex mutex;
    static auto* all = new std::map<std::pair<uint32_t, gpusnap_direction>, Lane>();  // outlives every thread
    std::lock_guard lock(mutex);
    return (*all)[{gpu.ordinal(), direction}];
}

CopyLane::CopyLane(Gpu& gpu, gpusnap_direction direction) : lane_(lane_of(gpu, direction)), turn_(lane_.mutex) {
    const Driver& driver = Driver::get();
    if (lane_.stream == nullptr) {
        driver.check(driver.cuStreamCreate(&lane_.stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    }
    if (lane_.ended == nullptr) {
        driver.check(driver.cuEventCreate(&lane_.ended, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    }
}

CopyLane::~CopyLane() {
    if (!followed_) {
        Driver::get().cuStreamSynchronize(lane_.stream);
    }
}

CUstream CopyLane::stream() const noexcept {
    return lane_.stream;
}

void CopyLane::leave(CUstream follower) {
    const Driver& driver = Driver::get();
    driver.check(driver.cuEventRecord(lane_.ended, lane_.stream), "cuEventRecord");
    driver.check(driver.cuStreamWaitEvent(follower, lane_.ended, 0), "cuStreamWaitEvent");
    followed_ = true;
    turn_.unlock();
}

}  // namespace gpusnap
