// Which wrapper cuGetProcAddress hands out.
#include "contract/harness.h"
#include "preload/hooks.h"
#include "unit/fake_driver.h"

using namespace gpusnap::preload;

namespace {

// Addresses stand for the driver's functions; nothing calls them.
char functions[static_cast<size_t>(Hook::end)];
char stranger;

void* driver_function(Hook hook) {
    return &functions[static_cast<size_t>(hook)];
}

// A cuGetProcAddress that answers with the addresses of the exports, or with others.
bool exports_are_handed_out = true;

CUresult get_proc_address(const char*, void** function, int, uint64_t, void*) {
    *function = exports_are_handed_out ? driver_function(Hook::cuMemAlloc_v2) : &stranger;
    return CUDA_SUCCESS;
}

void install_driver() {
    for (size_t i = 0; i < static_cast<size_t>(Hook::end); i++) {
        real_functions[i] = &functions[i];
    }
    real_functions[static_cast<size_t>(Hook::cuGetProcAddress_v2)] = reinterpret_cast<void*>(get_proc_address);
}

void* wrapper(Hook hook) {
    return entry(hook).wrapper;
}

constexpr uint64_t per_thread = CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;

}  // namespace

TEST("every interposed function is found by its name and is its own wrapper") {
    for (size_t i = 0; i < static_cast<size_t>(Hook::count); i++) {
        Hook hook = static_cast<Hook>(i);
        CHECK(find_hook(entry(hook).name) == &entry(hook));
        CHECK(is_wrapper(entry(hook).wrapper));
    }
    CHECK(find_hook("cuDriverGetVersion") == nullptr);
    CHECK(find_hook("") == nullptr);
    CHECK(!is_wrapper(&stranger));
}

TEST("the driver's own address decides, whatever version was asked for") {
    install_driver();
    CHECK(substitute("cuMemAlloc", driver_function(Hook::cuMemAlloc_v2), 13000, 0) == wrapper(Hook::cuMemAlloc_v2));
    CHECK(substitute("cuMemcpyBatchAsync", driver_function(Hook::cuMemcpyBatchAsync), 13000, 0) ==
          wrapper(Hook::cuMemcpyBatchAsync));
    CHECK(substitute("cuLaunchKernel", driver_function(Hook::cuLaunchKernel_ptsz), 12000, per_thread) ==
          wrapper(Hook::cuLaunchKernel_ptsz));
    CHECK(substitute("cuGraphInstantiate", driver_function(Hook::cuGraphInstantiateWithFlags), 12000, 0) ==
          wrapper(Hook::cuGraphInstantiateWithFlags));
}

TEST("what is not interposed, or already a wrapper, is handed through") {
    install_driver();
    CHECK(substitute("cuDriverGetVersion", &stranger, 13000, 0) == &stranger);
    CHECK(substitute("cuMemAlloc", wrapper(Hook::cuMemAlloc_v2), 13000, 0) == wrapper(Hook::cuMemAlloc_v2));
    CHECK(substitute("cuMemAlloc", &stranger, 2000, 0) == &stranger);  // the 32-bit one of CUDA 2
}

TEST("a driver that hands out other addresses is answered by version and stream") {
    install_driver();
    exports_are_handed_out = false;
    CHECK(substitute("cuMemcpyAsync", &stranger, 12000, 0) == wrapper(Hook::cuMemcpyAsync));
    CHECK(substitute("cuMemcpyAsync", &stranger, 12000, per_thread) == wrapper(Hook::cuMemcpyAsync_ptsz));
    CHECK(substitute("cuMemcpyAsync", &stranger, 6050, per_thread) == wrapper(Hook::cuMemcpyAsync));
    CHECK(substitute("cuMemcpyHtoDAsync", &stranger, 12000, per_thread) == wrapper(Hook::cuMemcpyHtoDAsync_v2_ptsz));
    CHECK(substitute("cuStreamWaitValue32", &stranger, 11070, per_thread) == wrapper(Hook::cuStreamWaitValue32_v2_ptsz));
    CHECK(substitute("cuStreamWaitValue32", &stranger, 11060, per_thread) == wrapper(Hook::cuStreamWaitValue32_ptsz));
    CHECK(substitute("cuMemcpyBatchAsync", &stranger, 12090, 0) == wrapper(Hook::cuMemcpyBatchAsync));
    CHECK(substitute("cuMemcpyBatchAsync", &stranger, 13000, 0) == wrapper(Hook::cuMemcpyBatchAsync_v2));
    CHECK(substitute("cuMemcpyHtoD", &stranger, 13000, per_thread) == wrapper(Hook::cuMemcpyHtoD_v2_ptds));
    CHECK(substitute("cuGraphInstantiate", &stranger, 11040, 0) == wrapper(Hook::cuGraphInstantiate_v2));
    CHECK(substitute("cuGraphInstantiate", &stranger, 12000, 0) == wrapper(Hook::cuGraphInstantiateWithFlags));
    CHECK(substitute("cuGetProcAddress", &stranger, 11030, 0) == wrapper(Hook::cuGetProcAddress));
    CHECK(substitute("cuGetProcAddress", &stranger, 12000, 0) == wrapper(Hook::cuGetProcAddress_v2));
}
