#include "mover/digest/results.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <vector>

namespace gpusnap {
namespace {

constexpr size_t fewest_spans = 2048;

struct Stock {
    std::mutex mutex;
    size_t buffers = 0;
    std::vector<DigestResults::Buffer> idle;
};

Stock& stock() {
    static Stock* only = new Stock();  // outlives every thread of the process
    return *only;
}

}  // namespace

DigestResults::DigestResults(size_t spans) {
    std::lock_guard lock(stock().mutex);
    auto& idle = stock().idle;
    auto fits = std::find_if(idle.begin(), idle.end(), [&](const Buffer& buffer) { return buffer.capacity >= spans; });
    if (fits != idle.end()) {
        buffer_ = *fits;
        idle.erase(fits);
        return;
    }
    idle.reserve(stock().buffers + 1);  // so that giving back cannot fail
    const Driver& driver = Driver::get();
    size_t capacity = std::bit_ceil(std::max(spans, fewest_spans));
    void* address = nullptr;
    CUresult made = driver.cuMemHostAlloc(&address, capacity * sizeof(DigestResult), CU_MEMHOSTALLOC_PORTABLE);
    if (made == CUDA_ERROR_OUT_OF_MEMORY) {
        throw Failure(GPUSNAP_E_NO_HOST_MEMORY, "cuMemHostAlloc of the digests' results: " + driver.describe(made));
    }
    driver.check(made, "cuMemHostAlloc of the digests' results");
    buffer_ = {static_cast<DigestResult*>(address), capacity};
    stock().buffers++;
}

DigestResults::~DigestResults() {
    std::lock_guard lock(stock().mutex);
    stock().idle.push_back(buffer_);
}

}  // namespace gpusnap
