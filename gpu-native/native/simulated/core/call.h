// The frame of every exported function: fork, failure injection, gate, initialisation, and exceptions turned into results.
#pragma once

#include <cuda_abi.h>

#include <csignal>
#include <new>

#include "checkpoint/machine.h"
#include "core/error.h"
#include "core/failure.h"
#include "core/gate.h"
#include "core/process.h"

#define GPUSNAP_SIM_EXPORT extern "C" __attribute__((visibility("default")))

namespace gpusnap::simulated {

// Converts what `body` throws.
template <class Body>
CUresult guarded(const char* name, Body&& body) noexcept {
  try {
    if (forked()) return CUDA_ERROR_NOT_INITIALIZED;
    if (const auto injected = failures().next(name)) return *injected;
    body();
    return CUDA_SUCCESS;
  } catch (const Error& error) {
    return error.code;
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  } catch (...) {
    return CUDA_ERROR_UNKNOWN;
  }
}

// An ordinary call: waits while the process is locked, and needs cuInit.
template <class Body>
CUresult call(const char* name, Body&& body) noexcept {
  if (forked()) return CUDA_ERROR_NOT_INITIALIZED;
  const Gate::Pass pass(gate());
  return guarded(name, [&] {
    require(initialised(), CUDA_ERROR_NOT_INITIALIZED);
    body();
  });
}

// A wait or a query: the lock does not hold it up, and in a process that is checkpointed it reads what the driver has taken
// away. Measured on an H200 (580.159): all of them end the process with SIGSEGV.
template <class Body>
CUresult call_past_lock(const char* name, Body&& body) noexcept {
  if (checkpoint_machine().state() == CU_PROCESS_STATE_CHECKPOINTED) std::raise(SIGSEGV);
  return guarded(name, [&] {
    require(initialised(), CUDA_ERROR_NOT_INITIALIZED);
    body();
  });
}

}  // namespace gpusnap::simulated

// Defines `name` for the legacy default stream and name##suffix for the per-thread one, from one body.
#define GPUSNAP_SIM_STREAM_CALL(name, suffix, parameters, arguments)        \
  static CUresult name##_body parameters noexcept;                          \
  GPUSNAP_SIM_EXPORT CUresult name parameters { return name##_body arguments; } \
  GPUSNAP_SIM_EXPORT CUresult name##suffix parameters {                     \
    const gpusnap::simulated::PerThreadDefault scope;                       \
    return name##_body arguments;                                           \
  }                                                                         \
  static CUresult name##_body parameters noexcept
