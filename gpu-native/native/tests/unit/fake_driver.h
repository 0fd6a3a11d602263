// A driver of a few functions that keeps a list of what it was asked, and fails where it is told to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cuda_abi.h"

namespace unit {

// How far a stream is with its work.
struct FakeStream {
    uint64_t issued = 0;
    uint64_t done = 0;
};

struct FakeDriver {
    std::vector<std::string> calls;
    std::map<std::string, int> fail_at;  // function -> which call of it fails, counted from 1
    std::map<std::string, int> seen;
    uint64_t last_handle = 1000;
    bool peers = true;  // every GPU can reach every other one
    uint64_t memory_left = ~0ull;
    std::map<uint64_t, uint64_t> memory;  // handle -> size
    uint64_t next_address = 1ull << 40;
    std::map<uint64_t, FakeStream> streams;
    std::map<uint64_t, std::pair<uint64_t, uint64_t>> events;             // event -> stream, place in it
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> waited_for;  // who, for whom -> until which place in it

    CUresult called(const std::string& function, const std::string& details);
    int count(const std::string& prefix) const;
    void forget();
};

FakeDriver& fake();
// Puts the fake functions in place of the driver's.
void install_fake_driver();

}  // namespace unit
