// The memcpy and memset families. The plain ones return when the bytes are there, the Async ones when they are queued.
#include "work/copy.h"

#include "core/call.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

constexpr CUgraphNodeType kCopy = CU_GRAPH_NODE_TYPE_MEMCPY;
constexpr CUgraphNodeType kFill = CU_GRAPH_NODE_TYPE_MEMSET;

uint64_t address_of(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

CUdevice device_of(CUcontext context) { return contexts().get(context)->device; }

void queue(CUstream stream, CUgraphNodeType type, Work work) { submit(stream_of(stream), type, std::move(work)); }
void now(CUgraphNodeType type, Work work) { submit_and_wait(stream_of(nullptr), type, std::move(work)); }

}  // namespace

#define SYNC_CALL(name, parameters, arguments, type, work)                    \
  GPUSNAP_SIM_STREAM_CALL(name, _ptds, parameters, arguments) {               \
    return call(#name, [&] {                                                  \
      [[maybe_unused]] const CUdevice by = current_context()->device;         \
      now(type, work);                                                        \
    });                                                                       \
  }
#define ASYNC_CALL(name, parameters, arguments, type, work)                   \
  GPUSNAP_SIM_STREAM_CALL(name, _ptsz, parameters, arguments) {               \
    return call(#name, [&] {                                                  \
      [[maybe_unused]] const CUdevice by = stream_of(stream)->context->device; \
      queue(stream, type, work);                                              \
    });                                                                       \
  }

SYNC_CALL(cuMemcpy, (CUdeviceptr to, CUdeviceptr from, size_t size), (to, from, size), kCopy, copy_work({by, to}, {by, from}, size))
SYNC_CALL(cuMemcpyHtoD_v2, (CUdeviceptr to, const void* from, size_t size), (to, from, size), kCopy,
          copy_work({by, to}, {by, address_of(from)}, size))
SYNC_CALL(cuMemcpyDtoH_v2, (void* to, CUdeviceptr from, size_t size), (to, from, size), kCopy,
          copy_work({by, address_of(to)}, {by, from}, size))
SYNC_CALL(cuMemcpyDtoD_v2, (CUdeviceptr to, CUdeviceptr from, size_t size), (to, from, size), kCopy,
          copy_work({by, to}, {by, from}, size))
SYNC_CALL(cuMemcpyPeer, (CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context, size_t size),
          (to, to_context, from, from_context, size), kCopy,
          copy_work({device_of(to_context), to}, {device_of(from_context), from}, size))
SYNC_CALL(cuMemcpy2D_v2, (const CUDA_MEMCPY2D* copy), (copy), kCopy, (require(copy != nullptr), copy_work(by, *copy)))
SYNC_CALL(cuMemcpy2DUnaligned_v2, (const CUDA_MEMCPY2D* copy), (copy), kCopy, (require(copy != nullptr), copy_work(by, *copy)))
SYNC_CALL(cuMemcpy3D_v2, (const CUDA_MEMCPY3D* copy), (copy), kCopy, (require(copy != nullptr), copy_work(by, *copy)))

ASYNC_CALL(cuMemcpyAsync, (CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream), (to, from, size, stream),
           kCopy, copy_work({by, to}, {by, from}, size))
ASYNC_CALL(cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void* from, size_t size, CUstream stream),
           (to, from, size, stream), kCopy, copy_work({by, to}, {by, address_of(from)}, size))
ASYNC_CALL(cuMemcpyDtoHAsync_v2, (void* to, CUdeviceptr from, size_t size, CUstream stream), (to, from, size, stream),
           kCopy, copy_work({by, address_of(to)}, {by, from}, size))
ASYNC_CALL(cuMemcpyDtoDAsync_v2, (CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream),
           (to, from, size, stream), kCopy, copy_work({by, to}, {by, from}, size))
ASYNC_CALL(cuMemcpyPeerAsync,
           (CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context, size_t size, CUstream stream),
           (to, to_context, from, from_context, size, stream), kCopy,
           copy_work({device_of(to_context), to}, {device_of(from_context), from}, size))
ASYNC_CALL(cuMemcpy2DAsync_v2, (const CUDA_MEMCPY2D* copy, CUstream stream), (copy, stream), kCopy,
           (require(copy != nullptr), copy_work(by, *copy)))
ASYNC_CALL(cuMemcpy3DAsync_v2, (const CUDA_MEMCPY3D* copy, CUstream stream), (copy, stream), kCopy,
           (require(copy != nullptr), copy_work(by, *copy)))

SYNC_CALL(cuMemsetD8_v2, (CUdeviceptr to, unsigned char value, size_t count), (to, value, count), kFill,
          fill_work(by, to, 0, value, 1, count, 1))
SYNC_CALL(cuMemsetD16_v2, (CUdeviceptr to, unsigned short value, size_t count), (to, value, count), kFill,
          fill_work(by, to, 0, value, 2, count, 1))
SYNC_CALL(cuMemsetD32_v2, (CUdeviceptr to, unsigned int value, size_t count), (to, value, count), kFill,
          fill_work(by, to, 0, value, 4, count, 1))
SYNC_CALL(cuMemsetD2D8_v2, (CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height),
          (to, pitch, value, width, height), kFill, fill_work(by, to, pitch, value, 1, width, height))
SYNC_CALL(cuMemsetD2D16_v2, (CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height),
          (to, pitch, value, width, height), kFill, fill_work(by, to, pitch, value, 2, width, height))
SYNC_CALL(cuMemsetD2D32_v2, (CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height),
          (to, pitch, value, width, height), kFill, fill_work(by, to, pitch, value, 4, width, height))

ASYNC_CALL(cuMemsetD8Async, (CUdeviceptr to, unsigned char value, size_t count, CUstream stream),
           (to, value, count, stream), kFill, fill_work(by, to, 0, value, 1, count, 1))
ASYNC_CALL(cuMemsetD16Async, (CUdeviceptr to, unsigned short value, size_t count, CUstream stream),
           (to, value, count, stream), kFill, fill_work(by, to, 0, value, 2, count, 1))
ASYNC_CALL(cuMemsetD32Async, (CUdeviceptr to, unsigned int value, size_t count, CUstream stream),
           (to, value, count, stream), kFill, fill_work(by, to, 0, value, 4, count, 1))
ASYNC_CALL(cuMemsetD2D8Async,
           (CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height, CUstream stream),
           (to, pitch, value, width, height, stream), kFill, fill_work(by, to, pitch, value, 1, width, height))
ASYNC_CALL(cuMemsetD2D16Async,
           (CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height, CUstream stream),
           (to, pitch, value, width, height, stream), kFill, fill_work(by, to, pitch, value, 2, width, height))
ASYNC_CALL(cuMemsetD2D32Async,
           (CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height, CUstream stream),
           (to, pitch, value, width, height, stream), kFill, fill_work(by, to, pitch, value, 4, width, height))
