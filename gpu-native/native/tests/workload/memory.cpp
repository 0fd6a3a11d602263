#include "workload/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "workload/commands.h"
#include "workload/driver.h"

namespace workload {

uint64_t number(const Arguments& arguments, size_t index) {
    if (index >= arguments.size()) {
        throw std::runtime_error("an argument is missing");
    }
    return std::stoull(arguments[index], nullptr, 0);
}

namespace {

constexpr size_t step_bytes = 8 << 20;

// A pattern in which no two 8-byte words of a run are alike.
void pattern(std::vector<uint64_t>& words, uint64_t seed, uint64_t first) {
    for (size_t i = 0; i < words.size(); i++) {
        uint64_t x = seed * 0x9e3779b97f4a7c15ull + first + i;
        x ^= x >> 30;
        x *= 0xbf58476d1ce4e5b9ull;
        x ^= x >> 27;
        words[i] = x;
    }
}

std::string describe(size_t index) {
    const Buffer& buffer = buffers()[index];
    return std::to_string(index) + " " + std::to_string(buffer.address) + " " + std::to_string(buffer.size);
}

Buffer& buffer_at(const Arguments& arguments, size_t index) {
    return buffers().at(number(arguments, index));
}

std::string allocate(const Arguments& arguments) {
    const std::string& way = arguments.at(0);
    Buffer buffer;
    buffer.size = number(arguments, 1);
    const Functions& functions = driver();
    if (way == "async") {
        buffer.stream_ordered = true;
        DRIVER_CALL(functions, cuMemAllocAsync, &buffer.address, buffer.size, nullptr);
    } else if (way == "pool") {
        buffer.stream_ordered = true;
        CUmemPoolProps properties{};
        properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
        properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
        CUmemoryPool pool = nullptr;
        DRIVER_CALL(functions, cuMemPoolCreate, &pool, &properties);
        DRIVER_CALL(functions, cuMemAllocFromPoolAsync, &buffer.address, buffer.size, pool, nullptr);
    } else if (way == "managed") {
        DRIVER_CALL(functions, cuMemAllocManaged, &buffer.address, buffer.size, CU_MEM_ATTACH_GLOBAL);
    } else {
        DRIVER_CALL(by(way), cuMemAlloc_v2, &buffer.address, buffer.size);
    }
    return describe(keep(buffer));
}

std::string allocate_pitched(const Arguments& arguments) {
    size_t width = number(arguments, 0);
    size_t height = number(arguments, 1);
    size_t pitch = 0;
    Buffer buffer;
    DRIVER_CALL(driver(), cuMemAllocPitch_v2, &buffer.address, &pitch, width, height, 4);
    buffer.size = pitch * height;
    return describe(keep(buffer)) + " " + std::to_string(pitch);
}

std::string release(const Arguments& arguments) {
    Buffer& buffer = buffer_at(arguments, 0);
    if (buffer.stream_ordered) {
        DRIVER_CALL(driver(), cuMemFreeAsync, buffer.address, buffer.stream);
    } else {
        DRIVER_CALL(driver(), cuMemFree_v2, buffer.address);
    }
    return "";
}

std::string pointer(const Arguments& arguments) {
    CUdeviceptr address = buffer_at(arguments, 0).address + number(arguments, 1);
    const Functions& functions = driver();
    CUdeviceptr base = 0;
    size_t size = 0;
    DRIVER_CALL(functions, cuMemGetAddressRange_v2, &base, &size, address);
    CUdeviceptr start = 0;
    DRIVER_CALL(functions, cuPointerGetAttribute, &start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, address);
    size_t range = 0;
    DRIVER_CALL(functions, cuPointerGetAttribute, &range, CU_POINTER_ATTRIBUTE_RANGE_SIZE, address);
    CUcontext context = nullptr;
    DRIVER_CALL(functions, cuPointerGetAttribute, &context, CU_POINTER_ATTRIBUTE_CONTEXT, address);
    unsigned int type = 0;
    DRIVER_CALL(functions, cuPointerGetAttribute, &type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
    unsigned long long id = 0;
    DRIVER_CALL(functions, cuPointerGetAttribute, &id, CU_POINTER_ATTRIBUTE_BUFFER_ID, address);
    return std::to_string(base) + " " + std::to_string(size) + " " + std::to_string(start) + " " + std::to_string(range) +
           " " + (context != nullptr ? "context" : "none") + " " + std::to_string(type) + " " + std::to_string(id);
}

}  // namespace

std::vector<Buffer>& buffers() {
    static std::vector<Buffer> all;
    return all;
}

size_t keep(const Buffer& buffer) {
    buffers().push_back(buffer);
    return buffers().size() - 1;
}

void fill(CUdeviceptr address, size_t size, uint64_t seed) {
    std::vector<uint64_t> words(std::min(step_bytes, size + 7) / 8);
    for (size_t offset = 0; offset < size; offset += words.size() * 8) {
        pattern(words, seed, offset / 8);
        DRIVER_CALL(driver(), cuMemcpyHtoD_v2, address + offset, words.data(), std::min(words.size() * 8, size - offset));
    }
}

uint64_t differing_bytes(CUdeviceptr address, size_t size, uint64_t seed) {
    std::vector<uint64_t> expected(std::min(step_bytes, size + 7) / 8);
    std::vector<uint64_t> found(expected.size());
    uint64_t different = 0;
    for (size_t offset = 0; offset < size; offset += expected.size() * 8) {
        size_t part = std::min(expected.size() * 8, size - offset);
        pattern(expected, seed, offset / 8);
        DRIVER_CALL(driver(), cuMemcpyDtoH_v2, found.data(), address + offset, part);
        if (std::memcmp(expected.data(), found.data(), part) != 0) {
            auto* a = reinterpret_cast<const unsigned char*>(expected.data());
            auto* b = reinterpret_cast<const unsigned char*>(found.data());
            for (size_t i = 0; i < part; i++) {
                different += a[i] != b[i];
            }
        }
    }
    return different;
}

void add_memory_commands(Commands& commands) {
    commands["alloc"] = allocate;                  // WAY BYTES -> INDEX ADDRESS BYTES
    commands["alloc-pitched"] = allocate_pitched;  // WIDTH HEIGHT -> INDEX ADDRESS BYTES PITCH
    commands["free"] = release;                    // INDEX
    commands["free-now"] = [](const Arguments& a) {  // INDEX: by cuMemFree, also what is stream-ordered
        DRIVER_CALL(driver(), cuMemFree_v2, buffer_at(a, 0).address);
        return "";
    };
    commands["pointer"] = pointer;                 // INDEX OFFSET -> BASE SIZE START RANGE CONTEXT TYPE ID
    commands["fill"] = [](const Arguments& a) {    // INDEX SEED
        Buffer& buffer = buffer_at(a, 0);
        fill(buffer.address, buffer.size, number(a, 1));
        return "";
    };
    commands["differs"] = [](const Arguments& a) {  // INDEX SEED -> BYTES
        Buffer& buffer = buffer_at(a, 0);
        return std::to_string(differing_bytes(buffer.address, buffer.size, number(a, 1)));
    };
    commands["memset"] = [](const Arguments& a) {  // INDEX VALUE
        Buffer& buffer = buffer_at(a, 0);
        DRIVER_CALL(driver(), cuMemsetD8_v2, buffer.address, static_cast<unsigned char>(number(a, 1)), buffer.size);
        return "";
    };
    commands["free-bytes"] = [](const Arguments&) {
        size_t free = 0;
        size_t total = 0;
        DRIVER_CALL(driver(), cuMemGetInfo_v2, &free, &total);
        return std::to_string(free);
    };
    commands["ipc"] = [](const Arguments& a) {  // INDEX
        CUipcMemHandle handle{};
        DRIVER_CALL(driver(), cuIpcGetMemHandle, &handle, buffer_at(a, 0).address);
        return "";
    };
}

}  // namespace workload
