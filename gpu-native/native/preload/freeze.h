// The states of a freeze and the steps between them. Only the control thread takes steps.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "cuda_abi.h"
#include "gpusnap.h"
#include "preload/descriptor.h"
#include "preload/outcome.h"
#include "preload_protocol.h"

namespace gpusnap::preload {

class Freeze {
public:
    gpusnap_target_state state() const { return state_; }
    gpusnap_wire_status describe() const;
    // All allocations in the order of their ids.
    Outcome list(std::vector<gpusnap_wire_record>* records);

    // The GPUs that the process has contexts on.
    Outcome gpus(std::vector<gpusnap_wire_gpu>* records);

    // The memory that need not be saved, by address.
    void hints(std::vector<gpusnap_wire_hint>* records) const;

    // Whether a quiesce may be begun: asked before the application's callbacks are.
    Outcome may_quiesce() const;
    // Closes the gate, waits for calls inside and for the device; on failure the gate is open again.
    Outcome quiesce(std::chrono::steady_clock::time_point deadline);
    Outcome export_memory(size_t first, std::vector<gpusnap_wire_record>* batch, std::vector<Descriptor>* descriptors,
                          size_t* total);
    Outcome release();
    // What somebody held meanwhile, of the allocations from `first` on.
    Outcome give_back(size_t first, std::vector<Descriptor> descriptors);
    // The same with what the daemon made before this process was there.
    Outcome give_ahead(size_t first, std::vector<Descriptor> descriptors);
    Outcome remap();
    Outcome resume();
    // The owner is gone: a workload that is only quiesced goes on.
    void owner_lost();

private:
    Outcome uuid_of(CUdevice device, CUuuid* uuid);

    std::map<CUdevice, CUuuid> uuids_;
    gpusnap_target_state state_ = GPUSNAP_TARGET_RUNNING;
};

}  // namespace gpusnap::preload
