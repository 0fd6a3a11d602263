#include "target/ahead.h"
#include "target/channel.h"
#include "target/hold.h"
#include "target/import.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

using namespace gpusnap;

namespace {

// Grace on top of the workload's own time limit, for the answer to travel.
constexpr uint32_t answer_grace_ms = 5'000;
// Releasing or mapping tens of GiB takes the driver milliseconds; this only bounds a broken driver.
constexpr uint32_t memory_call_timeout_ms = 120'000;

}  // namespace

struct gpusnap_target {
    gpusnap_target(int32_t pid, const SocketPlace& place, uint32_t timeout_ms)
        : timeout_ms(timeout_ms), channel(place, pid, timeout_ms) {}

    gpusnap_wire_status status() {
        Reply reply = channel.call(GPUSNAP_WIRE_STATUS, 0, timeout_ms);
        gpusnap_wire_status answer{};
        if (reply.payload.size() != sizeof answer) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the workload sent a status of the wrong size");
        }
        std::memcpy(&answer, reply.payload.data(), sizeof answer);
        return answer;
    }

    // What one reply to LIST, EXPORT or HINTS holds.
    template <typename Record>
    struct Batch {
        size_t total = 0;
        std::vector<Record> records;
        Descriptors descriptors;
    };

    template <typename Record>
    Batch<Record> batch(gpusnap_wire_verb verb, uint64_t first) {
        Reply reply = channel.call(verb, first, memory_call_timeout_ms);
        gpusnap_wire_records counts{};
        if (reply.payload.size() < sizeof counts) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the workload sent a list of the wrong size");
        }
        std::memcpy(&counts, reply.payload.data(), sizeof counts);
        if (counts.count > GPUSNAP_WIRE_MAX_RECORDS ||
            reply.payload.size() != sizeof counts + counts.count * sizeof(Record)) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the workload sent a list of the wrong size");
        }
        Batch<Record> batch;
        batch.total = counts.total;
        batch.records.resize(counts.count);
        if (counts.count > 0) {
            std::memcpy(batch.records.data(), reply.payload.data() + sizeof counts, counts.count * sizeof(Record));
        }
        batch.descriptors = std::move(reply.descriptors);
        return batch;
    }

    // Calls LIST or HINTS until every record has come.
    template <typename Record>
    std::vector<Record> all(gpusnap_wire_verb verb) {
        std::vector<Record> all;
        for (;;) {
            Batch<Record> next = batch<Record>(verb, all.size());
            all.insert(all.end(), next.records.begin(), next.records.end());
            if (all.size() >= next.total || next.records.empty()) {
                return all;
            }
        }
    }

    std::vector<gpusnap_wire_record> list() { return all<gpusnap_wire_record>(GPUSNAP_WIRE_LIST); }

    std::vector<gpusnap_wire_hint> hints() { return known<gpusnap_wire_hint>(GPUSNAP_WIRE_HINTS); }

    std::vector<gpusnap_wire_gpu> gpus() { return known<gpusnap_wire_gpu>(GPUSNAP_WIRE_GPUS); }

    // None from a preload that is older than the verb.
    template <typename Record>
    std::vector<Record> known(gpusnap_wire_verb verb) {
        try {
            return all<Record>(verb);
        } catch (const Failure& failure) {
            // An answer, not a broken connection.
            if (failure.status() != GPUSNAP_E_PROTOCOL || !channel.open()) {
                throw;
            }
            return {};
        }
    }

    void import_next() {
        auto next = batch<gpusnap_wire_record>(GPUSNAP_WIRE_EXPORT, imported.added());
        if (next.records.empty() || next.descriptors.size() != next.records.size()) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the workload sent " + std::to_string(next.descriptors.size()) +
                                                  " descriptors for " + std::to_string(next.records.size()) + " records");
        }
        for (size_t i = 0; i < next.records.size(); i++) {
            imported.add(next.records[i], next.descriptors[i]);
            if (hold != nullptr) {
                hold->add(next.records[i].id, next.descriptors.take(i));
            } else {
                next.descriptors.close_one(i);
            }
        }
        imported.allow_access();
    }

    uint32_t timeout_ms;
    Channel channel;
    ImportedMemory imported;
    std::shared_ptr<HeldMemory> hold;  // where the descriptors of what is imported go
};

gpusnap_status gpusnap_target_open(int32_t pid, const char* socket_path, uint32_t timeout_ms, gpusnap_target** target) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        require(pid > 0, "pid is not positive");
        require(timeout_ms > 0, "timeout_ms is 0");
        SocketPlace place = socket_path != nullptr ? split_socket_path(socket_path) : locate_socket(pid);
        auto opened = std::make_unique<gpusnap_target>(pid, place, timeout_ms);
        gpusnap_wire_status status = opened->status();
        if (socket_path == nullptr && std::to_string(status.pid) + ".sock" != place.name) {
            throw Failure(GPUSNAP_E_PROTOCOL, "the socket of process " + std::to_string(pid) + " is answered by process " +
                                                  std::to_string(status.pid));
        }
        *target = opened.release();
    });
}

void gpusnap_target_close(gpusnap_target* target) {
    delete target;
}

gpusnap_status gpusnap_target_query(gpusnap_target* target, gpusnap_target_status* status) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        require_struct(status, "gpusnap_target_status");
        gpusnap_wire_status wire = target->status();
        gpusnap_target_status answer{};
        answer.struct_size = sizeof answer;
        answer.state = wire.state;
        answer.refusals = wire.refusals;
        answer.endable = wire.endable;
        answer.protocol_version = GPUSNAP_WIRE_VERSION;
        answer.allocation_count = wire.allocation_count;
        answer.managed_bytes = wire.managed_bytes;
        answer.driver_bytes = wire.driver_bytes;
        wire.preload_version[sizeof wire.preload_version - 1] = '\0';
        std::snprintf(answer.preload_version, sizeof answer.preload_version, "%s", wire.preload_version);
        *status = answer;
    });
}

