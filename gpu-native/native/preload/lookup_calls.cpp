// cuGetProcAddress: how the CUDA runtime finds the driver's functions.
#include "preload/hooks.h"

namespace gpusnap::preload {
namespace {

CUresult substituted(CUresult result, const char* symbol, void** function, int version, uint64_t flags) {
    if (result == CUDA_SUCCESS && symbol != nullptr && function != nullptr && *function != nullptr) {
        *function = substitute(symbol, *function, version, flags);
    }
    return result;
}

}  // namespace

CUresult own::cuGetProcAddress(const char* symbol, void** function, int version, uint64_t flags) {
    return substituted(real::cuGetProcAddress(symbol, function, version, flags), symbol, function, version, flags);
}

CUresult own::cuGetProcAddress_v2(const char* symbol, void** function, int version, uint64_t flags, void* status) {
    return substituted(real::cuGetProcAddress_v2(symbol, function, version, flags, status), symbol, function, version,
                       flags);
}

}  // namespace gpusnap::preload
