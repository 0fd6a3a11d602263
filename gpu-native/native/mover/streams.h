// A small stock of streams for each GPU: each call borrows one and waits for its own work only. Copies have a lane (lane.h).
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "driver/gpu.h"

namespace gpusnap {

class BorrowedStream {
public:
    // The GPU's context must be current on this thread, for the whole life of the object.
    explicit BorrowedStream(Gpu& gpu);
    // A stream that saw an error is destroyed instead of returned.
    ~BorrowedStream();
    BorrowedStream(const BorrowedStream&) = delete;
    BorrowedStream& operator=(const BorrowedStream&) = delete;
    CUstream get() const noexcept { return stream_; }
    // Waits for everything on the stream; throws a Failure that names what was done.
    void finish(const char* what);

private:
    Gpu& gpu_;
    CUstream stream_ = nullptr;
    bool clean_ = false;
};

}  // namespace gpusnap
