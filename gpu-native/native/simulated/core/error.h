// How a failure travels inside the simulated driver: as an exception, up to the exported function that turns it into a CUresult.
#pragma once

#include <cuda_abi.h>

namespace gpusnap::simulated {

struct Error {
  CUresult code;
};

[[noreturn]] inline void fail(CUresult code) { throw Error{code}; }

inline void require(bool condition, CUresult code = CUDA_ERROR_INVALID_VALUE) {
  if (!condition) fail(code);
}

// Null where the driver knows no such code.
const char* error_name(int code);
const char* error_text(int code);

// One line to stderr, for what a CUresult cannot say.
[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);

}  // namespace gpusnap::simulated
