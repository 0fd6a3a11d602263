// The states of a freeze and the steps between them. Only the control thread takes steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpusnap.h"
#include "preload_protocol.h"

namespace gpusnap::preload {

struct Outcome {
    gpusnap_status status = GPUSNAP_OK;
    std::string text;
    bool ok() const { return status == GPUSNAP_OK; }
};

class Freeze {
public:
    gpusnap_target_state state() const { return state_; }
    gpusnap_wire_status describe() const;
    // All allocations in the order of their ids.
    Outcome list(std::vector<gpusnap_wire_record>* records) const;

    // Closes the gate, waits for calls inside and for the device; on failure the gate is open again.
    Outcome quiesce(uint64_t timeout_ms);
    // The descriptors belong to the caller.
    Outcome export_memory(size_t first, std::vector<gpusnap_wire_record>* batch, std::vector<int>* descriptors,
                          size_t* total) const;
    Outcome release();
    Outcome remap();
    Outcome resume();
    // The owner is gone: a workload that is only quiesced goes on.
    void owner_lost();

private:
    gpusnap_target_state state_ = GPUSNAP_TARGET_RUNNING;
};

}  // namespace gpusnap::preload
