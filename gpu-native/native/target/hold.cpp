#include "target/hold.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "driver/failure.h"
#include "gpusnap.h"

using namespace gpusnap;

namespace {

bool same_order(const std::vector<uint64_t>& ids, const std::vector<gpusnap_wire_record>& listed) {
    return ids.size() <= listed.size() &&
           std::equal(ids.begin(), ids.end(), listed.begin(),
                      [](uint64_t id, const gpusnap_wire_record& record) { return id == record.id; });
}

}  // namespace

size_t HeldMemory::most_descriptors() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<size_t>(limit.rlim_cur / 2) : 0;
}

void HeldMemory::clear() {
    ids_.clear();
    descriptors_ = {};
    full_ = false;
}

void HeldMemory::end() {
    clear();
    full_ = true;
}

void HeldMemory::add(uint64_t allocation_id, int descriptor) {
    full_ = full_ || ids_.size() >= most_descriptors();
    if (full_) {
        close(descriptor);
        return;
    }
    ids_.push_back(allocation_id);
    descriptors_.add(descriptor);
}

void HeldMemory::give(gpusnap_wire_verb verb, Channel& channel, const std::vector<gpusnap_wire_record>& listed,
                      uint32_t timeout_ms) {
    Descriptors descriptors = std::move(descriptors_);
    std::vector<uint64_t> ids = std::move(ids_);
    clear();
    if (!same_order(ids, listed)) {
        throw Failure(GPUSNAP_E_INVALID, "what is held is not the memory of this workload");
    }
    for (size_t first = 0; first < descriptors.size(); first += GPUSNAP_WIRE_MAX_RECORDS) {
        try {
            channel.call(verb, first, timeout_ms, descriptors.part(first, GPUSNAP_WIRE_MAX_RECORDS));
        } catch (const Failure& failure) {
            if (failure.status() != GPUSNAP_E_PROTOCOL || !channel.open()) {
                throw;
            }
            return;
        }
    }
}

gpusnap_status gpusnap_hold_open(gpusnap_hold** hold) {
    return guarded([&] {
        require(hold != nullptr, "hold is NULL");
        *hold = std::make_unique<gpusnap_hold>().release();
    });
}

void gpusnap_hold_close(gpusnap_hold* hold) {
    if (hold != nullptr) {
        hold->memory->end();
        delete hold;
    }
}
