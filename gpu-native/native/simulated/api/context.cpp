#include "work/context.h"

#include "core/call.h"
#include "core/device.h"
#include "core/settings.h"
#include "memory/memory.h"
#include "work/submit.h"

using namespace gpusnap::simulated;

namespace {

CUcontext handle_of(Context* context) { return reinterpret_cast<CUcontext>(context); }

std::shared_ptr<Context> context_of(CUcontext handle) { return contexts().get(handle, CUDA_ERROR_INVALID_CONTEXT); }

std::shared_ptr<Context> context_or_current(CUcontext handle) {
  return handle == nullptr ? current_context() : context_of(handle);
}

void create(CUcontext* out, unsigned flags, CUdevice device) {
  require(out != nullptr);
  devices().gpu(device);
  const auto context = std::make_shared<Context>(device, flags, false);
  *out = contexts().add<CUcontext>(context);
  push_context(context.get());
}

void synchronize(const std::shared_ptr<Context>& context) {
  for (const auto& stream : context->streams) refuse_while_capturing(*stream);
  context->synchronize();
  require(context->sticky_error == CUDA_SUCCESS, context->sticky_error);
}

void device_of(CUdevice* device, CUcontext context) {
  require(device != nullptr);
  *device = context_or_current(context)->device;
}

}  // namespace

GPUSNAP_SIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return call(__func__, [&] {
    require(context != nullptr);
    *context = handle_of(retain_primary(device).get());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call(__func__, [&] { release_primary(device); });
}

GPUSNAP_SIM_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call(__func__, [&] { reset_primary(device); });
}

GPUSNAP_SIM_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned int flags) {
  return call(__func__, [&] { primary_flags(device) = flags; });
}

GPUSNAP_SIM_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned int* flags, int* active) {
  return call(__func__, [&] {
    require(flags != nullptr && active != nullptr);
    *flags = primary_flags(device);
    *active = primary_active(device) ? 1 : 0;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
  return call(__func__, [&] { create(context, flags, device); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxCreate_v3(CUcontext* context, void* affinity, int count, unsigned int flags,
                                           CUdevice device) {
  return call(__func__, [&] {
    require(affinity == nullptr && count == 0, CUDA_ERROR_NOT_SUPPORTED);  // that needs MPS
    create(context, flags, device);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* params, unsigned int flags,
                                           CUdevice device) {
  return call(__func__, [&] {
    const bool plain = params == nullptr || (params->numExecAffinityParams == 0 && params->cigParams == nullptr);
    require(plain, CUDA_ERROR_NOT_SUPPORTED);
    create(context, flags, device);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxDestroy_v2(CUcontext handle) {
  return call(__func__, [&] {
    const auto context = context_of(handle);
    require(!context->primary, CUDA_ERROR_INVALID_CONTEXT);
    context->tear_down();
    contexts().take(handle);
    if (current_context_or_null() == context.get()) pop_context();
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  return call(__func__, [&] { push_context(context_of(context).get()); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  return call(__func__, [&] {
    Context* const top = pop_context();
    if (context != nullptr) *context = handle_of(top);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  return call(__func__, [&] { set_context(context == nullptr ? nullptr : context_of(context).get()); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetCurrent(CUcontext* context) {
  return call(__func__, [&] {
    require(context != nullptr);
    *context = handle_of(current_context_or_null());
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  return call(__func__, [&] { device_of(device, nullptr); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetDevice_v2(CUdevice* device, CUcontext context) {
  return call(__func__, [&] { device_of(device, context); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetFlags(unsigned int* flags) {
  return call(__func__, [&] {
    require(flags != nullptr);
    *flags = current_context()->flags;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetId(CUcontext context, unsigned long long* id) {
  return call(__func__, [&] {
    require(id != nullptr);
    *id = context_or_current(context)->id;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetApiVersion(CUcontext context, unsigned int* version) {
  return call(__func__, [&] {
    require(version != nullptr);
    context_or_current(context);
    *version = 3020;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxSynchronize(void) {
  return call_past_lock(__func__, [&] { synchronize(current_context()); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxSynchronize_v2(CUcontext context) {
  return call_past_lock(__func__, [&] { synchronize(context_or_current(context)); });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxSetLimit(CUlimit limit, size_t) {
  return call(__func__, [&] {
    current_context();
    require(limit >= CU_LIMIT_STACK_SIZE && limit <= CU_LIMIT_MALLOC_HEAP_SIZE, CUDA_ERROR_UNSUPPORTED_LIMIT);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetLimit(size_t* value, CUlimit limit) {
  return call(__func__, [&] {
    require(value != nullptr);
    current_context();
    switch (limit) {
      case CU_LIMIT_STACK_SIZE:
        *value = 1024;
        return;
      case CU_LIMIT_PRINTF_FIFO_SIZE:
        *value = 1 << 20;
        return;
      case CU_LIMIT_MALLOC_HEAP_SIZE:
        *value = 8 << 20;
        return;
    }
    fail(CUDA_ERROR_UNSUPPORTED_LIMIT);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return call(__func__, [&] {
    current_context();
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = -5;
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  return call(__func__, [&] {
    require(flags == 0);
    require(context_of(peer)->device != current_context()->device, CUDA_ERROR_INVALID_DEVICE);
  });
}

GPUSNAP_SIM_EXPORT CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  return call(__func__, [&] {
    current_context();
    context_of(peer);
  });
}
