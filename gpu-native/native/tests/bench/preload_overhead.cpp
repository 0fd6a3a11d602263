// What the preload costs on the calls that a server makes most. Run it with and without LD_PRELOAD and compare.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include "cuda_abi.h"
#include "preload/gate.h"

namespace {

// The smallest kernel, as PTX that every driver can compile; the simulated driver takes no PTX.
const char* const empty_kernel =
    ".version 6.0\n.target sm_50\n.address_size 64\n.visible .entry nothing()\n{\n  ret;\n}\n";

template <typename Function>
Function find(void* library, const char* name) {
    return reinterpret_cast<Function>(dlsym(library, name));
}

void check(CUresult result, const char* call) {
    if (result != CUDA_SUCCESS) {
        std::fprintf(stderr, "%s: CUDA error %d\n", call, result);
        std::exit(1);
    }
}

// Median of several rounds, in nanoseconds a call.
double median_nanoseconds(int calls, const std::function<void()>& call, const std::function<void()>& after_round) {
    std::vector<double> rounds;
    for (int round = 0; round < 9; round++) {
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; i++) {
            call();
        }
        auto end = std::chrono::steady_clock::now();
        after_round();
        rounds.push_back(std::chrono::duration<double, std::nano>(end - start).count() / calls);
    }
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

}  // namespace

int main() {
    void* library = dlopen("libcuda.so.1", RTLD_NOW);
    if (library == nullptr) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    auto init = find<CUresult (*)(unsigned int)>(library, "cuInit");
    auto retain = find<CUresult (*)(CUcontext*, CUdevice)>(library, "cuDevicePrimaryCtxRetain");
    auto set_current = find<CUresult (*)(CUcontext)>(library, "cuCtxSetCurrent");
    auto synchronize = find<CUresult (*)()>(library, "cuCtxSynchronize");
    auto allocate = find<CUresult (*)(CUdeviceptr*, size_t)>(library, "cuMemAlloc_v2");
    auto release = find<CUresult (*)(CUdeviceptr)>(library, "cuMemFree_v2");
    auto allocate_async = find<CUresult (*)(CUdeviceptr*, size_t, CUstream)>(library, "cuMemAllocAsync");
    auto release_async = find<CUresult (*)(CUdeviceptr, CUstream)>(library, "cuMemFreeAsync");
    auto record = find<CUresult (*)(CUevent, CUstream)>(library, "cuEventRecord");
    auto event_create = find<CUresult (*)(CUevent*, unsigned int)>(library, "cuEventCreate");
    auto load = find<CUresult (*)(CUmodule*, const void*)>(library, "cuModuleLoadData");
    auto function_of = find<CUresult (*)(CUfunction*, CUmodule, const char*)>(library, "cuModuleGetFunction");
    auto launch = find<CUresult (*)(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream,
                                    void**, void**)>(library, "cuLaunchKernel");
    auto default_pool = find<CUresult (*)(CUmemoryPool*, CUdevice)>(library, "cuDeviceGetDefaultMemPool");
    auto set_attribute = find<CUresult (*)(CUmemoryPool, CUmemPool_attribute, void*)>(library, "cuMemPoolSetAttribute");
    CUcontext context = nullptr;
    check(init(0), "cuInit");
    check(retain(&context, 0), "cuDevicePrimaryCtxRetain");
    check(set_current(context), "cuCtxSetCurrent");

    auto finish = [&] { check(synchronize(), "cuCtxSynchronize"); };
    auto line = [](const char* what, double nanoseconds) { std::printf("%-40s %10.1f ns\n", what, nanoseconds); };
    line("the gate alone: one pass", median_nanoseconds(1'000'000, [] { gpusnap::preload::Pass pass; }, [] {}));
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    if (load(&module, empty_kernel) == CUDA_SUCCESS && function_of(&kernel, module, "nothing") == CUDA_SUCCESS) {
        line("cuLaunchKernel, empty", median_nanoseconds(
                                          500, [&] { check(launch(kernel, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), "cuLaunchKernel"); },
                                          finish));
    } else {
        std::printf("cuLaunchKernel is not measured: this driver takes no PTX\n");
    }
    CUevent event = nullptr;
    check(event_create(&event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    line("cuEventRecord", median_nanoseconds(500, [&] { check(record(event, nullptr), "cuEventRecord"); }, finish));
    for (size_t bytes : {size_t{64} << 10, size_t{2} << 20, size_t{64} << 20}) {
        char name[64];
        std::snprintf(name, sizeof name, "cuMemAlloc + cuMemFree, %zu KiB", bytes >> 10);
        line(name, median_nanoseconds(
                       50,
                       [&] {
                           CUdeviceptr address = 0;
                           check(allocate(&address, bytes), "cuMemAlloc");
                           check(release(address), "cuMemFree");
                       },
                       finish));
    }
    CUmemoryPool pool = nullptr;
    check(default_pool(&pool, 0), "cuDeviceGetDefaultMemPool");
    uint64_t threshold = ~0ull;
    check(set_attribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold), "cuMemPoolSetAttribute");
    for (size_t bytes : {size_t{64} << 10, size_t{64} << 20}) {
        char name[64];
        std::snprintf(name, sizeof name, "cuMemAllocAsync + cuMemFreeAsync, %zu KiB", bytes >> 10);
        line(name, median_nanoseconds(
                       200,
                       [&] {
                           CUdeviceptr address = 0;
                           check(allocate_async(&address, bytes, nullptr), "cuMemAllocAsync");
                           check(release_async(address, nullptr), "cuMemFreeAsync");
                       },
                       finish));
    }
    // As a server does it: many are alive, one of them goes, and the next is of another length.
    struct Lengths {
        size_t least;
        size_t most;
        const char* name;
    };
    for (const Lengths& lengths : {Lengths{4 << 10, 1 << 20, "4 KiB to 1 MiB"}, Lengths{2 << 20, 32 << 20, "2 to 32 MiB"}}) {
        char name[64];
        std::snprintf(name, sizeof name, "cuMemFreeAsync + cuMemAllocAsync, %s", lengths.name);
        std::mt19937_64 random(7);
        auto any_length = [&] { return lengths.least + random() % (lengths.most - lengths.least); };
        std::vector<CUdeviceptr> alive(64);
        for (CUdeviceptr& address : alive) {
            check(allocate_async(&address, any_length(), nullptr), "cuMemAllocAsync");
        }
        line(name, median_nanoseconds(
                       200,
                       [&] {
                           CUdeviceptr& address = alive[random() % alive.size()];
                           check(release_async(address, nullptr), "cuMemFreeAsync");
                           check(allocate_async(&address, any_length(), nullptr), "cuMemAllocAsync");
                       },
                       finish));
        for (CUdeviceptr address : alive) {
            check(release_async(address, nullptr), "cuMemFreeAsync");
        }
    }
    return 0;
}
