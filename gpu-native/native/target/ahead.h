// Physical memory that is made, and filled, before the workload is there that it is for.
#pragma once

#include <vector>

#include "target/hold.h"
#include "target/local_memory.h"

namespace gpusnap {

class AheadMemory {
public:
    // Finds room for them, as far as half of the files that this process may open go; the rest is left out.
    explicit AheadMemory(std::vector<LocalMemory::Item> items);
    // Makes the next few; a failure drops all of it.
    void make_next();
    size_t left() const noexcept { return memory_.left(); }
    uint64_t local_address(uint64_t id) const { return memory_.local_address(id); }
    // Sends all of it to the workload, which lists these allocations now. It stays mapped here.
    void give(Channel& channel, const std::vector<gpusnap_wire_record>& listed, uint32_t timeout_ms);
    // Unmaps it here and lets go of what was not given; throws after having tried all of it.
    void drop();

private:
    void make_one(const LocalMemory::Item& item);

    LocalMemory memory_;
    HeldMemory descriptors_;
    bool failed_ = false;
};

}  // namespace gpusnap

struct gpusnap_ahead {
    explicit gpusnap_ahead(std::vector<gpusnap::LocalMemory::Item> items) : memory(std::move(items)) {}
    gpusnap::AheadMemory memory;
};
