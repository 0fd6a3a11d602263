#include "mover/digest/scratch.h"

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <vector>

#include "mover/areas.h"
#include "mover/digest/layout.h"

namespace gpusnap {
namespace {

struct Stock {
    size_t borrowed = 0;
    std::vector<DigestScratch::Buffer> idle;
};

std::mutex mutex;

// By GPU; outlives every thread of the process.
std::map<uint32_t, Stock>& stocks() {
    static auto* all = new std::map<uint32_t, Stock>();
    return *all;
}

void free_all(std::vector<DigestScratch::Buffer>& buffers) noexcept {
    for (const auto& buffer : buffers) {
        Driver::get().cuMemFree_v2(buffer.address);
    }
    buffers.clear();
}

DigestScratch::Buffer borrow(Stock& stock, size_t wanted) {
    auto fits = std::find_if(stock.idle.begin(), stock.idle.end(),
                             [&](const auto& buffer) { return buffer.capacity >= wanted; });
    if (fits != stock.idle.end()) {
        DigestScratch::Buffer found = *fits;
        stock.idle.erase(fits);
        return found;
    }
    const Driver& driver = Driver::get();
    DigestScratch::Buffer made{0, wanted};
    for (;;) {
        CUresult result = driver.cuMemAlloc_v2(&made.address, DigestLayout(made.capacity).bytes());
        if (result == CUDA_ERROR_OUT_OF_MEMORY && !stock.idle.empty()) {
            free_all(stock.idle);
        } else if (result == CUDA_ERROR_OUT_OF_MEMORY && made.capacity > DigestScratch::fewest_spans) {
            made.capacity /= 2;
        } else {
            driver.check(result, "cuMemAlloc_v2 of scratch memory for digests");
            return made;
        }
    }
}

}  // namespace

DigestScratch::DigestScratch(Gpu& gpu, size_t wanted_spans) : gpu_(gpu) {
    std::lock_guard lock(mutex);
    Stock& stock = stocks()[gpu.ordinal()];
    stock.idle.reserve(stock.idle.size() + stock.borrowed + 1);  // so that giving back cannot fail
    buffer_ = borrow(stock, std::bit_ceil(std::clamp(wanted_spans, fewest_spans, most_spans)));
    stock.borrowed++;
}

DigestScratch::~DigestScratch() {
    std::lock_guard lock(mutex);
    Stock& stock = stocks()[gpu_.ordinal()];
    stock.idle.push_back(buffer_);
    if (--stock.borrowed == 0 && imported_areas().empty()) {
        free_all(stock.idle);
    }
}

void DigestScratch::free_idle() noexcept {
    std::lock_guard lock(mutex);
    for (auto& [ordinal, stock] : stocks()) {
        if (stock.idle.empty()) {
            continue;
        }
        try {
            ContextScope scope(gpu(ordinal));
            free_all(stock.idle);
        } catch (const Failure&) {
            // Its context is broken, and with it the memory is gone.
            stock.idle.clear();
        }
    }
}

}  // namespace gpusnap
