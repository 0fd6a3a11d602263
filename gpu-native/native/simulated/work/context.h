// Contexts, their streams and events, and which context is current on a thread.
#pragma once

#include <cuda_abi.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "core/registry.h"
#include "work/graph.h"
#include "work/queue.h"

namespace gpusnap::simulated {

struct Context;

struct Stream : std::enable_shared_from_this<Stream> {
  enum class Role { kOrdinary, kLegacy, kPerThread };
  Stream(Context* owner, unsigned flags, int priority, Role role);

  Context* const context;
  const unsigned flags;
  const int priority;
  const Role role;
  const uint64_t id;
  const std::shared_ptr<Queue> queue;
  std::shared_ptr<Capture> capture;  // under the context's submission lock
  bool unjoined = false;             // captured work since the capture's origin last waited for this stream

  bool blocking() const { return role != Role::kLegacy && (flags & CU_STREAM_NON_BLOCKING) == 0; }
};

struct Event {
  unsigned flags;
  std::mutex mutex;
  Ticket recorded;  // of the last record
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
  std::shared_ptr<Capture> capture;
  std::weak_ptr<Stream> captured_on;
  bool ever_recorded = false;
};

struct Context : std::enable_shared_from_this<Context> {
  Context(CUdevice ordinal, unsigned flags, bool is_primary);

  const CUdevice device;
  std::atomic<unsigned> flags;
  const bool primary;
  const uint64_t id;
  std::atomic<CUresult> sticky_error{CUDA_SUCCESS};
  std::mutex submission;  // orders submissions between the context's streams
  std::set<std::shared_ptr<Stream>> streams;
  std::shared_ptr<Stream> legacy;

  std::shared_ptr<Stream> per_thread_stream();
  std::vector<Ticket> everything();
  void synchronize();
  // Ends the streams once their work is done, and frees the memory.
  void tear_down();
};

Registry<Context>& contexts();
Registry<Event>& events();

std::shared_ptr<Context> current_context();  // throws CUDA_ERROR_INVALID_CONTEXT, or the context's sticky error
Context* current_context_or_null();
void push_context(Context* context);
Context* pop_context();
void set_context(Context* context);

std::shared_ptr<Context> retain_primary(CUdevice device);
void release_primary(CUdevice device);
void reset_primary(CUdevice device);
bool primary_active(CUdevice device);
std::atomic<unsigned>& primary_flags(CUdevice device);

// Everything submitted in this process is done; false at the deadline.
bool drain_all(const Deadline& deadline);
// cuMemFree and its kin wait for the device.
void synchronize_device(CUdevice device);

}  // namespace gpusnap::simulated
