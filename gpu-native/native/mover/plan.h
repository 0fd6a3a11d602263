// Which copies the driver is asked for.
#pragma once

#include <vector>

#include "gpusnap.h"
#include "mover/areas.h"

namespace gpusnap {

// To the device a copy of 4 MiB is 3 % slower than one of 64 MiB, and larger ones gain nothing. From the device they are shorter:
// mapping an allocation waits for the copy that is under way (1.3 ms with 64 MiB, H200), and a drain maps while it copies.
constexpr uint64_t merged_to_device_bytes = 64ull << 20;
constexpr uint64_t merged_to_host_bytes = 16ull << 20;

// Items that continue on both sides become one copy, inside one imported allocation and one page-locked region. An item that
// lies across page-locked regions is cut. Items of no bytes vanish. No copy becomes longer than merged_bytes by it.
std::vector<gpusnap_copy_item> plan_copies(const gpusnap_copy_item* items, size_t count, uint64_t merged_bytes,
                                           const Areas& pinned, const Areas& imported);

}  // namespace gpusnap
