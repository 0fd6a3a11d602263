#include "mover/streams.h"

namespace gpusnap {
namespace {

struct Stock {
    std::mutex mutex;
    std::map<uint32_t, std::vector<CUstream>> idle;
};

Stock& stock() {
    static Stock* only = new Stock();  // outlives every thread of the process
    return *only;
}

}  // namespace

BorrowedStream::BorrowedStream(Gpu& gpu) : gpu_(gpu) {
    {
        std::lock_guard lock(stock().mutex);
        auto& idle = stock().idle[gpu.ordinal()];
        if (!idle.empty()) {
            stream_ = idle.back();
            idle.pop_back();
            return;
        }
    }
    const Driver& driver = Driver::get();
    driver.check(driver.cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
}

BorrowedStream::~BorrowedStream() {
    if (clean_) {
        std::lock_guard lock(stock().mutex);
        stock().idle[gpu_.ordinal()].push_back(stream_);
        return;
    }
    // The caller's buffers must not be in use once this returns, also after a failure half-way.
    Driver::get().cuStreamSynchronize(stream_);
    Driver::get().cuStreamDestroy_v2(stream_);
}

void BorrowedStream::finish(const char* what) {
    Driver::get().check(Driver::get().cuStreamSynchronize(stream_), what);
    clean_ = true;
}

}  // namespace gpusnap
