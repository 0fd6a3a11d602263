// The floor that benchmarks report against: a plain pinned copy, nothing else on the way.
#include <algorithm>
#include <chrono>

#include "mover/pool.h"
#include "mover/scratch_buffer.h"
#include "mover/streams.h"

using namespace gpusnap;

namespace {

double seconds_of_one_copy(Gpu& gpu, gpusnap_direction direction, char* host, CUdeviceptr device, uint64_t bytes) {
    const Driver& driver = Driver::get();
    BorrowedStream stream(gpu);
    auto start = std::chrono::steady_clock::now();
    for (uint64_t offset = 0; offset < bytes; offset += gpusnap_pool::region_bytes) {
        uint64_t part = std::min(gpusnap_pool::region_bytes, bytes - offset);
        if (direction == GPUSNAP_DEVICE_TO_HOST) {
            driver.check(driver.cuMemcpyDtoHAsync_v2(host + offset, device + offset, part, stream.get()),
                         "cuMemcpyDtoHAsync_v2");
        } else {
            driver.check(driver.cuMemcpyHtoDAsync_v2(device + offset, host + offset, part, stream.get()),
                         "cuMemcpyHtoDAsync_v2");
        }
    }
    stream.finish("measured copy");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

gpusnap_status gpusnap_measure_copy(uint32_t gpu_ordinal, gpusnap_pool* pool, gpusnap_direction direction,
                                    uint64_t size_bytes, uint32_t rounds, double* bytes_per_second) {
    return guarded([&] {
        require(pool != nullptr && bytes_per_second != nullptr, "pool or bytes_per_second is NULL");
        require(direction == GPUSNAP_DEVICE_TO_HOST || direction == GPUSNAP_HOST_TO_DEVICE, "unknown direction");
        require(size_bytes > 0 && size_bytes <= pool->size_bytes(), "size_bytes is 0 or larger than the pool");
        require(rounds > 0, "rounds is 0");
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        ScratchBuffer scratch(size_bytes);
        double best = 0;
        for (uint32_t round = 0; round < rounds; round++) {
            double seconds = seconds_of_one_copy(which, direction, static_cast<char*>(pool->base()),
                                                 scratch.address(), size_bytes);
            best = std::max(best, static_cast<double>(size_bytes) / seconds);
        }
        *bytes_per_second = best;
    });
}
