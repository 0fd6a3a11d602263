#include "work/context.h"

#include <map>

#include "core/device.h"
#include "memory/memory.h"

namespace gpusnap::simulated {
namespace {

std::atomic<uint64_t> next_id{1};
thread_local std::vector<Context*> stack;

struct Primary {
  std::shared_ptr<Context> context;
  unsigned references = 0;
  std::atomic<unsigned> flags{0};
};

std::mutex primary_mutex;

struct PerThreadStreams {
  std::map<uint64_t, std::shared_ptr<Stream>> by_context;
  ~PerThreadStreams() {
    for (const auto& [context, stream] : by_context) stream->queue->close();
  }
};

Primary& primary(CUdevice device) {
  static auto* all = new std::map<CUdevice, Primary>;
  static auto* mutex = new std::mutex;
  const std::lock_guard lock(*mutex);
  devices().gpu(device);
  return (*all)[device];
}

void end(const std::shared_ptr<Context>& context) {
  context->tear_down();
  contexts().take(context.get());
}

}  // namespace

Stream::Stream(Context* owner, unsigned stream_flags, int stream_priority, Role stream_role)
    : context(owner),
      flags(stream_flags),
      priority(stream_priority),
      role(stream_role),
      id(next_id++),
      queue(std::make_shared<Queue>([owner](CUresult error) { owner->sticky_error = error; })) {}

Context::Context(CUdevice ordinal, unsigned context_flags, bool is_primary)
    : device(ordinal),
      flags(context_flags),
      primary(is_primary),
      id(next_id++),
      legacy(std::make_shared<Stream>(this, 0u, 0, Stream::Role::kLegacy)) {}

std::shared_ptr<Stream> Context::per_thread_stream() {
  thread_local PerThreadStreams mine;
  auto& stream = mine.by_context[id];
  if (!stream) {
    stream = std::make_shared<Stream>(this, 0u, 0, Stream::Role::kPerThread);
    const std::lock_guard lock(submission);
    streams.insert(stream);
  }
  return stream;
}

std::vector<Ticket> Context::everything() {
  const std::lock_guard lock(submission);
  std::vector<Ticket> tickets{legacy->queue->last()};
  for (const auto& stream : streams) tickets.push_back(stream->queue->last());
  return tickets;
}

void Context::synchronize() {
  for (const Ticket& ticket : everything()) ticket.wait();
}

void Context::tear_down() {
  synchronize();
  {
    const std::lock_guard lock(submission);
    legacy->queue->close();
    for (const auto& stream : streams) stream->queue->close();
    streams.clear();
  }
  memory().free_of(this);
}

Registry<Context>& contexts() {
  static auto* instance = new Registry<Context>;
  return *instance;
}

Registry<Event>& events() {
  static auto* instance = new Registry<Event>;
  return *instance;
}

Context* current_context_or_null() { return stack.empty() ? nullptr : stack.back(); }

std::shared_ptr<Context> current_context() {
  require(!stack.empty() && stack.back() != nullptr, CUDA_ERROR_INVALID_CONTEXT);
  const auto context = contexts().get(stack.back(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  require(context->sticky_error == CUDA_SUCCESS, context->sticky_error);
  return context;
}

void push_context(Context* context) { stack.push_back(context); }

Context* pop_context() {
  require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
  Context* const top = stack.back();
  stack.pop_back();
  return top;
}

void set_context(Context* context) {
  if (!stack.empty()) stack.pop_back();
  if (context != nullptr) stack.push_back(context);
}

std::shared_ptr<Context> retain_primary(CUdevice device) {
  Primary& slot = primary(device);
  const std::lock_guard lock(primary_mutex);
  if (!slot.context) {
    slot.context = std::make_shared<Context>(device, slot.flags.load(), true);
    contexts().add<CUcontext>(slot.context);
  }
  ++slot.references;
  return slot.context;
}

void release_primary(CUdevice device) {
  Primary& slot = primary(device);
  const std::lock_guard lock(primary_mutex);
  require(slot.references > 0, CUDA_ERROR_INVALID_CONTEXT);
  if (--slot.references > 0) return;
  end(slot.context);
  slot.context.reset();
}

void reset_primary(CUdevice device) {
  Primary& slot = primary(device);
  const std::lock_guard lock(primary_mutex);
  if (!slot.context) return;
  end(slot.context);
  slot.context.reset();
  slot.references = 0;
}

bool primary_active(CUdevice device) {
  Primary& slot = primary(device);
  const std::lock_guard lock(primary_mutex);
  return slot.context != nullptr;
}

std::atomic<unsigned>& primary_flags(CUdevice device) { return primary(device).flags; }

bool drain_all(const Deadline& deadline) {
  for (const auto& context : contexts().all()) {
    for (const Ticket& ticket : context->everything()) {
      if (!ticket.wait(deadline)) return false;
    }
  }
  return true;
}

void synchronize_device(CUdevice device) {
  for (const auto& context : contexts().all()) {
    if (context->device == device) context->synchronize();
  }
}

}  // namespace gpusnap::simulated
