#include "preload/freeze.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>

#include "preload/blocks.h"
#include "preload/callbacks.h"
#include "preload/contexts.h"
#include "preload/device_wait.h"
#include "preload/gate.h"
#include "preload/hints.h"
#include "preload/hooks.h"
#include "preload/log.h"
#include "preload/reclaim.h"
#include "preload/sharing.h"
#include "preload/stream_pool.h"

namespace gpusnap::preload {
namespace {

using Clock = std::chrono::steady_clock;

// Of one reply to EXPORT: few enough that the daemon soon begins with the first ones, many enough that asking costs nothing
// beside what they hold. The driver takes about 0.13 ms an allocation (H100).
constexpr uint64_t export_batch_bytes = 512ull << 20;

const char* name_of(gpusnap_target_state state) {
    switch (state) {
        case GPUSNAP_TARGET_RUNNING:
            return "RUNNING";
        case GPUSNAP_TARGET_QUIESCED:
            return "QUIESCED";
        case GPUSNAP_TARGET_RELEASED:
            return "RELEASED";
        case GPUSNAP_TARGET_REMAPPED:
            return "REMAPPED";
    }
    return "?";
}

Outcome wrong_state(const char* verb, gpusnap_target_state state) {
    return {GPUSNAP_E_STATE, std::string(verb) + " is not allowed while " + name_of(state)};
}

Outcome driver_failure(const char* call, CUresult result) {
    const char* name = nullptr;
    bool known = real::cuGetErrorName(result, &name) == CUDA_SUCCESS && name != nullptr;
    std::string text = std::string(call) + ": " + (known ? name : "CUDA error " + std::to_string(static_cast<int>(result)));
    gpusnap_status status = result == CUDA_ERROR_OUT_OF_MEMORY   ? GPUSNAP_E_NO_DEVICE_MEMORY
                            : result == CUDA_ERROR_NOT_SUPPORTED ? GPUSNAP_E_UNSUPPORTED
                                                                 : GPUSNAP_E_DRIVER;
    return {status, text};
}

// What a device is does not change, and a driver that another tool holds locked answers nothing: asked once.
struct DeviceFacts {
    bool mig = false;
    bool mps = false;
    CUresult told = CUDA_SUCCESS;  // of a device that has not told this nothing is known
};

DeviceFacts facts_of(CUdevice device) {
    static auto* known = new std::map<CUdevice, DeviceFacts>();  // of the control thread only
    if (auto found = known->find(device); found != known->end()) {
        return found->second;
    }
    DeviceFacts facts;
    char name[256] = {};
    facts.told = real::cuDeviceGetName(name, sizeof name - 1, device);
    if (facts.told != CUDA_SUCCESS) {
        return facts;
    }
    facts.mig = std::strstr(name, " MIG ") != nullptr;
    int enabled = 0;
    CUresult told = real::cuDeviceGetAttribute(&enabled, CU_DEVICE_ATTRIBUTE_MPS_ENABLED, device);
    if (told != CUDA_SUCCESS && told != CUDA_ERROR_INVALID_VALUE) {  // which a driver before CUDA 12.1 says
        facts.told = told;
        return facts;
    }
    facts.mps = told == CUDA_SUCCESS && enabled != 0;
    return known->emplace(device, facts).first->second;
}

// Before that, a control socket in the configured directory tells.
bool mps_socket() {
    const char* directory = getenv("CUDA_MPS_PIPE_DIRECTORY");
    return directory != nullptr && *directory != '\0' && access((std::string(directory) + "/control").c_str(), F_OK) == 0;
}

DeviceFacts facts() {
    DeviceFacts all;
    for (CUcontext context : Contexts::get().all()) {
        DeviceFacts one = facts_of(Contexts::get().device_of(context, 0));
        all.mig = all.mig || one.mig;
        all.mps = all.mps || one.mps;
        all.told = all.told != CUDA_SUCCESS ? all.told : one.told;
    }
    all.mps = all.mps || mps_socket();
    return all;
}

uint32_t refusals() {
    DeviceFacts devices = facts();
    uint32_t bits = 0;
    bits |= DriverMemory::get().managed_memory_count() > 0 ? GPUSNAP_REFUSE_MANAGED_MEMORY : 0;
    bits |= devices.mig ? GPUSNAP_REFUSE_MIG : 0;
    bits |= Sharing::get().any() || BlockTable::get().shared_count() > 0 ? GPUSNAP_REFUSE_LEGACY_IPC : 0;
    bits |= Sharing::get().multicast() ? GPUSNAP_REFUSE_MULTICAST : 0;
    bits |= devices.mps ? GPUSNAP_REFUSE_MPS : 0;
    return bits;
}

// What the application may end before its last quiesce callback is back, and what no callback can: a GPU stays what it is.
uint32_t endable() {
    if (!Callbacks::get().any_before_a_freeze()) {
        return 0;
    }
    return GPUSNAP_REFUSE_MANAGED_MEMORY | GPUSNAP_REFUSE_MULTICAST |
           (Sharing::get().for_good() ? 0 : GPUSNAP_REFUSE_LEGACY_IPC);
}

std::string spell(uint32_t bits) {
    const std::pair<uint32_t, const char*> names[] = {
        {GPUSNAP_REFUSE_MANAGED_MEMORY, "managed memory (cuMemAllocManaged)"},
        {GPUSNAP_REFUSE_MIG, "a MIG slice"},
        {GPUSNAP_REFUSE_LEGACY_IPC, "device memory shared with other processes"},
        {GPUSNAP_REFUSE_MULTICAST, "multicast objects"},
        {GPUSNAP_REFUSE_MPS, "the multi-process service"},
    };
    std::string text;
    for (const auto& [bit, name] : names) {
        if ((bits & bit) != 0) {
            text += (text.empty() ? "" : ", ") + std::string(name);
        }
    }
    return text;
}

Outcome wait_for_calls(Clock::time_point deadline) {
    auto pause = std::chrono::microseconds(20);
    while (!Gate::idle()) {
        if (Clock::now() >= deadline) {
            return {GPUSNAP_E_TIMEOUT, "a thread is still inside a CUDA call"};
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(1000));
    }
    return {};
}

Outcome make_idle(Clock::time_point deadline) {
    Outcome outcome = wait_for_calls(deadline);
    if (!outcome.ok()) {
        return outcome;
    }
    if (Captures::get().any()) {
        return {GPUSNAP_E_STATE, "a stream is recording a graph"};
    }
    CUresult result = CUDA_SUCCESS;
    switch (DeviceWait::all_contexts(Contexts::get().all(), deadline, &result)) {
        case DeviceWait::Answer::idle:
            return {};
        case DeviceWait::Answer::failed:
            return driver_failure("cuCtxSynchronize", result);
        case DeviceWait::Answer::still_waiting:
            return {GPUSNAP_E_STATE, "an earlier wait for the device has not ended yet"};
        case DeviceWait::Answer::timed_out:
            break;
    }
    return {GPUSNAP_E_TIMEOUT, "the device is still at work"};
}

// Steps that create or map memory need a context on some driver versions; any one will do.
CUcontext some_context() {
    std::vector<CUcontext> all = Contexts::get().all();
    return all.empty() ? nullptr : all.front();
}

}  // namespace

gpusnap_wire_status Freeze::describe() const {
    gpusnap_wire_status status{};
    status.state = state_;
    // While the driver is checkpointed it answers nothing, so nothing is asked.
    status.refusals = state_ == GPUSNAP_TARGET_RUNNING ? refusals() : 0;
    status.endable = state_ == GPUSNAP_TARGET_RUNNING ? endable() : 0;
    status.allocation_count = BlockTable::get().count();
    status.managed_bytes = BlockTable::get().bytes();
    status.driver_bytes = DriverMemory::get().bytes();
    status.pid = getpid();
    std::snprintf(status.preload_version, sizeof status.preload_version, "%s", GPUSNAP_VERSION);
    return status;
}

Outcome Freeze::list(std::vector<gpusnap_wire_record>* records) {
    for (const BlockRecord& block : BlockTable::get().records()) {
        CUuuid uuid{};
        Outcome outcome = uuid_of(block.device, &uuid);
        if (!outcome.ok()) {
            return outcome;
        }
        gpusnap_wire_record record{};
        record.id = block.id;
        record.address = block.address;
        record.size_bytes = block.size;
        record.flags = state_ == GPUSNAP_TARGET_REMAPPED && block.held ? GPUSNAP_ALLOCATION_HELD : 0;
        std::memcpy(record.gpu_uuid, uuid.bytes, sizeof record.gpu_uuid);
        records->push_back(record);
    }
    return {};
}

Outcome Freeze::gpus(std::vector<gpusnap_wire_gpu>* records) {
    std::set<CUdevice> devices;
    for (CUcontext context : Contexts::get().all()) {
        devices.insert(Contexts::get().device_of(context, 0));
    }
    for (CUdevice device : devices) {
        CUuuid uuid{};
        Outcome outcome = uuid_of(device, &uuid);
        if (!outcome.ok()) {
            return outcome;
        }
        gpusnap_wire_gpu record{};
        std::memcpy(record.gpu_uuid, uuid.bytes, sizeof record.gpu_uuid);
        records->push_back(record);
    }
    return {};
}

// Kept, because a checkpointed driver answers nothing; forgotten at remap, because a thaw may be on another GPU.
Outcome Freeze::uuid_of(CUdevice device, CUuuid* uuid) {
    auto found = uuids_.find(device);
    if (found == uuids_.end()) {
        CUuuid answer{};
        CUresult result = real::cuDeviceGetUuid_v2(&answer, device);
        if (result == CUDA_ERROR_NOT_SUPPORTED) {
            result = real::cuDeviceGetUuid(&answer, device);
        }
        if (result != CUDA_SUCCESS) {
            return driver_failure("cuDeviceGetUuid", result);
        }
        found = uuids_.emplace(device, answer).first;
    }
    *uuid = found->second;
    return {};
}

void Freeze::hints(std::vector<gpusnap_wire_hint>* records) const {
    auto tell = [&](CUdeviceptr address, size_t size, const char* tag) {
        for (const BlockPiece& piece : BlockTable::get().pieces(address, size)) {
            gpusnap_wire_hint record{};
            record.allocation_id = piece.id;
            record.offset_bytes = piece.offset;
            record.size_bytes = piece.size;
            record.address = piece.address;
            std::snprintf(record.tag, sizeof record.tag, "%s", tag);
            records->push_back(record);
        }
    };
    for (const Hint& hint : Hints::get().all()) {
        tell(hint.address, hint.size, hint.tag.c_str());
    }
    for (const Ranges::Region& free : StreamPools::get().resting()) {
        tell(free.address, free.size, GPUSNAP_WIRE_FREE_TAG);
    }
}

Outcome Freeze::may_quiesce() const {
    return state_ == GPUSNAP_TARGET_RUNNING ? Outcome{} : wrong_state("QUIESCE", state_);
}

// What it uses is looked at after its callbacks: they may have given back what would have been refused.
Outcome Freeze::quiesce(Clock::time_point deadline) {
    if (uint32_t bits = refusals()) {
        return {GPUSNAP_E_UNSUPPORTED, "cannot be frozen, it uses " + spell(bits)};
    }
    if (CUresult told = facts().told; told != CUDA_SUCCESS) {
        return driver_failure("cuDeviceGetName or cuDeviceGetAttribute", told);
    }
    Gate::close();
    Outcome outcome = make_idle(deadline);
    if (!outcome.ok()) {
        Gate::open();
        return outcome;
    }
    reclaim(true);  // what is already freed need not be saved
    state_ = GPUSNAP_TARGET_QUIESCED;
    log(Level::info, "quiesced");
    return {};
}

Outcome Freeze::export_memory(size_t first, std::vector<gpusnap_wire_record>* batch, std::vector<Descriptor>* descriptors,
                              size_t* total) {
    if (state_ != GPUSNAP_TARGET_QUIESCED && state_ != GPUSNAP_TARGET_REMAPPED) {
        return wrong_state("EXPORT", state_);
    }
    std::vector<gpusnap_wire_record> all;
    Outcome outcome = list(&all);
    if (!outcome.ok()) {
        return outcome;
    }
    *total = all.size();
    CurrentContext scope(some_context());
    uint64_t bytes = 0;
    for (size_t i = first; i < all.size() && batch->size() < GPUSNAP_WIRE_MAX_RECORDS && bytes < export_batch_bytes; i++) {
        Descriptor descriptor;
        CUresult result = BlockTable::get().export_descriptor(all[i].id, &descriptor);
        if (result != CUDA_SUCCESS) {
            return driver_failure("cuMemExportToShareableHandle", result);
        }
        batch->push_back(all[i]);
        bytes += all[i].size_bytes;
        descriptors->push_back(std::move(descriptor));
    }
    return {};
}

Outcome Freeze::release() {
    // Also memory that was mapped again and could not be filled: the process then sleeps on, as it did before.
    if (state_ != GPUSNAP_TARGET_QUIESCED && state_ != GPUSNAP_TARGET_REMAPPED) {
        return wrong_state("RELEASE", state_);
    }
    std::vector<gpusnap_wire_record> all;
    std::vector<gpusnap_wire_gpu> gpus_with_contexts;
    Outcome listed = list(&all);  // so that it can be listed while released
    if (listed.ok()) {
        listed = gpus(&gpus_with_contexts);
    }
    if (!listed.ok()) {
        return listed;
    }
    CurrentContext scope(some_context());
    CUresult result = BlockTable::get().release_all();
    if (BlockTable::get().released()) {
        state_ = GPUSNAP_TARGET_RELEASED;  // also after a failure: what is saved has to come back, resuming would find nothing
    }
    if (result != CUDA_SUCCESS) {
        return driver_failure("release of device memory", result);
    }
    log(Level::info, "released %llu bytes", static_cast<unsigned long long>(BlockTable::get().bytes()));
    return {};
}

Outcome Freeze::give_back(size_t first, std::vector<Descriptor> descriptors) {
    if (state_ != GPUSNAP_TARGET_RELEASED) {
        return wrong_state("GIVE_BACK", state_);
    }
    BlockTable::get().give(first, std::move(descriptors), BlockTable::Origin::its_own);
    return {};
}

Outcome Freeze::give_ahead(size_t first, std::vector<Descriptor> descriptors) {
    if (state_ != GPUSNAP_TARGET_RELEASED) {
        return wrong_state("GIVE_AHEAD", state_);
    }
    BlockTable::get().give(first, std::move(descriptors), BlockTable::Origin::made_for_it);
    return {};
}

Outcome Freeze::remap() {
    if (state_ != GPUSNAP_TARGET_RELEASED) {
        return wrong_state("REMAP", state_);
    }
    uuids_.clear();
    Contexts::get().forget_peers();
    CurrentContext scope(some_context());
    CUresult result = BlockTable::get().bring_back_all();
    if (result != CUDA_SUCCESS) {
        return driver_failure("mapping of device memory", result);
    }
    state_ = GPUSNAP_TARGET_REMAPPED;
    log(Level::info, "mapped again");
    return {};
}

Outcome Freeze::resume() {
    if (state_ != GPUSNAP_TARGET_QUIESCED && state_ != GPUSNAP_TARGET_REMAPPED) {
        return wrong_state("RESUME", state_);
    }
    bool fresh_memory = state_ == GPUSNAP_TARGET_REMAPPED;
    state_ = GPUSNAP_TARGET_RUNNING;
    Gate::open();
    Callbacks::get().resume(fresh_memory ? GPUSNAP_HINT_THAWED : GPUSNAP_HINT_RESUMED);
    log(Level::info, "running");
    return {};
}

void Freeze::owner_lost() {
    if (state_ == GPUSNAP_TARGET_QUIESCED) {
        log(Level::info, "the daemon is gone");
        resume();
    }
}

}  // namespace gpusnap::preload
