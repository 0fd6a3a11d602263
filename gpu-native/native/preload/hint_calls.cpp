// The functions that gpusnap_hints.h looks for.
#include <cstdint>
#include <cstring>

#include "gpusnap_hints.h"
#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/callbacks.h"
#include "preload/control.h"
#include "preload/gate.h"
#include "preload/hints.h"

namespace gpusnap::preload {
namespace {

// Tags stand in settings of the daemon, separated by commas.
bool usable_tag(const char* tag) {
    size_t length = tag == nullptr ? 0 : strnlen(tag, GPUSNAP_HINT_TAG_BYTES);
    if (length == 0 || length == GPUSNAP_HINT_TAG_BYTES) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (tag[i] <= ' ' || tag[i] > '~' || tag[i] == ',') {
            return false;
        }
    }
    return true;
}

// What the block has behind the bytes that the application asked for holds nothing either.
size_t with_padding(CUdeviceptr address, size_t size) {
    Allocation allocation;
    if (Allocations::get().find(address + size - 1, &allocation) &&
        address + size == allocation.address + allocation.asked) {
        return size + (allocation.size - allocation.asked);
    }
    return size;
}

gpusnap_hint_answer declare(CUdeviceptr address, size_t size, const char* tag) {
    if (address == 0 || size == 0 || address + size < address || !usable_tag(tag)) {
        return GPUSNAP_HINT_INVALID;
    }
    Pass pass;  // what is rebuildable does not change while the daemon saves
    Hint hint{address, with_padding(address, size), tag};
    bool added = false;
    bool ours = BlockTable::get().if_all_ours(hint.address, hint.size, [&] { added = Hints::get().add(hint); });
    return !ours ? GPUSNAP_HINT_NOT_MANAGED : added ? GPUSNAP_HINT_OK : GPUSNAP_HINT_TOO_MANY;
}

gpusnap_hint_answer keep(CUdeviceptr address) {
    Pass pass;
    return Hints::get().remove(address) ? GPUSNAP_HINT_OK : GPUSNAP_HINT_UNKNOWN;
}

gpusnap_hint_answer add_callback(Callbacks::QuiesceCallback quiesce, Callbacks::ResumeCallback resume, void* user) {
    if (quiesce == nullptr && resume == nullptr) {
        return GPUSNAP_HINT_INVALID;
    }
    Callbacks::get().add(quiesce, resume, user);
    return GPUSNAP_HINT_OK;
}

gpusnap_hint_answer remove_callback(Callbacks::QuiesceCallback quiesce, Callbacks::ResumeCallback resume, void* user) {
    return Callbacks::get().remove(quiesce, resume, user) ? GPUSNAP_HINT_OK : GPUSNAP_HINT_UNKNOWN;
}

// In a forked child locks may be held by threads that are not there.
template <typename Call>
int unless_forked(Call&& call) {
    return in_forked_child() ? GPUSNAP_HINT_NO_PRELOAD : call();
}

}  // namespace
}  // namespace gpusnap::preload

using namespace gpusnap::preload;

extern "C" {
#pragma GCC visibility push(default)

int gpusnap_preload_hint_rebuildable(uint64_t address, uint64_t size, const char* tag) {
    return unless_forked([&] { return declare(address, size, tag); });
}

int gpusnap_preload_hint_keep(uint64_t address) {
    return unless_forked([&] { return keep(address); });
}

int gpusnap_preload_hint_on_quiesce(gpusnap_hint_quiesce_callback callback, void* user) {
    return unless_forked([&] { return add_callback(callback, nullptr, user); });
}

int gpusnap_preload_hint_on_resume(gpusnap_hint_resume_callback callback, void* user) {
    return unless_forked([&] { return add_callback(nullptr, callback, user); });
}

int gpusnap_preload_hint_off_quiesce(gpusnap_hint_quiesce_callback callback, void* user) {
    return unless_forked([&] { return remove_callback(callback, nullptr, user); });
}

int gpusnap_preload_hint_off_resume(gpusnap_hint_resume_callback callback, void* user) {
    return unless_forked([&] { return remove_callback(nullptr, callback, user); });
}

#pragma GCC visibility pop
}  // extern "C"
