#include "mover/digest/kernels.h"

#include <map>
#include <mutex>

// In image.S: the text of tree_digest.ptx with a NUL behind it.
extern "C" const char gpusnap_tree_digest_ptx[];

namespace gpusnap {
namespace {

bool says_unsuitable(CUresult result) {
    switch (result) {
        case CUDA_ERROR_INVALID_IMAGE:
        case CUDA_ERROR_NO_BINARY_FOR_GPU:
        case CUDA_ERROR_INVALID_PTX:
        case CUDA_ERROR_JIT_COMPILER_NOT_FOUND:
        case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
        case CUDA_ERROR_JIT_COMPILATION_DISABLED:
        case CUDA_ERROR_INVALID_SOURCE:
        case CUDA_ERROR_NOT_FOUND:
            return true;
        default:
            return false;
    }
}

void check(CUresult result, const char* call) {
    const Driver& driver = Driver::get();
    if (says_unsuitable(result)) {
        throw Failure(GPUSNAP_E_UNSUPPORTED,
                      std::string("the driver does not take the digest kernels: ") + call + ": " + driver.describe(result));
    }
    driver.check(result, call);
}

DigestKernels load() {
    const Driver& driver = Driver::get();
    CUmodule module = nullptr;
    check(driver.cuModuleLoadData(&module, gpusnap_tree_digest_ptx), "cuModuleLoadData");
    try {
        DigestKernels kernels;
        check(driver.cuModuleGetFunction(&kernels.leaf_digests, module, "gpusnap_leaf_digests"), "cuModuleGetFunction");
        check(driver.cuModuleGetFunction(&kernels.span_digests, module, "gpusnap_span_digests"), "cuModuleGetFunction");
        return kernels;
    } catch (...) {
        driver.cuModuleUnload(module);
        throw;
    }
}

}  // namespace

const DigestKernels& digest_kernels(Gpu& gpu) {
    static std::mutex mutex;
    static auto* loaded = new std::map<uint32_t, DigestKernels>();  // as long as the contexts, which are never given up
    std::lock_guard lock(mutex);
    auto found = loaded->find(gpu.ordinal());
    if (found == loaded->end()) {
        found = loaded->emplace(gpu.ordinal(), load()).first;
    }
    return found->second;
}

}  // namespace gpusnap
