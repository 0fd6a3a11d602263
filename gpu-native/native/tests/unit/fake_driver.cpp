#include "unit/fake_driver.h"

#include <algorithm>
#include <cstdint>

#include "preload/hooks.h"
#include "preload/lookup.h"

namespace gpusnap::preload {

// There is no driver to look into: every function that the tests reach is installed.
void* real_dlsym(void*, const char*) {
    return nullptr;
}

}  // namespace gpusnap::preload

namespace unit {
namespace {

using gpusnap::preload::Hook;

template <typename Function>
void install(Hook hook, Function* function) {
    gpusnap::preload::real_functions[static_cast<size_t>(hook)] = reinterpret_cast<void*>(function);
}

std::string text(uint64_t value) {
    return std::to_string(value);
}

CUresult create(CUmemGenericAllocationHandle* handle, size_t size, const CUmemAllocationProp*, uint64_t) {
    CUresult result = fake().called("create", text(size));
    if (result == CUDA_SUCCESS) {
        *handle = ++fake().last_handle;
    }
    return result;
}

CUresult release(CUmemGenericAllocationHandle handle) {
    return fake().called("release", text(handle));
}

CUresult map(CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle, uint64_t) {
    return fake().called("map", text(address) + " " + text(size) + " +" + text(offset) + " " + text(handle));
}

CUresult unmap(CUdeviceptr address, size_t size) {
    return fake().called("unmap", text(address) + " " + text(size));
}

CUresult set_access(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count) {
    std::string details = text(address) + " " + text(size);
    for (size_t i = 0; i < count; i++) {
        details += " " + text(static_cast<uint64_t>(descriptions[i].location.id)) + ":" +
                   text(static_cast<uint64_t>(descriptions[i].flags));
    }
    return fake().called("access", details);
}

CUresult can_access_peer(int* can, CUdevice, CUdevice) {
    *can = fake().peers ? 1 : 0;
    return CUDA_SUCCESS;
}

}  // namespace

CUresult FakeDriver::called(const std::string& function, const std::string& details) {
    int number = ++seen[function];
    auto failing = fail_at.find(function);
    bool fails = failing != fail_at.end() && failing->second == number;
    calls.push_back(function + " " + details + (fails ? " failed" : ""));
    return fails ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

int FakeDriver::count(const std::string& prefix) const {
    return static_cast<int>(
        std::count_if(calls.begin(), calls.end(), [&](const std::string& call) { return call.rfind(prefix, 0) == 0; }));
}

void FakeDriver::forget() {
    calls.clear();
    seen.clear();
    fail_at.clear();
}

FakeDriver& fake() {
    static FakeDriver only;
    return only;
}

void install_fake_driver() {
    install(Hook::cuMemCreate, create);
    install(Hook::cuMemRelease, release);
    install(Hook::cuMemMap, map);
    install(Hook::cuMemUnmap, unmap);
    install(Hook::cuMemSetAccess, set_access);
    install(Hook::cuDeviceCanAccessPeer, can_access_peer);
}

}  // namespace unit
