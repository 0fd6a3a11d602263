// Puts work on a stream: the rules of the legacy stream, and capture.
#pragma once

#include <cuda_abi.h>

#include <memory>
#include <vector>

#include "work/context.h"

namespace gpusnap::simulated {

// While one lives on a thread, stream handle 0 means that thread's own default stream (the _ptsz and _ptds entry points).
class PerThreadDefault {
 public:
  PerThreadDefault();
  ~PerThreadDefault();
};

// The stream that a handle means in the current context.
std::shared_ptr<Stream> stream_of(CUstream handle);

// Runs after everything that the stream's order demands; captured instead if the stream captures.
// The ticket of captured work is done.
Ticket submit(const std::shared_ptr<Stream>& stream, CUgraphNodeType type, Work work, std::vector<Ticket> waits = {});
// For calls that return when their work is done. Throws what the work threw.
void submit_and_wait(const std::shared_ptr<Stream>& stream, CUgraphNodeType type, Work work);

bool capturing(const Stream& stream);
void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode);
std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream);
// Throws CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, and spoils the capture, where the stream captures.
void refuse_while_capturing(Stream& stream);
// The same for calls that touch no stream (cuMemAlloc, cuMemFree) and so could disturb anybody's capture.
void refuse_unsafe_call();
CUstreamCaptureMode exchange_capture_mode(CUstreamCaptureMode mode);

void record_event(Event& event, const std::shared_ptr<Stream>& stream);
void wait_event(const std::shared_ptr<Stream>& stream, Event& event);

}  // namespace gpusnap::simulated
