// Device memory of a workload in this process, what to put there, and failures of its driver.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "contract/fixture.h"

namespace contract {

constexpr uint64_t mib = 1 << 20;
constexpr uint64_t chunk_bytes = 4 * mib;

// Frozen, and imported here.
class Imported {
public:
    explicit Imported(uint64_t size, int allocations = 1);
    uint64_t address(size_t index = 0) const { return all_.at(index).local_address; }
    uint64_t size_bytes(size_t index = 0) const { return all_.at(index).size_bytes; }

private:
    Workload workload_;
    Target target_;
    std::vector<gpusnap_allocation> all_;
};

using Bytes = std::vector<unsigned char>;

Bytes noise(size_t size, uint64_t seed);
void to_device(uint64_t address, Bytes& bytes);
Bytes from_device(uint64_t address, size_t size);

// Failures on order in this process or another, for the simulated driver.
class Failures {
public:
    explicit Failures(const std::string& rules, pid_t pid = getpid());
    ~Failures();
    Failures(const Failures&) = delete;
    Failures& operator=(const Failures&) = delete;

private:
    std::string path_;
};

// Calls of a process that failed on order since this was last asked, a line each.
std::string failed_calls(pid_t pid);

}  // namespace contract
