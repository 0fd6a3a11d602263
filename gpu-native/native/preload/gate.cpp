#include "preload/gate.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace gpusnap::preload {
namespace {

std::atomic<GateSlot*> all_slots{nullptr};

pthread_key_t slot_key(void (*at_thread_end)(void*)) {
    static const pthread_key_t key = [&] {
        pthread_key_t created{};
        pthread_key_create(&created, at_thread_end);
        return created;
    }();
    return key;
}

GateSlot* unused_slot() {
    for (GateSlot* slot = all_slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
        bool expected = false;
        if (slot->taken.compare_exchange_strong(expected, true, std::memory_order_acq_rel)) {
            return slot;
        }
    }
    return nullptr;
}

}  // namespace

std::atomic<uint32_t> Gate::closed{0};
constinit thread_local GateSlot* Gate::own_slot = nullptr;

// Slots are never freed: the closer walks the list without a lock.
GateSlot* Gate::claim_slot() noexcept {
    GateSlot* slot = unused_slot();
    if (slot == nullptr) {
        slot = new GateSlot();
        slot->next = all_slots.load(std::memory_order_relaxed);
        while (!all_slots.compare_exchange_weak(slot->next, slot, std::memory_order_seq_cst)) {
        }
    }
    own_slot = slot;
    pthread_setspecific(slot_key(&Gate::return_slot), slot);
    return slot;
}

// A thread that calls the driver even later in its end claims a slot again.
void Gate::return_slot(void* slot) noexcept {
    auto* own = static_cast<GateSlot*>(slot);
    own_slot = nullptr;
    own->depth = 0;
    own->inside.store(0, std::memory_order_release);
    own->taken.store(false, std::memory_order_release);
}

void Gate::wait_until_open() noexcept {
    syscall(SYS_futex, &closed, FUTEX_WAIT_PRIVATE, 1, nullptr, nullptr, 0);
}

void Gate::exempt_this_thread() noexcept {
    GateSlot* slot = own_slot != nullptr ? own_slot : claim_slot();
    slot->depth++;
}

void Gate::close() noexcept {
    closed.store(1, std::memory_order_seq_cst);
}

void Gate::open() noexcept {
    closed.store(0, std::memory_order_seq_cst);
    syscall(SYS_futex, &closed, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

bool Gate::idle() noexcept {
    for (GateSlot* slot = all_slots.load(std::memory_order_seq_cst); slot != nullptr; slot = slot->next) {
        if (slot->inside.load(std::memory_order_seq_cst) != 0) {
            return false;
        }
    }
    return true;
}

void Gate::abandon() noexcept {
    closed.store(0, std::memory_order_relaxed);
}

}  // namespace gpusnap::preload
