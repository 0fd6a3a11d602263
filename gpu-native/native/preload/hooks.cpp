#include "preload/hooks.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "preload/gate.h"
#include "preload/log.h"
#include "preload/lookup.h"

// The exported wrappers. Each has the driver's name for the linker only (by an assembler label), so that
// our own code can use the same names for other things.
#define OWN(name, symbol, since, suffix, parameters, arguments)                            \
    extern "C" __attribute__((visibility("default"))) CUresult gpusnap_wrap_##name parameters __asm__(#name);
#define GATED(name, symbol, since, suffix, parameters, arguments)                          \
    extern "C" __attribute__((visibility("default"))) CUresult gpusnap_wrap_##name parameters __asm__(#name);
#include "preload/gated.def"
#include "preload/own.def"
#undef OWN
#undef GATED

#define OWN(name, symbol, since, suffix, parameters, arguments)      \
    CUresult gpusnap_wrap_##name parameters {                            \
        return gpusnap::preload::own::name arguments;                    \
    }
#include "preload/own.def"
#undef OWN

#define GATED(name, symbol, since, suffix, parameters, arguments)    \
    CUresult gpusnap_wrap_##name parameters {                            \
        gpusnap::preload::Pass pass;                                     \
        return gpusnap::preload::real::name arguments;                   \
    }
#include "preload/gated.def"
#undef GATED

namespace gpusnap::preload {
namespace {

constexpr size_t hook_count = static_cast<size_t>(Hook::count);

const HookEntry hook_entries[hook_count] = {
#define OWN(name, symbol, since, suffix, parameters, arguments) \
    {#name, #symbol, since, sizeof(#suffix) > 1, reinterpret_cast<void*>(&gpusnap_wrap_##name)},
#define GATED(name, symbol, since, suffix, parameters, arguments) \
    {#name, #symbol, since, sizeof(#suffix) > 1, reinterpret_cast<void*>(&gpusnap_wrap_##name)},
#include "preload/gated.def"
#include "preload/own.def"
#undef OWN
#undef GATED
};

// Asked for with this version, cuGetProcAddress answers with another symbol's export.
constexpr const char* instantiate_symbol = "cuGraphInstantiate";
constexpr int instantiate_with_flags_since = 12000;

const char* const internal_names[] = {
#define INTERNAL(name, parameters, arguments) #name,
#include "preload/internal.def"
#undef INTERNAL
};

const char* name_of(Hook hook) {
    size_t index = static_cast<size_t>(hook);
    return index < hook_count ? hook_entries[index].name : internal_names[index - hook_count];
}

using Order = std::array<uint16_t, hook_count>;

const Order& order_by_name() {
    static const Order order = [] {
        Order filled{};
        for (size_t i = 0; i < hook_count; i++) {
            filled[i] = static_cast<uint16_t>(i);
        }
        std::sort(filled.begin(), filled.end(), [](uint16_t a, uint16_t b) {
            return std::strcmp(hook_entries[a].name, hook_entries[b].name) < 0;
        });
        return filled;
    }();
    return order;
}

// Whether this driver's cuGetProcAddress hands out the very addresses of its exports.
bool same_addresses() {
    static const bool same = [] {
        void* exported = resolve(Hook::cuMemAlloc_v2);
        void* handed_out = nullptr;
        CUresult result = real::cuGetProcAddress_v2("cuMemAlloc", &handed_out, 3020, 0, nullptr);
        return result == CUDA_SUCCESS && handed_out == exported;
    }();
    return same;
}

}  // namespace

std::atomic<void*> real_functions[static_cast<size_t>(Hook::end)];

const HookEntry& entry(Hook hook) {
    return hook_entries[static_cast<size_t>(hook)];
}

const HookEntry* find_hook(const char* name) {
    const Order& order = order_by_name();
    auto found = std::lower_bound(order.begin(), order.end(), name, [](uint16_t index, const char* wanted) {
        return std::strcmp(hook_entries[index].name, wanted) < 0;
    });
    if (found == order.end() || std::strcmp(hook_entries[*found].name, name) != 0) {
        return nullptr;
    }
    return &hook_entries[*found];
}

bool is_wrapper(const void* address) {
    return std::any_of(std::begin(hook_entries), std::end(hook_entries),
                       [&](const HookEntry& candidate) { return candidate.wrapper == address; });
}

void* driver_library() {
    static std::atomic<void*> known{nullptr};
    void* handle = known.load(std::memory_order_acquire);
    if (handle == nullptr) {
        handle = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
        known.store(handle, std::memory_order_release);
    }
    return handle;
}

void* resolve(Hook hook) {
    void* library = driver_library();
    void* found = library != nullptr ? real_dlsym(library, name_of(hook)) : nullptr;
    if (found != nullptr) {
        real_functions[static_cast<size_t>(hook)].store(found, std::memory_order_release);
    }
    return found;
}

void remember_real(Hook hook, void* function) {
    if (real_function(hook) == nullptr) {
        real_functions[static_cast<size_t>(hook)].store(function, std::memory_order_release);
    }
}

CUresult missing_function() {
    return driver_library() == nullptr ? CUDA_ERROR_NOT_INITIALIZED : CUDA_ERROR_NOT_SUPPORTED;
}

void* substitute(const char* symbol, void* real, int version, uint64_t flags) {
    if (is_wrapper(real)) {
        return real;
    }
    bool per_thread = (flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) != 0;
    const HookEntry* best = nullptr;
    for (const HookEntry& candidate : hook_entries) {
        Hook hook = static_cast<Hook>(&candidate - hook_entries);
        bool alias = hook == Hook::cuGraphInstantiateWithFlags && version >= instantiate_with_flags_since &&
                     std::strcmp(symbol, instantiate_symbol) == 0;
        if (!alias && std::strcmp(candidate.symbol, symbol) != 0) {
            continue;
        }
        if (real_function(hook) == real) {
            return candidate.wrapper;  // certain, whatever the version
        }
        if (candidate.since > version || (candidate.per_thread && !per_thread)) {
            continue;
        }
        // The newest one; at the same age, the per-thread one where it was asked for.
        if (best == nullptr || alias || candidate.since > best->since ||
            (candidate.since == best->since && candidate.per_thread)) {
            best = &candidate;
        }
    }
    if (best == nullptr) {
        return real;
    }
    if (same_addresses()) {
        // A version of this function that was published after this library: its arguments are unknown.
        log(Level::error, "%s for CUDA %d is unknown to this preload: calls to it are not covered", symbol, version);
        return real;
    }
    remember_real(static_cast<Hook>(best - hook_entries), real);
    return best->wrapper;
}

}  // namespace gpusnap::preload
