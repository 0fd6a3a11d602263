// A driver of a few functions that keeps a list of what it was asked, and fails where it is told to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cuda_abi.h"

namespace unit {

struct FakeDriver {
    std::vector<std::string> calls;
    std::map<std::string, int> fail_at;  // function -> which call of it fails, counted from 1
    std::map<std::string, int> seen;
    uint64_t last_handle = 1000;
    bool peers = true;  // every GPU can reach every other one

    CUresult called(const std::string& function, const std::string& details);
    int count(const std::string& prefix) const;
    void forget();
};

FakeDriver& fake();
// Puts the fake functions in place of the driver's.
void install_fake_driver();

}  // namespace unit
