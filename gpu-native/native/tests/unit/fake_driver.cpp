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
    if (result == CUDA_SUCCESS && fake().memory_left < size) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    if (result == CUDA_SUCCESS) {
        *handle = ++fake().last_handle;
        fake().memory[*handle] = size;
        fake().memory_left -= size;
    }
    return result;
}

CUresult release(CUmemGenericAllocationHandle handle) {
    CUresult result = fake().called("release", text(handle));
    if (result == CUDA_SUCCESS) {
        fake().memory_left += fake().memory[handle];
        fake().memory.erase(handle);
    }
    return result;
}

CUresult reserve(CUdeviceptr* address, size_t size, size_t, CUdeviceptr, uint64_t) {
    *address = fake().next_address;
    fake().next_address += size;
    return fake().called("reserve", text(size));
}

CUresult free_addresses(CUdeviceptr address, size_t size) {
    return fake().called("unreserve", text(address) + " " + text(size));
}

CUresult granularity(size_t* size, const CUmemAllocationProp*, int) {
    *size = 2 << 20;
    return CUDA_SUCCESS;
}

template <typename Handle>
uint64_t number_of(Handle handle) {
    return reinterpret_cast<uintptr_t>(handle);
}

CUresult current_context(CUcontext* context) {
    *context = reinterpret_cast<CUcontext>(uintptr_t{0x900});
    return CUDA_SUCCESS;
}

CUresult stream_query(CUstream stream) {
    fake().called("query", text(number_of(stream)));
    const FakeStream& known = fake().streams[number_of(stream)];
    return known.done == known.issued ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

CUresult event_create(CUevent* event, unsigned int) {
    static uintptr_t last = 0x5000;
    *event = reinterpret_cast<CUevent>(++last);
    return fake().called("event", text(last));
}

CUresult event_destroy(CUevent event) {
    fake().events.erase(number_of(event));
    return fake().called("event-destroy", text(number_of(event)));
}

CUresult event_record(CUevent event, CUstream stream) {
    fake().events[number_of(event)] = {number_of(stream), fake().streams[number_of(stream)].issued};
    return fake().called("record", text(number_of(stream)));
}

CUresult event_query(CUevent event) {
    auto [stream, place] = fake().events.at(number_of(event));
    fake().called("event-query", text(stream));
    return fake().streams[stream].done >= place ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

CUresult wait_event(CUstream stream, CUevent event, unsigned int) {
    auto [other, place] = fake().events.at(number_of(event));
    uint64_t& until = fake().waited_for[{number_of(stream), other}];
    until = std::max(until, place);
    return fake().called("wait", text(number_of(stream)) + " " + text(other));
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
    install(Hook::cuMemAddressReserve, reserve);
    install(Hook::cuMemAddressFree, free_addresses);
    install(Hook::cuMemGetAllocationGranularity, granularity);
    install(Hook::cuCtxGetCurrent, current_context);
    install(Hook::cuStreamQuery, stream_query);
    install(Hook::cuEventCreate, event_create);
    install(Hook::cuEventDestroy_v2, event_destroy);
    install(Hook::cuEventRecord, event_record);
    install(Hook::cuEventQuery, event_query);
    install(Hook::cuStreamWaitEvent, wait_event);
}

}  // namespace unit
