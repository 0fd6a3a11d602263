#include "work/submit.h"

#include "core/settings.h"

namespace gpusnap::simulated {
namespace {

thread_local unsigned per_thread_default = 0;
thread_local CUstreamCaptureMode thread_capture_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
std::atomic<uint64_t> next_capture{1};
std::atomic<unsigned> live_captures{0};

void invalidate(Stream& stream, CUresult code) {
  stream.capture->invalidated = true;
  fail(code);
}

// With the context's submission lock: what the legacy stream's rules make this work wait for.
std::vector<Ticket> implicit_waits(Context& context, const Stream& stream) {
  std::vector<Ticket> waits;
  if (stream.role == Stream::Role::kLegacy) {
    for (const auto& other : context.streams) {
      if (!other->blocking()) continue;
      if (other->capture && other->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED) {
        invalidate(*other, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
      }
      if (const Ticket last = other->queue->last(); !last.done()) waits.push_back(last);
    }
  } else if (stream.blocking()) {
    if (const Ticket last = context.legacy->queue->last(); !last.done()) waits.push_back(last);
  }
  return waits;
}

void add_captured(Stream& stream, CUgraphNodeType type, Work work) {
  require(!stream.capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  stream.capture->graph->add(type, std::move(work));
  if (stream.capture->origin != &stream) stream.unjoined = true;
}

}  // namespace

PerThreadDefault::PerThreadDefault() { ++per_thread_default; }
PerThreadDefault::~PerThreadDefault() { --per_thread_default; }

std::shared_ptr<Stream> stream_of(CUstream handle) {
  const auto context = current_context();
  if (handle == CU_STREAM_PER_THREAD || (handle == nullptr && per_thread_default > 0)) return context->per_thread_stream();
  if (handle == nullptr || handle == CU_STREAM_LEGACY) return context->legacy;
  for (const auto& known : contexts().all()) {
    const std::lock_guard lock(known->submission);
    for (const auto& stream : known->streams) {
      if (static_cast<const void*>(stream.get()) == handle) return stream;
    }
  }
  fail(CUDA_ERROR_INVALID_HANDLE);
}

Ticket submit(const std::shared_ptr<Stream>& stream, CUgraphNodeType type, Work work, std::vector<Ticket> waits) {
  std::unique_lock lock(stream->context->submission);
  if (stream->capture) {
    add_captured(*stream, type, std::move(work));
    return {};
  }
  for (Ticket& wait : implicit_waits(*stream->context, *stream)) waits.push_back(std::move(wait));
  if (settings().asynchronous) return stream->queue->submit(std::move(work), std::move(waits));
  lock.unlock();  // the work runs in this call
  return stream->queue->submit(std::move(work), std::move(waits));
}

void submit_and_wait(const std::shared_ptr<Stream>& stream, CUgraphNodeType type, Work work) {
  refuse_while_capturing(*stream);
  CUresult outcome = CUDA_SUCCESS;
  submit(stream, type, [&] {
    try {
      work();
    } catch (const Error& error) {
      outcome = error.code;
    }
  }).wait();
  require(outcome == CUDA_SUCCESS, outcome);
}

bool capturing(const Stream& stream) {
  const std::lock_guard lock(stream.context->submission);
  return stream.capture != nullptr;
}

void refuse_while_capturing(Stream& stream) {
  const std::lock_guard lock(stream.context->submission);
  if (stream.capture) invalidate(stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
}

void refuse_unsafe_call() {
  if (live_captures == 0 || thread_capture_mode == CU_STREAM_CAPTURE_MODE_RELAXED) return;
  for (const auto& context : contexts().all()) {
    const std::lock_guard lock(context->submission);
    for (const auto& stream : context->streams) {
      if (!stream->capture || stream->capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED) continue;
      const bool mine = stream->capture->thread == std::this_thread::get_id();
      const bool global = stream->capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL &&
                          thread_capture_mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
      if (mine || global) invalidate(*stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }
  }
}

CUstreamCaptureMode exchange_capture_mode(CUstreamCaptureMode mode) {
  const CUstreamCaptureMode before = thread_capture_mode;
  thread_capture_mode = mode;
  return before;
}

void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode) {
  require(stream->role != Stream::Role::kLegacy, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  const std::lock_guard lock(stream->context->submission);
  require(!stream->capture, CUDA_ERROR_ILLEGAL_STATE);
  stream->capture = std::make_shared<Capture>(
      Capture{std::make_shared<Graph>(), mode, std::this_thread::get_id(), stream.get(), next_capture++, false, {}});
  stream->capture->joined.push_back(stream);
  stream->unjoined = false;
  ++live_captures;
}

std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream) {
  const std::lock_guard lock(stream->context->submission);
  require(stream->capture != nullptr, CUDA_ERROR_ILLEGAL_STATE);
  const std::shared_ptr<Capture> capture = stream->capture;
  require(capture->origin == stream.get(), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  require(capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED || capture->thread == std::this_thread::get_id(),
          CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  bool unjoined = false;
  for (const auto& weak : capture->joined) {
    if (const auto member = weak.lock()) {
      unjoined = unjoined || member->unjoined;
      member->capture.reset();
      member->unjoined = false;
    }
  }
  --live_captures;
  require(!capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  require(!unjoined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  return capture->graph;
}

void record_event(Event& event, const std::shared_ptr<Stream>& stream) {
  auto time = std::make_shared<std::chrono::steady_clock::time_point>();
  const Ticket ticket =
      submit(stream, CU_GRAPH_NODE_TYPE_EVENT_RECORD, [time] { *time = std::chrono::steady_clock::now(); });
  const std::lock_guard submission(stream->context->submission);
  const std::lock_guard lock(event.mutex);
  event.capture = stream->capture;
  event.captured_on = stream;
  event.recorded = ticket;
  event.time = std::move(time);
  event.ever_recorded = true;
}

void wait_event(const std::shared_ptr<Stream>& stream, Event& event) {
  Ticket ticket;
  std::shared_ptr<Capture> capture;
  std::shared_ptr<Stream> source;
  {
    const std::lock_guard lock(event.mutex);
    if (!event.ever_recorded) return;
    ticket = event.recorded;
    capture = event.capture;
    source = event.captured_on.lock();
  }
  if (!capture) {
    if (capturing(*stream)) fail(CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    submit(stream, CU_GRAPH_NODE_TYPE_WAIT_EVENT, [] {}, {ticket});
    return;
  }
  const std::lock_guard lock(stream->context->submission);
  if (!stream->capture) {  // fork: this stream joins the capture
    stream->capture = capture;
    capture->joined.push_back(stream);
  }
  require(stream->capture == capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
  if (source && source != stream) source->unjoined = false;
}

}  // namespace gpusnap::simulated
