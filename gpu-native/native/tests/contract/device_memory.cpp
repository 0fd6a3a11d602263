#include "contract/device_memory.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "contract/harness.h"

namespace contract {

Imported::Imported(uint64_t size, int allocations) : target_(workload_) {
    for (int i = 0; i < allocations; i++) {
        workload_.tell("alloc dlsym " + std::to_string(size));
    }
    OK(gpusnap_target_quiesce(target_.get(), 10'000));
    OK(gpusnap_target_import(target_.get(), nullptr));
    all_ = target_.allocations();
    std::sort(all_.begin(), all_.end(),
              [](const auto& a, const auto& b) { return a.local_address < b.local_address; });
    CHECK_EQUAL(all_.size(), static_cast<size_t>(allocations));
}

Bytes noise(size_t size, uint64_t seed) {
    Bytes bytes(size);
    uint64_t x = seed * 2 + 1;
    for (unsigned char& byte : bytes) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        byte = static_cast<unsigned char>(x >> 56);
    }
    return bytes;
}

void to_device(uint64_t address, Bytes& bytes) {
    gpusnap_copy_item item{address, bytes.data(), bytes.size()};
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, nullptr));
}

Bytes from_device(uint64_t address, size_t size) {
    Bytes bytes(size);
    gpusnap_copy_item item{address, bytes.data(), size};
    OK(gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, &item, 1, nullptr));
    return bytes;
}

Failures::Failures(const std::string& rules, pid_t pid)
    : path_(std::string(getenv("GPUSNAP_SIM_STATE_DIR")) + "/fail-" + std::to_string(pid)) {
    std::filesystem::remove(path_);  // a new file has a new inode, which is how the driver sees the change
    std::ofstream(path_) << rules;
}

Failures::~Failures() {
    std::filesystem::remove(path_);
}

std::string failed_calls(pid_t pid) {
    std::string path = std::string(getenv("GPUSNAP_SIM_STATE_DIR")) + "/failed-" + std::to_string(pid);
    std::ifstream file(path);
    std::string calls(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove(path);
    return calls;
}

}  // namespace contract
