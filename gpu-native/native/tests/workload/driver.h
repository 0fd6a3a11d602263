// How the workload reaches the driver: the four ways that real programs use.
#pragma once

#include <stdexcept>
#include <string>

#include "cuda_abi.h"

namespace workload {

// Every function the workload calls: F(export, symbol for cuGetProcAddress, version, type).
#define WORKLOAD_FUNCTIONS(F)                                                                                         \
    F(cuInit, "cuInit", 2000, (unsigned int))                                                                        \
    F(cuDeviceGet, "cuDeviceGet", 2000, (CUdevice*, int))                                                             \
    F(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", 7000, (CUcontext*, CUdevice))                             \
    F(cuDevicePrimaryCtxRelease_v2, "cuDevicePrimaryCtxRelease", 11000, (CUdevice))                                   \
    F(cuDevicePrimaryCtxReset_v2, "cuDevicePrimaryCtxReset", 11000, (CUdevice))                                       \
    F(cuDeviceCanAccessPeer, "cuDeviceCanAccessPeer", 4000, (int*, CUdevice, CUdevice))                               \
    F(cuCtxEnablePeerAccess, "cuCtxEnablePeerAccess", 4000, (CUcontext, unsigned int))                                \
    F(cuCtxDisablePeerAccess, "cuCtxDisablePeerAccess", 4000, (CUcontext))                                            \
    F(cuCtxSetCurrent, "cuCtxSetCurrent", 4000, (CUcontext))                                                          \
    F(cuCtxSynchronize, "cuCtxSynchronize", 2000, (void))                                                             \
    F(cuMemGetInfo_v2, "cuMemGetInfo", 3020, (size_t*, size_t*))                                                      \
    F(cuMemAlloc_v2, "cuMemAlloc", 3020, (CUdeviceptr*, size_t))                                                      \
    F(cuMemAllocPitch_v2, "cuMemAllocPitch", 3020, (CUdeviceptr*, size_t*, size_t, size_t, unsigned int))             \
    F(cuMemAllocManaged, "cuMemAllocManaged", 6000, (CUdeviceptr*, size_t, unsigned int))                             \
    F(cuMemFree_v2, "cuMemFree", 3020, (CUdeviceptr))                                                                 \
    F(cuMemGetAddressRange_v2, "cuMemGetAddressRange", 3020, (CUdeviceptr*, size_t*, CUdeviceptr))                    \
    F(cuPointerGetAttribute, "cuPointerGetAttribute", 4000, (void*, CUpointer_attribute, CUdeviceptr))                \
    F(cuMemcpyHtoD_v2, "cuMemcpyHtoD", 3020, (CUdeviceptr, const void*, size_t))                                      \
    F(cuMemcpyDtoH_v2, "cuMemcpyDtoH", 3020, (void*, CUdeviceptr, size_t))                                            \
    F(cuMemsetD8_v2, "cuMemsetD8", 3020, (CUdeviceptr, unsigned char, size_t))                                        \
    F(cuMemsetD8Async, "cuMemsetD8Async", 3020, (CUdeviceptr, unsigned char, size_t, CUstream))                       \
    F(cuMemcpyDtoHAsync_v2, "cuMemcpyDtoHAsync", 3020, (void*, CUdeviceptr, size_t, CUstream))                        \
    F(cuMemAllocAsync, "cuMemAllocAsync", 11020, (CUdeviceptr*, size_t, CUstream))                                    \
    F(cuMemAllocFromPoolAsync, "cuMemAllocFromPoolAsync", 11020, (CUdeviceptr*, size_t, CUmemoryPool, CUstream))      \
    F(cuMemFreeAsync, "cuMemFreeAsync", 11020, (CUdeviceptr, CUstream))                                               \
    F(cuDeviceGetDefaultMemPool, "cuDeviceGetDefaultMemPool", 11020, (CUmemoryPool*, CUdevice))                       \
    F(cuMemPoolCreate, "cuMemPoolCreate", 11020, (CUmemoryPool*, const CUmemPoolProps*))                              \
    F(cuMemPoolSetAttribute, "cuMemPoolSetAttribute", 11020, (CUmemoryPool, CUmemPool_attribute, void*))              \
    F(cuMemPoolGetAttribute, "cuMemPoolGetAttribute", 11020, (CUmemoryPool, CUmemPool_attribute, void*))              \
    F(cuMemPoolTrimTo, "cuMemPoolTrimTo", 11020, (CUmemoryPool, size_t))                                              \
    F(cuMemGetAllocationGranularity, "cuMemGetAllocationGranularity", 10020,                                          \
      (size_t*, const CUmemAllocationProp*, CUmemAllocationGranularity_flags))                                        \
    F(cuMemCreate, "cuMemCreate", 10020,                                                                              \
      (CUmemGenericAllocationHandle*, size_t, const CUmemAllocationProp*, unsigned long long))                        \
    F(cuMemRelease, "cuMemRelease", 10020, (CUmemGenericAllocationHandle))                                            \
    F(cuMemAddressReserve, "cuMemAddressReserve", 10020,                                                              \
      (CUdeviceptr*, size_t, size_t, CUdeviceptr, unsigned long long))                                                \
    F(cuMemAddressFree, "cuMemAddressFree", 10020, (CUdeviceptr, size_t))                                             \
    F(cuMemMap, "cuMemMap", 10020, (CUdeviceptr, size_t, size_t, CUmemGenericAllocationHandle, unsigned long long))   \
    F(cuMemUnmap, "cuMemUnmap", 10020, (CUdeviceptr, size_t))                                                         \
    F(cuMemSetAccess, "cuMemSetAccess", 10020, (CUdeviceptr, size_t, const CUmemAccessDesc*, size_t))                 \
    F(cuMemGetAccess, "cuMemGetAccess", 10020, (unsigned long long*, const CUmemLocation*, CUdeviceptr))              \
    F(cuMemRetainAllocationHandle, "cuMemRetainAllocationHandle", 11000, (CUmemGenericAllocationHandle*, void*))      \
    F(cuMemGetAllocationPropertiesFromHandle, "cuMemGetAllocationPropertiesFromHandle", 10020,                        \
      (CUmemAllocationProp*, CUmemGenericAllocationHandle))                                                           \
    F(cuMemExportToShareableHandle, "cuMemExportToShareableHandle", 10020,                                            \
      (void*, CUmemGenericAllocationHandle, CUmemAllocationHandleType, unsigned long long))                           \
    F(cuMemImportFromShareableHandle, "cuMemImportFromShareableHandle", 10020,                                        \
      (CUmemGenericAllocationHandle*, void*, CUmemAllocationHandleType))                                              \
    F(cuMulticastCreate, "cuMulticastCreate", 12010, (CUmemGenericAllocationHandle*, const CUmulticastObjectProp*))   \
    F(cuIpcGetMemHandle, "cuIpcGetMemHandle", 4010, (CUipcMemHandle*, CUdeviceptr))                                   \
    F(cuStreamCreate, "cuStreamCreate", 2000, (CUstream*, unsigned int))                                              \
    F(cuStreamDestroy_v2, "cuStreamDestroy", 4000, (CUstream))                                                        \
    F(cuStreamSynchronize, "cuStreamSynchronize", 2000, (CUstream))                                                   \
    F(cuStreamQuery, "cuStreamQuery", 2000, (CUstream))                                                               \
    F(cuEventCreate, "cuEventCreate", 2000, (CUevent*, unsigned int))                                                 \
    F(cuEventRecord, "cuEventRecord", 2000, (CUevent, CUstream))                                                      \
    F(cuEventQuery, "cuEventQuery", 2000, (CUevent))                                                                  \
    F(cuEventSynchronize, "cuEventSynchronize", 2000, (CUevent))                                                      \
    F(cuEventElapsedTime, "cuEventElapsedTime", 2000, (float*, CUevent, CUevent))                                     \
    F(cuStreamBeginCapture_v2, "cuStreamBeginCapture", 10010, (CUstream, CUstreamCaptureMode))                        \
    F(cuStreamEndCapture, "cuStreamEndCapture", 10000, (CUstream, CUgraph*))                                          \
    F(cuLaunchHostFunc, "cuLaunchHostFunc", 10000, (CUstream, CUhostFn, void*))

struct Functions {
#define WORKLOAD_MEMBER(name, symbol, version, parameters) CUresult(*name) parameters = nullptr;
    WORKLOAD_FUNCTIONS(WORKLOAD_MEMBER)
#undef WORKLOAD_MEMBER
};

// "symbol" (as a program linked against libcuda), "dlsym", "proc1" or "proc2" (cuGetProcAddress, either version).
const Functions& by(const std::string& way);
// The functions found by dlsym.
const Functions& driver();

struct CudaError : std::runtime_error {
    CudaError(const char* call, CUresult result)
        : std::runtime_error(std::string(call) + " " + std::to_string(static_cast<int>(result))) {}
};

inline void check(CUresult result, const char* call) {
    if (result != CUDA_SUCCESS) {
        throw CudaError(call, result);
    }
}
#define DRIVER_CALL(functions, name, ...) ::workload::check((functions).name(__VA_ARGS__), #name)

}  // namespace workload
