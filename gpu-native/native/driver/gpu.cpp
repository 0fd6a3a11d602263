#include "driver/gpu.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace gpusnap {
namespace {

// Filled once; Gpu objects stay where they are for the life of the process.
std::vector<std::unique_ptr<Gpu>>& gpus() {
    static auto* all = [] {
        int count = 0;
        const Driver& driver = Driver::get();
        driver.check(driver.cuDeviceGetCount(&count), "cuDeviceGetCount");
        auto* list = new std::vector<std::unique_ptr<Gpu>>();
        for (int ordinal = 0; ordinal < count; ordinal++) {
            list->push_back(std::make_unique<Gpu>(static_cast<uint32_t>(ordinal)));
        }
        return list;
    }();
    return *all;
}

}  // namespace

Gpu::Gpu(uint32_t ordinal) : ordinal_(ordinal) {
    const Driver& driver = Driver::get();
    driver.check(driver.cuDeviceGet(&device_, static_cast<int>(ordinal)), "cuDeviceGet");
    CUuuid uuid{};
    driver.check(driver.cuDeviceGetUuid_v2(&uuid, device_), "cuDeviceGetUuid_v2");
    static_assert(sizeof uuid == 16);
    std::memcpy(uuid_.data(), &uuid, sizeof uuid);
}

CUcontext Gpu::context() {
    std::lock_guard lock(mutex_);
    if (context_ == nullptr) {
        const Driver& driver = Driver::get();
        driver.check(driver.cuDevicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
    }
    return context_;
}

CUmemAllocationProp Gpu::allocation_properties() const {
    CUmemAllocationProp properties{};
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    properties.location.id = device_;
    return properties;
}

uint32_t gpu_count() {
    return static_cast<uint32_t>(gpus().size());
}

Gpu& gpu(uint32_t ordinal) {
    auto& all = gpus();
    if (ordinal >= all.size()) {
        throw Failure(GPUSNAP_E_INVALID,
                      "GPU " + std::to_string(ordinal) + " does not exist, there are " + std::to_string(all.size()));
    }
    return *all[ordinal];
}

Gpu& gpu_by_uuid(const UuidBytes& uuid) {
    for (auto& candidate : gpus()) {
        if (candidate->uuid() == uuid) {
            return *candidate;
        }
    }
    throw Failure(GPUSNAP_E_UNSUPPORTED, "the workload uses " + format_uuid(uuid) + ", which this process cannot see");
}

std::string format_uuid(const UuidBytes& uuid) {
    char text[48];
    const unsigned char* b = uuid.data();
    std::snprintf(text, sizeof text, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                  b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return text;
}

UuidBytes parse_uuid(const char* text) {
    UuidBytes uuid{};
    unsigned char* b = uuid.data();
    int end = 0;
    int fields = std::sscanf(text,
                             "GPU-%2hhx%2hhx%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-"
                             "%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%n",
                             &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &b[6], &b[7], &b[8], &b[9], &b[10], &b[11],
                             &b[12], &b[13], &b[14], &b[15], &end);
    if (fields != 16 || text[end] != '\0' || format_uuid(uuid).size() != static_cast<size_t>(end)) {
        throw Failure(GPUSNAP_E_INVALID, "not a GPU UUID: " + std::string(text).substr(0, 64));
    }
    return uuid;
}

ContextScope::ContextScope(Gpu& gpu) {
    const Driver& driver = Driver::get();
    driver.check(driver.cuCtxPushCurrent_v2(gpu.context()), "cuCtxPushCurrent_v2");
}

ContextScope::~ContextScope() {
    CUcontext popped = nullptr;
    Driver::get().cuCtxPopCurrent_v2(&popped);
}

}  // namespace gpusnap
