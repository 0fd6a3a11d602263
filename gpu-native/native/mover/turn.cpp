#include "mover/turn.h"

#include <map>
#include <utility>

namespace gpusnap {
namespace {

constexpr unsigned disable_timing = 2;  // CU_EVENT_DISABLE_TIMING

}  // namespace

// The event stands for the end of the latest turn: a stream that waits for it waits for what was recorded until then.
struct CopyTurn::Order {
    std::mutex mutex;
    CUevent ended = nullptr;
};

CopyTurn::Order& CopyTurn::order_of(Gpu& gpu, gpusnap_direction direction) {
    static std::mutex mutex;
    static auto* all = new std::map<std::pair<uint32_t, gpusnap_direction>, Order>();  // outlives every thread
    std::lock_guard lock(mutex);
    return (*all)[{gpu.ordinal(), direction}];
}

CopyTurn::CopyTurn(Gpu& gpu, gpusnap_direction direction, CUstream stream)
    : order_(order_of(gpu, direction)), lock_(order_.mutex), stream_(stream) {
    const Driver& driver = Driver::get();
    if (order_.ended == nullptr) {
        driver.check(driver.cuEventCreate(&order_.ended, disable_timing), "cuEventCreate");
    } else {
        driver.check(driver.cuStreamWaitEvent(stream_, order_.ended, 0), "cuStreamWaitEvent");
    }
}

void CopyTurn::done() {
    const Driver& driver = Driver::get();
    driver.check(driver.cuEventRecord(order_.ended, stream_), "cuEventRecord");
    lock_.unlock();
}

}  // namespace gpusnap
