// The table of interposed driver functions: names, our wrappers, and the driver's own functions behind them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cuda_abi.h"

namespace gpusnap::preload {

enum class Hook : uint16_t {
#define OWN(name, symbol, since, suffix, parameters, arguments) name,
#define GATED(name, symbol, since, suffix, parameters, arguments) name,
#include "preload/gated.def"
#include "preload/own.def"
#undef OWN
#undef GATED
    count,
    first_internal = count - 1,
#define INTERNAL(name, parameters, arguments) name,
#include "preload/internal.def"
#undef INTERNAL
    end
};

struct HookEntry {
    const char* name;    // export of libcuda
    const char* symbol;  // as cuGetProcAddress knows it
    int since;           // CUDA version of this export
    bool per_thread;
    void* wrapper;
};

const HookEntry& entry(Hook hook);
// Null when the name is not interposed.
const HookEntry* find_hook(const char* name);
bool is_wrapper(const void* address);

// libcuda's handle; null while it is not loaded. Never loads it.
void* driver_library();
// The driver's function behind a hook; null when the driver has none.
void* resolve(Hook hook);
// Keeps what the driver itself handed out, where its export table had nothing under that name.
void remember_real(Hook hook, void* function);

// The wrapper to give to a caller that asked cuGetProcAddress for `symbol` and was answered with `real`;
// `real` itself where that is not interposed.
void* substitute(const char* symbol, void* real, int version, uint64_t flags);

extern std::atomic<void*> real_functions[static_cast<size_t>(Hook::end)];

inline void* real_function(Hook hook) {
    void* function = real_functions[static_cast<size_t>(hook)].load(std::memory_order_acquire);
    return function != nullptr ? function : resolve(hook);
}

// What a program linked against libcuda sees when the driver has no such function.
CUresult missing_function();

namespace real {
#define DEFINE_REAL(name, parameters, arguments)                                                     \
    inline CUresult name parameters {                                                                \
        auto function = reinterpret_cast<CUresult(*) parameters>(real_function(Hook::name));         \
        return function != nullptr ? function arguments : missing_function();                        \
    }
#define OWN(name, symbol, since, suffix, parameters, arguments) DEFINE_REAL(name, parameters, arguments)
#define GATED(name, symbol, since, suffix, parameters, arguments) DEFINE_REAL(name, parameters, arguments)
#define INTERNAL(name, parameters, arguments) DEFINE_REAL(name, parameters, arguments)
#include "preload/gated.def"
#include "preload/internal.def"
#include "preload/own.def"
#undef OWN
#undef GATED
#undef INTERNAL
#undef DEFINE_REAL
}  // namespace real

// What the preload answers for the functions of own.def.
namespace own {
#define OWN(name, symbol, since, suffix, parameters, arguments) CUresult name parameters;
#include "preload/own.def"
#undef OWN
}  // namespace own

}  // namespace gpusnap::preload
