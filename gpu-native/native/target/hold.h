// Physical memory of a workload, kept alive by its descriptors while the workload itself has none.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "target/channel.h"

namespace gpusnap {

class HeldMemory {
public:
    void clear();
    // Nothing is held any more, nor is what still comes.
    void end();
    // The next of the workload's allocations, in the order of their export. Closed where it would take more than half of the
    // files that this process may open: that allocation, and all after it, are then not held.
    void add(uint64_t allocation_id, int descriptor);
    // Half of the files that this process may open.
    static size_t most_descriptors();
    // Sends what is held to the workload, which lists these allocations now; ends with nothing held in any case. A preload that
    // is older than the verb makes its memory anew.
    void give(gpusnap_wire_verb verb, Channel& channel, const std::vector<gpusnap_wire_record>& listed, uint32_t timeout_ms);

private:
    std::vector<uint64_t> ids_;
    Descriptors descriptors_;
    bool full_ = false;
};

}  // namespace gpusnap

// A target that still imports has the memory too: it may outlive the handle.
struct gpusnap_hold {
    std::shared_ptr<gpusnap::HeldMemory> memory = std::make_shared<gpusnap::HeldMemory>();
};