gpusnap_status gpusnap_target_quiesce(gpusnap_target* target, uint32_t timeout_ms) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        target->channel.call(GPUSNAP_WIRE_QUIESCE, timeout_ms, timeout_ms + answer_grace_ms);
    });
}

gpusnap_status gpusnap_target_allocations(gpusnap_target* target, gpusnap_allocation* out, size_t capacity,
                                          size_t* count) {
    return guarded([&] {
        require(target != nullptr && count != nullptr, "target or count is NULL");
        require(out != nullptr || capacity == 0, "out is NULL but capacity is not 0");
        std::vector<gpusnap_wire_record> records = target->list();
        for (size_t i = 0; i < std::min(capacity, records.size()); i++) {
            gpusnap_allocation allocation{};
            allocation.id = records[i].id;
            allocation.address = records[i].address;
            allocation.size_bytes = records[i].size_bytes;
            allocation.local_address = target->imported.local_address(records[i].id);
            allocation.gpu_ordinal = gpu_by_uuid(uuid_of(records[i])).ordinal();
            allocation.flags = records[i].flags;
            out[i] = allocation;
        }
        *count = records.size();
    });
}

gpusnap_status gpusnap_target_hints(gpusnap_target* target, gpusnap_hint* out, size_t capacity, size_t* count) {
    return guarded([&] {
        require(target != nullptr && count != nullptr, "target or count is NULL");
        require(out != nullptr || capacity == 0, "out is NULL but capacity is not 0");
        std::vector<gpusnap_wire_hint> records = target->hints();
        for (size_t i = 0; i < std::min(capacity, records.size()); i++) {
            gpusnap_hint hint{};
            hint.address = records[i].address;
            hint.size_bytes = records[i].size_bytes;
            hint.allocation_id = records[i].allocation_id;
            hint.offset_bytes = records[i].offset_bytes;
            std::snprintf(hint.tag, sizeof hint.tag, "%.*s", static_cast<int>(sizeof records[i].tag - 1), records[i].tag);
            out[i] = hint;
        }
        *count = records.size();
    });
}

gpusnap_status gpusnap_target_gpus(gpusnap_target* target, gpusnap_target_gpu* out, size_t capacity, size_t* count) {
    return guarded([&] {
        require(target != nullptr && count != nullptr, "target or count is NULL");
        require(out != nullptr || capacity == 0, "out is NULL but capacity is not 0");
        std::vector<gpusnap_wire_gpu> records = target->gpus();
        for (size_t i = 0; i < std::min(capacity, records.size()); i++) {
            out[i] = {gpu_by_uuid(uuid_of(records[i])).ordinal(), 0};
        }
        *count = records.size();
    });
}

gpusnap_status gpusnap_target_hold(gpusnap_target* target, gpusnap_hold* hold) {
    return guarded([&] {
        require(target != nullptr && hold != nullptr, "target or hold is NULL");
        if (!target->imported.empty()) {
            throw Failure(GPUSNAP_E_STATE, "the workload's memory is already imported");
        }
        target->hold = hold->memory;
    });
}

gpusnap_status gpusnap_target_give_back(gpusnap_target* target, gpusnap_hold* hold) {
    return guarded([&] {
        require(target != nullptr && hold != nullptr, "target or hold is NULL");
        hold->memory->give(GPUSNAP_WIRE_GIVE_BACK, target->channel, target->list(), target->timeout_ms);
    });
}

gpusnap_status gpusnap_target_give_ahead(gpusnap_target* target, gpusnap_ahead* ahead) {
    return guarded([&] {
        require(target != nullptr && ahead != nullptr, "target or ahead is NULL");
        ahead->memory.give(target->channel, target->list(), target->timeout_ms);
    });
}

gpusnap_status gpusnap_target_import(gpusnap_target* target, size_t* left) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        ImportedMemory& imported = target->imported;
        if (!imported.empty() && (left == nullptr || imported.left() == 0)) {
            throw Failure(GPUSNAP_E_STATE, "the workload's memory is already imported");
        }
        try {
            if (imported.empty()) {
                if (target->hold != nullptr) {
                    target->hold->clear();  // of an import that failed
                }
                imported.reserve(target->list());
            } else {
                target->import_next();
            }
            while (left == nullptr && imported.left() > 0) {
                target->import_next();
            }
        } catch (...) {
            try {
                imported.drop();
            } catch (const Failure&) {
                // The first failure tells more.
            }
            throw;
        }
        if (left != nullptr) {
            *left = imported.left();
        }
    });
}

gpusnap_status gpusnap_target_unimport(gpusnap_target* target) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        target->imported.drop();
    });
}

gpusnap_status gpusnap_target_release(gpusnap_target* target) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        if (!target->imported.empty()) {
            throw Failure(GPUSNAP_E_STATE, "unimport first: imported memory would stay allocated");
        }
        target->channel.call(GPUSNAP_WIRE_RELEASE, 0, memory_call_timeout_ms);
    });
}

gpusnap_status gpusnap_target_remap(gpusnap_target* target) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        target->channel.call(GPUSNAP_WIRE_REMAP, 0, memory_call_timeout_ms);
    });
}

gpusnap_status gpusnap_target_resume(gpusnap_target* target) {
    return guarded([&] {
        require(target != nullptr, "target is NULL");
        target->channel.call(GPUSNAP_WIRE_RESUME, 0, memory_call_timeout_ms);
    });
}
