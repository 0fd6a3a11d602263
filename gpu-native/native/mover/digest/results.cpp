#include "mover/digest/results.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <vector>

namespace gpusnap {
namespace {

constexpr size_t fewest_spans = 2048;
// As many as the daemon has calls under way on a GPU: made at a call's first use, each would cost it a millisecond.
constexpr size_t prepared_buffers = 4;

struct Stock {
    std::mutex mutex;
    size_t buffers = 0;
    std::vector<DigestResults::Buffer> idle;
};

Stock& stock() {
    static Stock* only = new Stock();  // outlives every thread of the process
    return *only;
}

// The stock is locked.
DigestResults::Buffer make(size_t capacity) {
    stock().idle.reserve(stock().buffers + 1);  // so that giving back cannot fail
    const Driver& driver = Driver::get();
    void* address = nullptr;
    CUresult made = driver.cuMemHostAlloc(&address, capacity * sizeof(DigestResult), CU_MEMHOSTALLOC_PORTABLE);
    if (made == CUDA_ERROR_OUT_OF_MEMORY) {
        throw Failure(GPUSNAP_E_NO_HOST_MEMORY, "cuMemHostAlloc of the digests' results: " + driver.describe(made));
    }
    driver.check(made, "cuMemHostAlloc of the digests' results");
    stock().buffers++;
    return {static_cast<DigestResult*>(address), capacity};
}

}  // namespace

DigestResults::DigestResults(size_t spans) {
    std::lock_guard lock(stock().mutex);
    auto& idle = stock().idle;
    auto fits = std::find_if(idle.begin(), idle.end(), [&](const Buffer& buffer) { return buffer.capacity >= spans; });
    if (fits == idle.end()) {
        buffer_ = make(std::bit_ceil(std::max(spans, fewest_spans)));
        return;
    }
    buffer_ = *fits;
    idle.erase(fits);
}

void DigestResults::prepare() {
    std::lock_guard lock(stock().mutex);
    while (stock().buffers < prepared_buffers) {
        Buffer made = make(fewest_spans);
        stock().idle.push_back(made);
    }
}

DigestResults::~DigestResults() {
    std::lock_guard lock(stock().mutex);
    stock().idle.push_back(buffer_);
}

}  // namespace gpusnap
