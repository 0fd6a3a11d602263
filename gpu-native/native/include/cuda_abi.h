/*
 * The part of the CUDA driver ABI (as of CUDA 13.0) that gpusnap uses, in our own words.
 *
 * gpusnap never links against the driver and needs no CUDA toolkit to build: it looks functions up at run
 * time by the names below. This header states only what the ABI fixes: sizes, field order, enum values,
 * signatures and the version that introduced each entry point. simulated/tests/abi_check.cpp compares all of
 * it with NVIDIA's own <cuda.h> wherever CMake finds one.
 *
 * Tables are X-macros, so that a user can generate declarations, function tables or wrappers:
 *   GPUSNAP_CUDA_ERRORS(E)       E(name, value, text)
 *   GPUSNAP_CUDA_FUNCTIONS(F)    F(symbol, since, export, parameters): `symbol` as cuGetProcAddress knows it,
 *                                `since` the CUDA version (1000 * major + 10 * minor) that introduced `export`
 *   GPUSNAP_CUDA_SUPERSEDED(F)   the same, for exports that a later one of the same symbol replaced
 *   GPUSNAP_CUDA_PER_THREAD(V)   V(symbol, since, export, suffix): export##suffix has export's signature and
 *                                means the per-thread default stream where export means the legacy one
 *
 * Define GPUSNAP_CUDA_ABI_TYPES_ONLY to get no function declarations.
 */
#ifndef GPUSNAP_CUDA_ABI_H
#define GPUSNAP_CUDA_ABI_H

#include <stddef.h>
#include <stdint.h>

/* ---- results ---- */
#define GPUSNAP_CUDA_ERRORS(E)                                                                    \
  E(CUDA_SUCCESS, 0, "no error")                                                                  \
  E(CUDA_ERROR_INVALID_VALUE, 1, "an argument is out of range")                                   \
  E(CUDA_ERROR_OUT_OF_MEMORY, 2, "not enough memory")                                             \
  E(CUDA_ERROR_NOT_INITIALIZED, 3, "the driver is not initialised")                               \
  E(CUDA_ERROR_DEINITIALIZED, 4, "the driver is shutting down")                                   \
  E(CUDA_ERROR_STUB_LIBRARY, 34, "the driver is a stub")                                          \
  E(CUDA_ERROR_DEVICE_UNAVAILABLE, 46, "the device is busy or unavailable")                       \
  E(CUDA_ERROR_NO_DEVICE, 100, "no device")                                                       \
  E(CUDA_ERROR_INVALID_DEVICE, 101, "no such device")                                             \
  E(CUDA_ERROR_INVALID_IMAGE, 200, "the module image cannot be loaded")                           \
  E(CUDA_ERROR_INVALID_CONTEXT, 201, "no valid context")                                          \
  E(CUDA_ERROR_MAP_FAILED, 205, "mapping failed")                                                 \
  E(CUDA_ERROR_UNMAP_FAILED, 206, "unmapping failed")                                             \
  E(CUDA_ERROR_ALREADY_MAPPED, 208, "already mapped")                                             \
  E(CUDA_ERROR_NO_BINARY_FOR_GPU, 209, "the module holds no code for this device")                \
  E(CUDA_ERROR_NOT_MAPPED, 211, "not mapped")                                                     \
  E(CUDA_ERROR_ECC_UNCORRECTABLE, 214, "uncorrectable memory error")                              \
  E(CUDA_ERROR_UNSUPPORTED_LIMIT, 215, "this limit is not supported")                             \
  E(CUDA_ERROR_CONTEXT_ALREADY_IN_USE, 216, "the context is in use")                              \
  E(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, 217, "the devices cannot reach each other")               \
  E(CUDA_ERROR_INVALID_PTX, 218, "the PTX does not compile")                                      \
  E(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, 221, "the driver's compiler is not installed")             \
  E(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222, "the PTX is newer than the driver")                  \
  E(CUDA_ERROR_JIT_COMPILATION_DISABLED, 223, "the driver's compiler is switched off")            \
  E(CUDA_ERROR_INVALID_SOURCE, 300, "invalid source")                                             \
  E(CUDA_ERROR_FILE_NOT_FOUND, 301, "file not found")                                             \
  E(CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND, 302, "a symbol of a shared object is missing")     \
  E(CUDA_ERROR_SHARED_OBJECT_INIT_FAILED, 303, "a shared object did not start")                   \
  E(CUDA_ERROR_OPERATING_SYSTEM, 304, "an operating system call failed")                          \
  E(CUDA_ERROR_INVALID_HANDLE, 400, "invalid handle")                                             \
  E(CUDA_ERROR_ILLEGAL_STATE, 401, "not allowed in the present state")                            \
  E(CUDA_ERROR_NOT_FOUND, 500, "not found")                                                       \
  E(CUDA_ERROR_NOT_READY, 600, "not finished yet")                                                \
  E(CUDA_ERROR_ILLEGAL_ADDRESS, 700, "illegal memory access")                                     \
  E(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, 701, "the launch needs too many resources")               \
  E(CUDA_ERROR_LAUNCH_TIMEOUT, 702, "the kernel ran too long")                                    \
  E(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, 704, "peer access is already on")                     \
  E(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, 705, "peer access is not on")                             \
  E(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, 708, "the primary context is active")                      \
  E(CUDA_ERROR_CONTEXT_IS_DESTROYED, 709, "the context was destroyed")                            \
  E(CUDA_ERROR_ASSERT, 710, "a device assertion failed")                                          \
  E(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, 712, "the host memory is already registered")      \
  E(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, 713, "the host memory is not registered")              \
  E(CUDA_ERROR_MISALIGNED_ADDRESS, 716, "misaligned address")                                     \
  E(CUDA_ERROR_LAUNCH_FAILED, 719, "the kernel failed")                                           \
  E(CUDA_ERROR_NOT_PERMITTED, 800, "not permitted")                                               \
  E(CUDA_ERROR_NOT_SUPPORTED, 801, "not supported")                                               \
  E(CUDA_ERROR_SYSTEM_NOT_READY, 802, "the system is not ready")                                  \
  E(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803, "display driver and CUDA driver differ")              \
  E(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, 900, "not allowed while a stream captures")            \
  E(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, 901, "the capture was spoiled by an earlier error")    \
  E(CUDA_ERROR_STREAM_CAPTURE_MERGE, 902, "two captures would merge")                             \
  E(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, 903, "the capture did not begin on this stream")         \
  E(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, 904, "a forked stream was not joined")                    \
  E(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, 905, "a dependency crosses the capture's border")        \
  E(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, 906, "an implicit dependency on the legacy stream")       \
  E(CUDA_ERROR_CAPTURED_EVENT, 907, "the event was last recorded in a capture")                   \
  E(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, 908, "the capture began on another thread")           \
  E(CUDA_ERROR_TIMEOUT, 909, "time ran out")                                                      \
  E(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, 910, "the graph cannot be updated in place")            \
  E(CUDA_ERROR_UNKNOWN, 999, "unknown error")

typedef enum CUresult {
#define GPUSNAP_CUDA_ENUMERATOR(name, value, text) name = value,
  GPUSNAP_CUDA_ERRORS(GPUSNAP_CUDA_ENUMERATOR)
#undef GPUSNAP_CUDA_ENUMERATOR
} CUresult;

/* ---- handles ---- */
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef unsigned long long CUmemGenericAllocationHandle;
typedef struct CUctx_st* CUcontext;
typedef struct CUmod_st* CUmodule;
typedef struct CUfunc_st* CUfunction;
typedef struct CUlib_st* CUlibrary;
typedef struct CUkern_st* CUkernel;
typedef struct CUstream_st* CUstream;
typedef struct CUevent_st* CUevent;
typedef struct CUgraph_st* CUgraph;
typedef struct CUgraphNode_st* CUgraphNode;
typedef struct CUgraphExec_st* CUgraphExec;
typedef struct CUmemPoolHandle_st* CUmemoryPool;
typedef struct CUarray_st* CUarray;

#define CU_STREAM_LEGACY ((CUstream)0x1)
#define CU_STREAM_PER_THREAD ((CUstream)0x2)

typedef struct CUuuid {
  char bytes[16];
} CUuuid;
typedef struct CUipcMemHandle {
  char reserved[64];
} CUipcMemHandle;
typedef struct CUipcEventHandle {
  char reserved[64];
} CUipcEventHandle;

/* ---- devices and contexts ---- */
typedef enum CUdevice_attribute {
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 1,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X = 2,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y = 3,
  CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z = 4,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X = 5,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y = 6,
  CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z = 7,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK = 8,
  CU_DEVICE_ATTRIBUTE_WARP_SIZE = 10,
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_INTEGRATED = 18,
  CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY = 19,
  CU_DEVICE_ATTRIBUTE_COMPUTE_MODE = 20,
  CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS = 31,
  CU_DEVICE_ATTRIBUTE_PCI_BUS_ID = 33,
  CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID = 34,
  CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT = 40,
  CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING = 41,
  CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID = 50,
  CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT = 51,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
  CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED = 78,
  CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY = 83,
  CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS = 89,
  CU_DEVICE_ATTRIBUTE_COMPUTE_PREEMPTION_SUPPORTED = 90,
  CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM = 91,
  CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH = 95,
  CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED = 99,
  CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED = 102,
  CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED = 103,
  CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED = 115,
  CU_DEVICE_ATTRIBUTE_MEMPOOL_SUPPORTED_HANDLE_TYPES = 119,
  CU_DEVICE_ATTRIBUTE_IPC_EVENT_SUPPORTED = 125,
  CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED = 128,
  CU_DEVICE_ATTRIBUTE_UNIFIED_FUNCTION_POINTERS = 129,
  CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED = 132,
  CU_DEVICE_ATTRIBUTE_MPS_ENABLED = 133
} CUdevice_attribute;

typedef enum CUctx_flags {
  CU_CTX_SCHED_AUTO = 0x00,
  CU_CTX_SCHED_SPIN = 0x01,
  CU_CTX_SCHED_YIELD = 0x02,
  CU_CTX_SCHED_BLOCKING_SYNC = 0x04,
  CU_CTX_MAP_HOST = 0x08
} CUctx_flags;
typedef enum CUlimit {
  CU_LIMIT_STACK_SIZE = 0,
  CU_LIMIT_PRINTF_FIFO_SIZE = 1,
  CU_LIMIT_MALLOC_HEAP_SIZE = 2
} CUlimit;
typedef struct CUctxCreateParams {
  void* execAffinityParams;
  int numExecAffinityParams;
  void* cigParams;
} CUctxCreateParams;

/* ---- memory ---- */
typedef enum CUmemLocationType {
  CU_MEM_LOCATION_TYPE_INVALID = 0,
  CU_MEM_LOCATION_TYPE_DEVICE = 1,
  CU_MEM_LOCATION_TYPE_HOST = 2,
  CU_MEM_LOCATION_TYPE_HOST_NUMA = 3,
  CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT = 4
} CUmemLocationType;
typedef struct CUmemLocation {
  CUmemLocationType type;
  int id;
} CUmemLocation;
typedef enum CUmemAllocationType {
  CU_MEM_ALLOCATION_TYPE_INVALID = 0,
  CU_MEM_ALLOCATION_TYPE_PINNED = 1,
  CU_MEM_ALLOCATION_TYPE_MANAGED = 2
} CUmemAllocationType;
typedef enum CUmemAllocationHandleType {
  CU_MEM_HANDLE_TYPE_NONE = 0,
  CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR = 1,
  CU_MEM_HANDLE_TYPE_WIN32 = 2,
  CU_MEM_HANDLE_TYPE_WIN32_KMT = 4,
  CU_MEM_HANDLE_TYPE_FABRIC = 8
} CUmemAllocationHandleType;
typedef enum CUmemAllocationGranularity_flags {
  CU_MEM_ALLOC_GRANULARITY_MINIMUM = 0,
  CU_MEM_ALLOC_GRANULARITY_RECOMMENDED = 1
} CUmemAllocationGranularity_flags;
typedef enum CUmemAccess_flags {
  CU_MEM_ACCESS_FLAGS_PROT_NONE = 0,
  CU_MEM_ACCESS_FLAGS_PROT_READ = 1,
  CU_MEM_ACCESS_FLAGS_PROT_READWRITE = 3
} CUmemAccess_flags;
typedef struct CUmemAllocationProp {
  CUmemAllocationType type;
  CUmemAllocationHandleType requestedHandleTypes;
  CUmemLocation location;
  void* win32HandleMetaData;
  struct {
    unsigned char compressionType;
    unsigned char gpuDirectRDMACapable;
    unsigned short usage;
    unsigned char reserved[4];
  } allocFlags;
} CUmemAllocationProp;
typedef struct CUmemAccessDesc {
  CUmemLocation location;
  CUmemAccess_flags flags;
} CUmemAccessDesc;
typedef struct CUmemPoolProps {
  CUmemAllocationType allocType;
  CUmemAllocationHandleType handleTypes;
  CUmemLocation location;
  void* win32SecurityAttributes;
  size_t maxSize;
  unsigned short usage;
  unsigned char reserved[54];
} CUmemPoolProps;
typedef struct CUmemPoolPtrExportData {
  unsigned char reserved[64];
} CUmemPoolPtrExportData;
typedef enum CUmemPool_attribute {
  CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES = 1,
  CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC = 2,
  CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES = 3,
  CU_MEMPOOL_ATTR_RELEASE_THRESHOLD = 4,
  CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT = 5,
  CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH = 6,
  CU_MEMPOOL_ATTR_USED_MEM_CURRENT = 7,
  CU_MEMPOOL_ATTR_USED_MEM_HIGH = 8
} CUmemPool_attribute;
typedef struct CUmulticastObjectProp {
  unsigned int numDevices;
  size_t size;
  unsigned long long handleTypes;
  unsigned long long flags;
} CUmulticastObjectProp;
typedef enum CUmulticastGranularity_flags {
  CU_MULTICAST_GRANULARITY_MINIMUM = 0,
  CU_MULTICAST_GRANULARITY_RECOMMENDED = 1
} CUmulticastGranularity_flags;
typedef enum CUmem_advise {
  CU_MEM_ADVISE_SET_READ_MOSTLY = 1,
  CU_MEM_ADVISE_UNSET_READ_MOSTLY = 2,
  CU_MEM_ADVISE_SET_PREFERRED_LOCATION = 3,
  CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION = 4,
  CU_MEM_ADVISE_SET_ACCESSED_BY = 5,
  CU_MEM_ADVISE_UNSET_ACCESSED_BY = 6
} CUmem_advise;

#define CU_MEM_ATTACH_GLOBAL 1
#define CU_MEM_ATTACH_HOST 2
#define CU_MEM_ATTACH_SINGLE 4
#define CU_MEMHOSTALLOC_PORTABLE 1
#define CU_MEMHOSTALLOC_DEVICEMAP 2
#define CU_MEMHOSTALLOC_WRITECOMBINED 4
#define CU_MEMHOSTREGISTER_PORTABLE 1
#define CU_MEMHOSTREGISTER_DEVICEMAP 2
#define CU_MEMHOSTREGISTER_IOMEMORY 4
#define CU_MEMHOSTREGISTER_READ_ONLY 8

typedef enum CUmemorytype {
  CU_MEMORYTYPE_HOST = 1,
  CU_MEMORYTYPE_DEVICE = 2,
  CU_MEMORYTYPE_ARRAY = 3,
  CU_MEMORYTYPE_UNIFIED = 4
} CUmemorytype;
typedef struct CUDA_MEMCPY2D {
  size_t srcXInBytes;
  size_t srcY;
  CUmemorytype srcMemoryType;
  const void* srcHost;
  CUdeviceptr srcDevice;
  CUarray srcArray;
  size_t srcPitch;
  size_t dstXInBytes;
  size_t dstY;
  CUmemorytype dstMemoryType;
  void* dstHost;
  CUdeviceptr dstDevice;
  CUarray dstArray;
  size_t dstPitch;
  size_t WidthInBytes;
  size_t Height;
} CUDA_MEMCPY2D;
typedef struct CUDA_MEMCPY3D {
  size_t srcXInBytes;
  size_t srcY;
  size_t srcZ;
  size_t srcLOD;
  CUmemorytype srcMemoryType;
  const void* srcHost;
  CUdeviceptr srcDevice;
  CUarray srcArray;
  void* reserved0;
  size_t srcPitch;
  size_t srcHeight;
  size_t dstXInBytes;
  size_t dstY;
  size_t dstZ;
  size_t dstLOD;
  CUmemorytype dstMemoryType;
  void* dstHost;
  CUdeviceptr dstDevice;
  CUarray dstArray;
  void* reserved1;
  size_t dstPitch;
  size_t dstHeight;
  size_t WidthInBytes;
  size_t Height;
  size_t Depth;
} CUDA_MEMCPY3D;

typedef enum CUpointer_attribute {
  CU_POINTER_ATTRIBUTE_CONTEXT = 1,
  CU_POINTER_ATTRIBUTE_MEMORY_TYPE = 2,
  CU_POINTER_ATTRIBUTE_DEVICE_POINTER = 3,
  CU_POINTER_ATTRIBUTE_HOST_POINTER = 4,
  CU_POINTER_ATTRIBUTE_P2P_TOKENS = 5,
  CU_POINTER_ATTRIBUTE_SYNC_MEMOPS = 6,
  CU_POINTER_ATTRIBUTE_BUFFER_ID = 7,
  CU_POINTER_ATTRIBUTE_IS_MANAGED = 8,
  CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9,
  CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE = 10,
  CU_POINTER_ATTRIBUTE_RANGE_START_ADDR = 11,
  CU_POINTER_ATTRIBUTE_RANGE_SIZE = 12,
  CU_POINTER_ATTRIBUTE_MAPPED = 13,
  CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES = 14,
  CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE = 15,
  CU_POINTER_ATTRIBUTE_ACCESS_FLAGS = 16,
  CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE = 17,
  CU_POINTER_ATTRIBUTE_MAPPING_SIZE = 18,
  CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR = 19,
  CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID = 20,
  CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE = 21
} CUpointer_attribute;

/* ---- streams, events, kernels, graphs ---- */
typedef enum CUstream_flags { CU_STREAM_DEFAULT = 0, CU_STREAM_NON_BLOCKING = 1 } CUstream_flags;
typedef enum CUevent_flags {
  CU_EVENT_DEFAULT = 0,
  CU_EVENT_BLOCKING_SYNC = 1,
  CU_EVENT_DISABLE_TIMING = 2,
  CU_EVENT_INTERPROCESS = 4
} CUevent_flags;
typedef enum CUstreamCaptureStatus {
  CU_STREAM_CAPTURE_STATUS_NONE = 0,
  CU_STREAM_CAPTURE_STATUS_ACTIVE = 1,
  CU_STREAM_CAPTURE_STATUS_INVALIDATED = 2
} CUstreamCaptureStatus;
typedef enum CUstreamCaptureMode {
  CU_STREAM_CAPTURE_MODE_GLOBAL = 0,
  CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1,
  CU_STREAM_CAPTURE_MODE_RELAXED = 2
} CUstreamCaptureMode;
typedef void (*CUhostFn)(void* userData);
typedef void (*CUstreamCallback)(CUstream stream, CUresult status, void* userData);

typedef enum CUfunction_attribute {
  CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0,
  CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES = 1,
  CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES = 2,
  CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES = 3,
  CU_FUNC_ATTRIBUTE_NUM_REGS = 4,
  CU_FUNC_ATTRIBUTE_PTX_VERSION = 5,
  CU_FUNC_ATTRIBUTE_BINARY_VERSION = 6,
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8
} CUfunction_attribute;
typedef enum CUfunc_cache {
  CU_FUNC_CACHE_PREFER_NONE = 0,
  CU_FUNC_CACHE_PREFER_SHARED = 1,
  CU_FUNC_CACHE_PREFER_L1 = 2,
  CU_FUNC_CACHE_PREFER_EQUAL = 3
} CUfunc_cache;
typedef enum CUmoduleLoadingMode { CU_MODULE_EAGER_LOADING = 1, CU_MODULE_LAZY_LOADING = 2 } CUmoduleLoadingMode;
typedef int CUjit_option;
typedef int CUlibraryOption;

/* extra argument list of a launch: pairs of key and value, ended by CU_LAUNCH_PARAM_END */
#define CU_LAUNCH_PARAM_END ((void*)0x00)
#define CU_LAUNCH_PARAM_BUFFER_POINTER ((void*)0x01)
#define CU_LAUNCH_PARAM_BUFFER_SIZE ((void*)0x02)

typedef struct CUlaunchAttribute {
  int id;
  char pad[4];
  union {
    char pad[64];
    uint64_t alignment;
  } value;
} CUlaunchAttribute;
typedef struct CUlaunchConfig {
  unsigned int gridDimX;
  unsigned int gridDimY;
  unsigned int gridDimZ;
  unsigned int blockDimX;
  unsigned int blockDimY;
  unsigned int blockDimZ;
  unsigned int sharedMemBytes;
  CUstream hStream;
  CUlaunchAttribute* attrs;
  unsigned int numAttrs;
} CUlaunchConfig;

typedef enum CUgraphNodeType {
  CU_GRAPH_NODE_TYPE_KERNEL = 0,
  CU_GRAPH_NODE_TYPE_MEMCPY = 1,
  CU_GRAPH_NODE_TYPE_MEMSET = 2,
  CU_GRAPH_NODE_TYPE_HOST = 3,
  CU_GRAPH_NODE_TYPE_GRAPH = 4,
  CU_GRAPH_NODE_TYPE_EMPTY = 5,
  CU_GRAPH_NODE_TYPE_WAIT_EVENT = 6,
  CU_GRAPH_NODE_TYPE_EVENT_RECORD = 7,
  CU_GRAPH_NODE_TYPE_MEM_ALLOC = 10,
  CU_GRAPH_NODE_TYPE_MEM_FREE = 11
} CUgraphNodeType;
typedef struct CUgraphEdgeData {
  unsigned char from_port;
  unsigned char to_port;
  unsigned char type;
  unsigned char reserved[5];
} CUgraphEdgeData;
typedef struct CUDA_KERNEL_NODE_PARAMS {
  CUfunction func;
  unsigned int gridDimX;
  unsigned int gridDimY;
  unsigned int gridDimZ;
  unsigned int blockDimX;
  unsigned int blockDimY;
  unsigned int blockDimZ;
  unsigned int sharedMemBytes;
  void** kernelParams;
  void** extra;
  CUkernel kern;
  CUcontext ctx;
} CUDA_KERNEL_NODE_PARAMS;
typedef struct CUDA_MEMSET_NODE_PARAMS {
  CUdeviceptr dst;
  size_t pitch;
  unsigned int value;
  unsigned int elementSize;
  size_t width;
  size_t height;
} CUDA_MEMSET_NODE_PARAMS;
typedef struct CUDA_HOST_NODE_PARAMS {
  CUhostFn fn;
  void* userData;
} CUDA_HOST_NODE_PARAMS;
typedef struct CUDA_MEM_ALLOC_NODE_PARAMS {
  CUmemPoolProps poolProps;
  const CUmemAccessDesc* accessDescs;
  size_t accessDescCount;
  size_t bytesize;
  CUdeviceptr dptr;
} CUDA_MEM_ALLOC_NODE_PARAMS;

/* ---- entry point lookup ---- */
typedef enum CUdriverProcAddress_flags {
  CU_GET_PROC_ADDRESS_DEFAULT = 0,
  CU_GET_PROC_ADDRESS_LEGACY_STREAM = 1,
  CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM = 2
} CUdriverProcAddress_flags;
typedef enum CUdriverProcAddressQueryResult {
  CU_GET_PROC_ADDRESS_SUCCESS = 0,
  CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND = 1,
  CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT = 2
} CUdriverProcAddressQueryResult;

/* ---- checkpoint of another process: every argument struct is 64 bytes, unused ones zero ---- */
typedef enum CUprocessState {
  CU_PROCESS_STATE_RUNNING = 0,
  CU_PROCESS_STATE_LOCKED = 1,
  CU_PROCESS_STATE_CHECKPOINTED = 2,
  CU_PROCESS_STATE_FAILED = 3
} CUprocessState;
typedef struct CUcheckpointLockArgs {
  unsigned int timeoutMs; /* 0: wait for ever */
  unsigned int reserved0;
  uint64_t reserved1[7];
} CUcheckpointLockArgs;
typedef struct CUcheckpointCheckpointArgs {
  uint64_t reserved[8];
} CUcheckpointCheckpointArgs;
typedef struct CUcheckpointGpuPair {
  CUuuid oldUuid;
  CUuuid newUuid;
} CUcheckpointGpuPair;
typedef struct CUcheckpointRestoreArgs {
  CUcheckpointGpuPair* gpuPairs; /* null, or one pair for every GPU of the checkpoint */
  unsigned int gpuPairsCount;
  char reserved[44];
  uint64_t reserved1;
} CUcheckpointRestoreArgs;
typedef struct CUcheckpointUnlockArgs {
  uint64_t reserved[8];
} CUcheckpointUnlockArgs;

/* ---- entry points ---- */
#define GPUSNAP_CUDA_GENERAL_FUNCTIONS(F)                                                                   \
  F(cuGetErrorName, 6000, cuGetErrorName, (CUresult error, const char** name))                              \
  F(cuGetErrorString, 6000, cuGetErrorString, (CUresult error, const char** text))                          \
  F(cuInit, 2000, cuInit, (unsigned int flags))                                                             \
  F(cuDriverGetVersion, 2020, cuDriverGetVersion, (int* version))                                           \
  F(cuGetProcAddress, 12000, cuGetProcAddress_v2,                                                           \
    (const char* symbol, void** function, int cudaVersion, uint64_t flags,                                  \
     CUdriverProcAddressQueryResult* result))                                                               \
  F(cuDeviceGet, 2000, cuDeviceGet, (CUdevice * device, int ordinal))                                       \
  F(cuDeviceGetCount, 2000, cuDeviceGetCount, (int* count))                                                 \
  F(cuDeviceGetName, 2000, cuDeviceGetName, (char* name, int length, CUdevice device))                      \
  F(cuDeviceGetUuid, 11040, cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device))                           \
  F(cuDeviceTotalMem, 3020, cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))                         \
  F(cuDeviceGetAttribute, 2000, cuDeviceGetAttribute,                                                       \
    (int* value, CUdevice_attribute attribute, CUdevice device))                                            \
  F(cuDeviceGetPCIBusId, 4010, cuDeviceGetPCIBusId, (char* text, int length, CUdevice device))              \
  F(cuDeviceGetByPCIBusId, 4010, cuDeviceGetByPCIBusId, (CUdevice * device, const char* text))              \
  F(cuDeviceCanAccessPeer, 4000, cuDeviceCanAccessPeer, (int* can, CUdevice device, CUdevice peer))         \
  F(cuDevicePrimaryCtxRetain, 7000, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))       \
  F(cuDevicePrimaryCtxRelease, 11000, cuDevicePrimaryCtxRelease_v2, (CUdevice device))                      \
  F(cuDevicePrimaryCtxReset, 11000, cuDevicePrimaryCtxReset_v2, (CUdevice device))                          \
  F(cuDevicePrimaryCtxSetFlags, 11000, cuDevicePrimaryCtxSetFlags_v2, (CUdevice device, unsigned int flags)) \
  F(cuDevicePrimaryCtxGetState, 7000, cuDevicePrimaryCtxGetState,                                           \
    (CUdevice device, unsigned int* flags, int* active))                                                    \
  F(cuCtxCreate, 12050, cuCtxCreate_v4,                                                                     \
    (CUcontext * context, CUctxCreateParams * params, unsigned int flags, CUdevice device))                 \
  F(cuCtxDestroy, 4000, cuCtxDestroy_v2, (CUcontext context))                                               \
  F(cuCtxPushCurrent, 4000, cuCtxPushCurrent_v2, (CUcontext context))                                       \
  F(cuCtxPopCurrent, 4000, cuCtxPopCurrent_v2, (CUcontext * context))                                       \
  F(cuCtxSetCurrent, 4000, cuCtxSetCurrent, (CUcontext context))                                            \
  F(cuCtxGetCurrent, 4000, cuCtxGetCurrent, (CUcontext * context))                                          \
  F(cuCtxGetDevice, 13000, cuCtxGetDevice_v2, (CUdevice * device, CUcontext context))                       \
  F(cuCtxGetFlags, 7000, cuCtxGetFlags, (unsigned int* flags))                                              \
  F(cuCtxGetId, 12000, cuCtxGetId, (CUcontext context, unsigned long long* id))                             \
  F(cuCtxGetApiVersion, 3020, cuCtxGetApiVersion, (CUcontext context, unsigned int* version))               \
  F(cuCtxSynchronize, 13000, cuCtxSynchronize_v2, (CUcontext context))                                      \
  F(cuCtxSetLimit, 3010, cuCtxSetLimit, (CUlimit limit, size_t value))                                      \
  F(cuCtxGetLimit, 3010, cuCtxGetLimit, (size_t * value, CUlimit limit))                                    \
  F(cuCtxGetStreamPriorityRange, 5050, cuCtxGetStreamPriorityRange, (int* least, int* greatest))            \
  F(cuCtxEnablePeerAccess, 4000, cuCtxEnablePeerAccess, (CUcontext peer, unsigned int flags))               \
  F(cuCtxDisablePeerAccess, 4000, cuCtxDisablePeerAccess, (CUcontext peer))

#define GPUSNAP_CUDA_MEMORY_FUNCTIONS(F)                                                                    \
  F(cuMemGetInfo, 3020, cuMemGetInfo_v2, (size_t * freeBytes, size_t * totalBytes))                         \
  F(cuMemAlloc, 3020, cuMemAlloc_v2, (CUdeviceptr * address, size_t size))                                  \
  F(cuMemAllocPitch, 3020, cuMemAllocPitch_v2,                                                              \
    (CUdeviceptr * address, size_t * pitch, size_t width, size_t height, unsigned int elementSize))         \
  F(cuMemFree, 3020, cuMemFree_v2, (CUdeviceptr address))                                                   \
  F(cuMemGetAddressRange, 3020, cuMemGetAddressRange_v2,                                                    \
    (CUdeviceptr * base, size_t * size, CUdeviceptr address))                                               \
  F(cuMemAllocManaged, 6000, cuMemAllocManaged, (CUdeviceptr * address, size_t size, unsigned int flags))   \
  F(cuMemAllocHost, 3020, cuMemAllocHost_v2, (void** address, size_t size))                                 \
  F(cuMemHostAlloc, 2020, cuMemHostAlloc, (void** address, size_t size, unsigned int flags))                \
  F(cuMemFreeHost, 2000, cuMemFreeHost, (void* address))                                                    \
  F(cuMemHostRegister, 6050, cuMemHostRegister_v2, (void* address, size_t size, unsigned int flags))        \
  F(cuMemHostUnregister, 4000, cuMemHostUnregister, (void* address))                                        \
  F(cuMemHostGetDevicePointer, 3020, cuMemHostGetDevicePointer_v2,                                          \
    (CUdeviceptr * device, void* host, unsigned int flags))                                                 \
  F(cuMemHostGetFlags, 2030, cuMemHostGetFlags, (unsigned int* flags, void* host))                          \
  F(cuMemPrefetchAsync, 12020, cuMemPrefetchAsync_v2,                                                       \
    (CUdeviceptr address, size_t size, CUmemLocation location, unsigned int flags, CUstream stream))        \
  F(cuMemAdvise, 12020, cuMemAdvise_v2,                                                                     \
    (CUdeviceptr address, size_t size, CUmem_advise advice, CUmemLocation location))                        \
  F(cuPointerGetAttribute, 4000, cuPointerGetAttribute,                                                     \
    (void* data, CUpointer_attribute attribute, CUdeviceptr address))                                       \
  F(cuPointerGetAttributes, 7000, cuPointerGetAttributes,                                                   \
    (unsigned int count, CUpointer_attribute* attributes, void** data, CUdeviceptr address))                \
  F(cuPointerSetAttribute, 6000, cuPointerSetAttribute,                                                     \
    (const void* value, CUpointer_attribute attribute, CUdeviceptr address))                                \
  F(cuIpcGetMemHandle, 4010, cuIpcGetMemHandle, (CUipcMemHandle * handle, CUdeviceptr address))             \
  F(cuIpcOpenMemHandle, 11000, cuIpcOpenMemHandle_v2,                                                       \
    (CUdeviceptr * address, CUipcMemHandle handle, unsigned int flags))                                     \
  F(cuIpcCloseMemHandle, 4010, cuIpcCloseMemHandle, (CUdeviceptr address))                                  \
  F(cuIpcGetEventHandle, 4010, cuIpcGetEventHandle, (CUipcEventHandle * handle, CUevent event))             \
  F(cuIpcOpenEventHandle, 4010, cuIpcOpenEventHandle, (CUevent * event, CUipcEventHandle handle))           \
  F(cuMemAddressReserve, 10020, cuMemAddressReserve,                                                        \
    (CUdeviceptr * address, size_t size, size_t alignment, CUdeviceptr hint, unsigned long long flags))     \
  F(cuMemAddressFree, 10020, cuMemAddressFree, (CUdeviceptr address, size_t size))                          \
  F(cuMemCreate, 10020, cuMemCreate,                                                                        \
    (CUmemGenericAllocationHandle * handle, size_t size, const CUmemAllocationProp* prop,                   \
     unsigned long long flags))                                                                             \
  F(cuMemRelease, 10020, cuMemRelease, (CUmemGenericAllocationHandle handle))                               \
  F(cuMemMap, 10020, cuMemMap,                                                                              \
    (CUdeviceptr address, size_t size, size_t offset, CUmemGenericAllocationHandle handle,                  \
     unsigned long long flags))                                                                             \
  F(cuMemUnmap, 10020, cuMemUnmap, (CUdeviceptr address, size_t size))                                      \
  F(cuMemSetAccess, 10020, cuMemSetAccess,                                                                  \
    (CUdeviceptr address, size_t size, const CUmemAccessDesc* desc, size_t count))                          \
  F(cuMemGetAccess, 10020, cuMemGetAccess,                                                                  \
    (unsigned long long* flags, const CUmemLocation* location, CUdeviceptr address))                        \
  F(cuMemExportToShareableHandle, 10020, cuMemExportToShareableHandle,                                      \
    (void* shareable, CUmemGenericAllocationHandle handle, CUmemAllocationHandleType type,                  \
     unsigned long long flags))                                                                             \
  F(cuMemImportFromShareableHandle, 10020, cuMemImportFromShareableHandle,                                  \
    (CUmemGenericAllocationHandle * handle, void* shareable, CUmemAllocationHandleType type))               \
  F(cuMemGetAllocationGranularity, 10020, cuMemGetAllocationGranularity,                                    \
    (size_t * granularity, const CUmemAllocationProp* prop, CUmemAllocationGranularity_flags option))       \
  F(cuMemGetAllocationPropertiesFromHandle, 10020, cuMemGetAllocationPropertiesFromHandle,                  \
    (CUmemAllocationProp * prop, CUmemGenericAllocationHandle handle))                                      \
  F(cuMemRetainAllocationHandle, 11000, cuMemRetainAllocationHandle,                                        \
    (CUmemGenericAllocationHandle * handle, void* address))                                                 \
  F(cuMulticastCreate, 12010, cuMulticastCreate,                                                            \
    (CUmemGenericAllocationHandle * handle, const CUmulticastObjectProp* prop))                             \
  F(cuMulticastAddDevice, 12010, cuMulticastAddDevice,                                                      \
    (CUmemGenericAllocationHandle handle, CUdevice device))                                                 \
  F(cuMulticastGetGranularity, 12010, cuMulticastGetGranularity,                                            \
    (size_t * granularity, const CUmulticastObjectProp* prop, CUmulticastGranularity_flags option))         \
  F(cuMemAllocAsync, 11020, cuMemAllocAsync, (CUdeviceptr * address, size_t size, CUstream stream))         \
  F(cuMemAllocFromPoolAsync, 11020, cuMemAllocFromPoolAsync,                                                \
    (CUdeviceptr * address, size_t size, CUmemoryPool pool, CUstream stream))                               \
  F(cuMemFreeAsync, 11020, cuMemFreeAsync, (CUdeviceptr address, CUstream stream))                          \
  F(cuDeviceGetDefaultMemPool, 11020, cuDeviceGetDefaultMemPool, (CUmemoryPool * pool, CUdevice device))    \
  F(cuDeviceGetMemPool, 11020, cuDeviceGetMemPool, (CUmemoryPool * pool, CUdevice device))                  \
  F(cuDeviceSetMemPool, 11020, cuDeviceSetMemPool, (CUdevice device, CUmemoryPool pool))                    \
  F(cuMemPoolCreate, 11020, cuMemPoolCreate, (CUmemoryPool * pool, const CUmemPoolProps* props))            \
  F(cuMemPoolDestroy, 11020, cuMemPoolDestroy, (CUmemoryPool pool))                                         \
  F(cuMemPoolTrimTo, 11020, cuMemPoolTrimTo, (CUmemoryPool pool, size_t keep))                              \
  F(cuMemPoolSetAttribute, 11020, cuMemPoolSetAttribute,                                                    \
    (CUmemoryPool pool, CUmemPool_attribute attribute, void* value))                                        \
  F(cuMemPoolGetAttribute, 11020, cuMemPoolGetAttribute,                                                    \
    (CUmemoryPool pool, CUmemPool_attribute attribute, void* value))                                        \
  F(cuMemPoolSetAccess, 11020, cuMemPoolSetAccess,                                                          \
    (CUmemoryPool pool, const CUmemAccessDesc* map, size_t count))                                          \
  F(cuMemPoolGetAccess, 11020, cuMemPoolGetAccess,                                                          \
    (CUmemAccess_flags * flags, CUmemoryPool pool, CUmemLocation* location))                                \
  F(cuMemPoolExportToShareableHandle, 11020, cuMemPoolExportToShareableHandle,                              \
    (void* shareable, CUmemoryPool pool, CUmemAllocationHandleType type, unsigned long long flags))         \
  F(cuMemPoolImportFromShareableHandle, 11020, cuMemPoolImportFromShareableHandle,                          \
    (CUmemoryPool * pool, void* shareable, CUmemAllocationHandleType type, unsigned long long flags))       \
  F(cuMemPoolExportPointer, 11020, cuMemPoolExportPointer,                                                  \
    (CUmemPoolPtrExportData * data, CUdeviceptr address))                                                   \
  F(cuMemPoolImportPointer, 11020, cuMemPoolImportPointer,                                                  \
    (CUdeviceptr * address, CUmemoryPool pool, CUmemPoolPtrExportData* data))

#define GPUSNAP_CUDA_COPY_FUNCTIONS(F)                                                                      \
  F(cuMemcpy, 4000, cuMemcpy, (CUdeviceptr to, CUdeviceptr from, size_t size))                              \
  F(cuMemcpyPeer, 4000, cuMemcpyPeer,                                                                       \
    (CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext, size_t size))            \
  F(cuMemcpyHtoD, 3020, cuMemcpyHtoD_v2, (CUdeviceptr to, const void* from, size_t size))                   \
  F(cuMemcpyDtoH, 3020, cuMemcpyDtoH_v2, (void* to, CUdeviceptr from, size_t size))                         \
  F(cuMemcpyDtoD, 3020, cuMemcpyDtoD_v2, (CUdeviceptr to, CUdeviceptr from, size_t size))                   \
  F(cuMemcpy2D, 3020, cuMemcpy2D_v2, (const CUDA_MEMCPY2D* copy))                                           \
  F(cuMemcpy2DUnaligned, 3020, cuMemcpy2DUnaligned_v2, (const CUDA_MEMCPY2D* copy))                         \
  F(cuMemcpy3D, 3020, cuMemcpy3D_v2, (const CUDA_MEMCPY3D* copy))                                           \
  F(cuMemcpyAsync, 4000, cuMemcpyAsync, (CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream))   \
  F(cuMemcpyPeerAsync, 4000, cuMemcpyPeerAsync,                                                             \
    (CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext, size_t size,             \
     CUstream stream))                                                                                      \
  F(cuMemcpyHtoDAsync, 3020, cuMemcpyHtoDAsync_v2,                                                          \
    (CUdeviceptr to, const void* from, size_t size, CUstream stream))                                       \
  F(cuMemcpyDtoHAsync, 3020, cuMemcpyDtoHAsync_v2,                                                          \
    (void* to, CUdeviceptr from, size_t size, CUstream stream))                                             \
  F(cuMemcpyDtoDAsync, 3020, cuMemcpyDtoDAsync_v2,                                                          \
    (CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream))                                       \
  F(cuMemcpy2DAsync, 3020, cuMemcpy2DAsync_v2, (const CUDA_MEMCPY2D* copy, CUstream stream))                \
  F(cuMemcpy3DAsync, 3020, cuMemcpy3DAsync_v2, (const CUDA_MEMCPY3D* copy, CUstream stream))                \
  F(cuMemsetD8, 3020, cuMemsetD8_v2, (CUdeviceptr to, unsigned char value, size_t count))                   \
  F(cuMemsetD16, 3020, cuMemsetD16_v2, (CUdeviceptr to, unsigned short value, size_t count))                \
  F(cuMemsetD32, 3020, cuMemsetD32_v2, (CUdeviceptr to, unsigned int value, size_t count))                  \
  F(cuMemsetD2D8, 3020, cuMemsetD2D8_v2,                                                                    \
    (CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height))                       \
  F(cuMemsetD2D16, 3020, cuMemsetD2D16_v2,                                                                  \
    (CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height))                      \
  F(cuMemsetD2D32, 3020, cuMemsetD2D32_v2,                                                                  \
    (CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height))                        \
  F(cuMemsetD8Async, 3020, cuMemsetD8Async,                                                                 \
    (CUdeviceptr to, unsigned char value, size_t count, CUstream stream))                                   \
  F(cuMemsetD16Async, 3020, cuMemsetD16Async,                                                               \
    (CUdeviceptr to, unsigned short value, size_t count, CUstream stream))                                  \
  F(cuMemsetD32Async, 3020, cuMemsetD32Async,                                                               \
    (CUdeviceptr to, unsigned int value, size_t count, CUstream stream))                                    \
  F(cuMemsetD2D8Async, 3020, cuMemsetD2D8Async,                                                             \
    (CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height, CUstream stream))      \
  F(cuMemsetD2D16Async, 3020, cuMemsetD2D16Async,                                                           \
    (CUdeviceptr to, size_t pitch, unsigned short value, size_t width, size_t height, CUstream stream))     \
  F(cuMemsetD2D32Async, 3020, cuMemsetD2D32Async,                                                           \
    (CUdeviceptr to, size_t pitch, unsigned int value, size_t width, size_t height, CUstream stream))

#define GPUSNAP_CUDA_STREAM_FUNCTIONS(F)                                                                    \
  F(cuStreamCreate, 2000, cuStreamCreate, (CUstream * stream, unsigned int flags))                          \
  F(cuStreamCreateWithPriority, 5050, cuStreamCreateWithPriority,                                           \
    (CUstream * stream, unsigned int flags, int priority))                                                  \
  F(cuStreamDestroy, 4000, cuStreamDestroy_v2, (CUstream stream))                                           \
  F(cuStreamGetPriority, 5050, cuStreamGetPriority, (CUstream stream, int* priority))                       \
  F(cuStreamGetFlags, 5050, cuStreamGetFlags, (CUstream stream, unsigned int* flags))                       \
  F(cuStreamGetId, 12000, cuStreamGetId, (CUstream stream, unsigned long long* id))                         \
  F(cuStreamGetCtx, 9020, cuStreamGetCtx, (CUstream stream, CUcontext * context))                           \
  F(cuStreamGetDevice, 12080, cuStreamGetDevice, (CUstream stream, CUdevice * device))                      \
  F(cuStreamQuery, 2000, cuStreamQuery, (CUstream stream))                                                  \
  F(cuStreamSynchronize, 2000, cuStreamSynchronize, (CUstream stream))                                      \
  F(cuStreamWaitEvent, 3020, cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned int flags))       \
  F(cuStreamAddCallback, 5000, cuStreamAddCallback,                                                         \
    (CUstream stream, CUstreamCallback callback, void* data, unsigned int flags))                           \
  F(cuStreamAttachMemAsync, 6000, cuStreamAttachMemAsync,                                                   \
    (CUstream stream, CUdeviceptr address, size_t size, unsigned int flags))                                \
  F(cuLaunchHostFunc, 10000, cuLaunchHostFunc, (CUstream stream, CUhostFn function, void* data))            \
  F(cuStreamBeginCapture, 10010, cuStreamBeginCapture_v2, (CUstream stream, CUstreamCaptureMode mode))      \
  F(cuStreamEndCapture, 10000, cuStreamEndCapture, (CUstream stream, CUgraph * graph))                      \
  F(cuStreamIsCapturing, 10000, cuStreamIsCapturing, (CUstream stream, CUstreamCaptureStatus * status))     \
  F(cuStreamGetCaptureInfo, 12030, cuStreamGetCaptureInfo_v3,                                               \
    (CUstream stream, CUstreamCaptureStatus * status, uint64_t* id, CUgraph* graph,                         \
     const CUgraphNode** dependencies, const CUgraphEdgeData** edges, size_t* count))                       \
  F(cuThreadExchangeStreamCaptureMode, 10010, cuThreadExchangeStreamCaptureMode,                            \
    (CUstreamCaptureMode * mode))                                                                           \
  F(cuEventCreate, 2000, cuEventCreate, (CUevent * event, unsigned int flags))                              \
  F(cuEventDestroy, 4000, cuEventDestroy_v2, (CUevent event))                                               \
  F(cuEventRecord, 2000, cuEventRecord, (CUevent event, CUstream stream))                                   \
  F(cuEventRecordWithFlags, 11010, cuEventRecordWithFlags,                                                  \
    (CUevent event, CUstream stream, unsigned int flags))                                                   \
  F(cuEventQuery, 2000, cuEventQuery, (CUevent event))                                                      \
  F(cuEventSynchronize, 2000, cuEventSynchronize, (CUevent event))                                          \
  F(cuEventElapsedTime, 12080, cuEventElapsedTime_v2, (float* milliseconds, CUevent start, CUevent end))

#define GPUSNAP_CUDA_CODE_FUNCTIONS(F)                                                                      \
  F(cuModuleLoad, 2000, cuModuleLoad, (CUmodule * module, const char* path))                                \
  F(cuModuleLoadData, 2000, cuModuleLoadData, (CUmodule * module, const void* image))                       \
  F(cuModuleLoadDataEx, 2010, cuModuleLoadDataEx,                                                           \
    (CUmodule * module, const void* image, unsigned int count, CUjit_option* options, void** values))       \
  F(cuModuleLoadFatBinary, 2000, cuModuleLoadFatBinary, (CUmodule * module, const void* image))             \
  F(cuModuleUnload, 2000, cuModuleUnload, (CUmodule module))                                                \
  F(cuModuleGetLoadingMode, 11070, cuModuleGetLoadingMode, (CUmoduleLoadingMode * mode))                    \
  F(cuModuleGetFunction, 2000, cuModuleGetFunction,                                                         \
    (CUfunction * function, CUmodule module, const char* name))                                             \
  F(cuModuleGetGlobal, 3020, cuModuleGetGlobal_v2,                                                          \
    (CUdeviceptr * address, size_t* size, CUmodule module, const char* name))                               \
  F(cuLibraryLoadData, 12000, cuLibraryLoadData,                                                            \
    (CUlibrary * library, const void* image, CUjit_option* jitOptions, void** jitValues,                    \
     unsigned int jitCount, CUlibraryOption* options, void** values, unsigned int count))                   \
  F(cuLibraryLoadFromFile, 12000, cuLibraryLoadFromFile,                                                    \
    (CUlibrary * library, const char* path, CUjit_option* jitOptions, void** jitValues,                     \
     unsigned int jitCount, CUlibraryOption* options, void** values, unsigned int count))                   \
  F(cuLibraryUnload, 12000, cuLibraryUnload, (CUlibrary library))                                           \
  F(cuLibraryGetKernel, 12000, cuLibraryGetKernel, (CUkernel * kernel, CUlibrary library, const char* name)) \
  F(cuLibraryGetModule, 12000, cuLibraryGetModule, (CUmodule * module, CUlibrary library))                  \
  F(cuLibraryGetGlobal, 12000, cuLibraryGetGlobal,                                                          \
    (CUdeviceptr * address, size_t* size, CUlibrary library, const char* name))                             \
  F(cuKernelGetFunction, 12000, cuKernelGetFunction, (CUfunction * function, CUkernel kernel))              \
  F(cuKernelGetLibrary, 12050, cuKernelGetLibrary, (CUlibrary * library, CUkernel kernel))                  \
  F(cuKernelGetName, 12030, cuKernelGetName, (const char** name, CUkernel kernel))                          \
  F(cuFuncGetAttribute, 2020, cuFuncGetAttribute,                                                           \
    (int* value, CUfunction_attribute attribute, CUfunction function))                                      \
  F(cuFuncSetAttribute, 9000, cuFuncSetAttribute,                                                           \
    (CUfunction function, CUfunction_attribute attribute, int value))                                       \
  F(cuFuncSetCacheConfig, 3000, cuFuncSetCacheConfig, (CUfunction function, CUfunc_cache config))           \
  F(cuFuncGetModule, 11000, cuFuncGetModule, (CUmodule * module, CUfunction function))                      \
  F(cuFuncGetName, 12030, cuFuncGetName, (const char** name, CUfunction function))                          \
  F(cuLaunchKernel, 4000, cuLaunchKernel,                                                                   \
    (CUfunction function, unsigned int gridX, unsigned int gridY, unsigned int gridZ, unsigned int blockX,  \
     unsigned int blockY, unsigned int blockZ, unsigned int sharedBytes, CUstream stream, void** params,    \
     void** extra))                                                                                         \
  F(cuLaunchKernelEx, 11060, cuLaunchKernelEx,                                                              \
    (const CUlaunchConfig* config, CUfunction function, void** params, void** extra))                       \
  F(cuLaunchCooperativeKernel, 9000, cuLaunchCooperativeKernel,                                             \
    (CUfunction function, unsigned int gridX, unsigned int gridY, unsigned int gridZ, unsigned int blockX,  \
     unsigned int blockY, unsigned int blockZ, unsigned int sharedBytes, CUstream stream, void** params))   \
  F(cuOccupancyMaxActiveBlocksPerMultiprocessor, 6050, cuOccupancyMaxActiveBlocksPerMultiprocessor,         \
    (int* blocks, CUfunction function, int blockSize, size_t dynamicSharedBytes))

#define GPUSNAP_CUDA_GRAPH_FUNCTIONS(F)                                                                     \
  F(cuGraphCreate, 10000, cuGraphCreate, (CUgraph * graph, unsigned int flags))                             \
  F(cuGraphDestroy, 10000, cuGraphDestroy, (CUgraph graph))                                                 \
  F(cuGraphAddKernelNode, 12000, cuGraphAddKernelNode_v2,                                                   \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     const CUDA_KERNEL_NODE_PARAMS* params))                                                                \
  F(cuGraphAddMemcpyNode, 10000, cuGraphAddMemcpyNode,                                                      \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     const CUDA_MEMCPY3D* params, CUcontext context))                                                       \
  F(cuGraphAddMemsetNode, 10000, cuGraphAddMemsetNode,                                                      \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     const CUDA_MEMSET_NODE_PARAMS* params, CUcontext context))                                             \
  F(cuGraphAddHostNode, 10000, cuGraphAddHostNode,                                                          \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     const CUDA_HOST_NODE_PARAMS* params))                                                                  \
  F(cuGraphAddEmptyNode, 10000, cuGraphAddEmptyNode,                                                        \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count))                     \
  F(cuGraphAddMemAllocNode, 11040, cuGraphAddMemAllocNode,                                                  \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     CUDA_MEM_ALLOC_NODE_PARAMS* params))                                                                   \
  F(cuGraphAddMemFreeNode, 11040, cuGraphAddMemFreeNode,                                                    \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,                      \
     CUdeviceptr address))                                                                                  \
  F(cuGraphGetNodes, 10000, cuGraphGetNodes, (CUgraph graph, CUgraphNode * nodes, size_t* count))           \
  F(cuGraphNodeGetType, 10000, cuGraphNodeGetType, (CUgraphNode node, CUgraphNodeType * type))              \
  F(cuGraphInstantiateWithFlags, 11040, cuGraphInstantiateWithFlags,                                        \
    (CUgraphExec * exec, CUgraph graph, unsigned long long flags))                                          \
  F(cuGraphLaunch, 10000, cuGraphLaunch, (CUgraphExec exec, CUstream stream))                               \
  F(cuGraphUpload, 11010, cuGraphUpload, (CUgraphExec exec, CUstream stream))                               \
  F(cuGraphExecDestroy, 10000, cuGraphExecDestroy, (CUgraphExec exec))

#define GPUSNAP_CUDA_CHECKPOINT_FUNCTIONS(F)                                                                \
  F(cuCheckpointProcessGetState, 12080, cuCheckpointProcessGetState, (int pid, CUprocessState* state))      \
  F(cuCheckpointProcessGetRestoreThreadId, 12080, cuCheckpointProcessGetRestoreThreadId,                    \
    (int pid, int* tid))                                                                                    \
  F(cuCheckpointProcessLock, 12080, cuCheckpointProcessLock, (int pid, CUcheckpointLockArgs* args))         \
  F(cuCheckpointProcessCheckpoint, 12080, cuCheckpointProcessCheckpoint,                                    \
    (int pid, CUcheckpointCheckpointArgs* args))                                                            \
  F(cuCheckpointProcessRestore, 12080, cuCheckpointProcessRestore, (int pid, CUcheckpointRestoreArgs* args)) \
  F(cuCheckpointProcessUnlock, 12080, cuCheckpointProcessUnlock, (int pid, CUcheckpointUnlockArgs* args))

#define GPUSNAP_CUDA_FUNCTIONS(F)   \
  GPUSNAP_CUDA_GENERAL_FUNCTIONS(F) \
  GPUSNAP_CUDA_MEMORY_FUNCTIONS(F)  \
  GPUSNAP_CUDA_COPY_FUNCTIONS(F)    \
  GPUSNAP_CUDA_STREAM_FUNCTIONS(F)  \
  GPUSNAP_CUDA_CODE_FUNCTIONS(F)    \
  GPUSNAP_CUDA_GRAPH_FUNCTIONS(F)   \
  GPUSNAP_CUDA_CHECKPOINT_FUNCTIONS(F)

#define GPUSNAP_CUDA_SUPERSEDED(F)                                                                          \
  F(cuGetProcAddress, 11030, cuGetProcAddress,                                                              \
    (const char* symbol, void** function, int cudaVersion, uint64_t flags))                                 \
  F(cuDeviceGetUuid, 9020, cuDeviceGetUuid, (CUuuid * uuid, CUdevice device))                               \
  F(cuCtxCreate, 3020, cuCtxCreate_v2, (CUcontext * context, unsigned int flags, CUdevice device))          \
  F(cuCtxCreate, 11040, cuCtxCreate_v3,                                                                     \
    (CUcontext * context, void* affinity, int count, unsigned int flags, CUdevice device))                  \
  F(cuCtxGetDevice, 2000, cuCtxGetDevice, (CUdevice * device))                                              \
  F(cuCtxSynchronize, 2000, cuCtxSynchronize, (void))                                                       \
  F(cuEventElapsedTime, 2000, cuEventElapsedTime, (float* milliseconds, CUevent start, CUevent end))

#define GPUSNAP_CUDA_PER_THREAD(V)                                  \
  V(cuMemcpy, 7000, cuMemcpy, _ptds)                                \
  V(cuMemcpyHtoD, 7000, cuMemcpyHtoD_v2, _ptds)                     \
  V(cuMemcpyDtoH, 7000, cuMemcpyDtoH_v2, _ptds)                     \
  V(cuMemcpyDtoD, 7000, cuMemcpyDtoD_v2, _ptds)                     \
  V(cuMemcpy2D, 7000, cuMemcpy2D_v2, _ptds)                         \
  V(cuMemcpy2DUnaligned, 7000, cuMemcpy2DUnaligned_v2, _ptds)       \
  V(cuMemcpy3D, 7000, cuMemcpy3D_v2, _ptds)                         \
  V(cuMemcpyPeer, 7000, cuMemcpyPeer, _ptds)                        \
  V(cuMemsetD8, 7000, cuMemsetD8_v2, _ptds)                         \
  V(cuMemsetD16, 7000, cuMemsetD16_v2, _ptds)                       \
  V(cuMemsetD32, 7000, cuMemsetD32_v2, _ptds)                       \
  V(cuMemsetD2D8, 7000, cuMemsetD2D8_v2, _ptds)                     \
  V(cuMemsetD2D16, 7000, cuMemsetD2D16_v2, _ptds)                   \
  V(cuMemsetD2D32, 7000, cuMemsetD2D32_v2, _ptds)                   \
  V(cuMemcpyAsync, 7000, cuMemcpyAsync, _ptsz)                      \
  V(cuMemcpyPeerAsync, 7000, cuMemcpyPeerAsync, _ptsz)              \
  V(cuMemcpyHtoDAsync, 7000, cuMemcpyHtoDAsync_v2, _ptsz)           \
  V(cuMemcpyDtoHAsync, 7000, cuMemcpyDtoHAsync_v2, _ptsz)           \
  V(cuMemcpyDtoDAsync, 7000, cuMemcpyDtoDAsync_v2, _ptsz)           \
  V(cuMemcpy2DAsync, 7000, cuMemcpy2DAsync_v2, _ptsz)               \
  V(cuMemcpy3DAsync, 7000, cuMemcpy3DAsync_v2, _ptsz)               \
  V(cuMemsetD8Async, 7000, cuMemsetD8Async, _ptsz)                  \
  V(cuMemsetD16Async, 7000, cuMemsetD16Async, _ptsz)                \
  V(cuMemsetD32Async, 7000, cuMemsetD32Async, _ptsz)                \
  V(cuMemsetD2D8Async, 7000, cuMemsetD2D8Async, _ptsz)              \
  V(cuMemsetD2D16Async, 7000, cuMemsetD2D16Async, _ptsz)            \
  V(cuMemsetD2D32Async, 7000, cuMemsetD2D32Async, _ptsz)            \
  V(cuMemPrefetchAsync, 12020, cuMemPrefetchAsync_v2, _ptsz)        \
  V(cuMemAllocAsync, 11020, cuMemAllocAsync, _ptsz)                 \
  V(cuMemAllocFromPoolAsync, 11020, cuMemAllocFromPoolAsync, _ptsz) \
  V(cuMemFreeAsync, 11020, cuMemFreeAsync, _ptsz)                   \
  V(cuStreamGetPriority, 7000, cuStreamGetPriority, _ptsz)          \
  V(cuStreamGetFlags, 7000, cuStreamGetFlags, _ptsz)                \
  V(cuStreamGetId, 12000, cuStreamGetId, _ptsz)                     \
  V(cuStreamGetCtx, 9020, cuStreamGetCtx, _ptsz)                    \
  V(cuStreamGetDevice, 12080, cuStreamGetDevice, _ptsz)             \
  V(cuStreamQuery, 7000, cuStreamQuery, _ptsz)                      \
  V(cuStreamSynchronize, 7000, cuStreamSynchronize, _ptsz)          \
  V(cuStreamWaitEvent, 7000, cuStreamWaitEvent, _ptsz)              \
  V(cuStreamAddCallback, 7000, cuStreamAddCallback, _ptsz)          \
  V(cuStreamAttachMemAsync, 7000, cuStreamAttachMemAsync, _ptsz)    \
  V(cuLaunchHostFunc, 10000, cuLaunchHostFunc, _ptsz)               \
  V(cuStreamBeginCapture, 10010, cuStreamBeginCapture_v2, _ptsz)    \
  V(cuStreamEndCapture, 10000, cuStreamEndCapture, _ptsz)           \
  V(cuStreamIsCapturing, 10000, cuStreamIsCapturing, _ptsz)         \
  V(cuStreamGetCaptureInfo, 12030, cuStreamGetCaptureInfo_v3, _ptsz) \
  V(cuEventRecord, 7000, cuEventRecord, _ptsz)                      \
  V(cuEventRecordWithFlags, 11010, cuEventRecordWithFlags, _ptsz)   \
  V(cuLaunchKernel, 7000, cuLaunchKernel, _ptsz)                    \
  V(cuLaunchKernelEx, 11060, cuLaunchKernelEx, _ptsz)               \
  V(cuLaunchCooperativeKernel, 9000, cuLaunchCooperativeKernel, _ptsz) \
  V(cuGraphLaunch, 10000, cuGraphLaunch, _ptsz)                     \
  V(cuGraphUpload, 11010, cuGraphUpload, _ptsz)

#if defined(__cplusplus) && !defined(GPUSNAP_CUDA_ABI_TYPES_ONLY)
extern "C" {
#define GPUSNAP_CUDA_DECLARE(symbol, since, exported, parameters) CUresult exported parameters;
GPUSNAP_CUDA_FUNCTIONS(GPUSNAP_CUDA_DECLARE)
GPUSNAP_CUDA_SUPERSEDED(GPUSNAP_CUDA_DECLARE)
#undef GPUSNAP_CUDA_DECLARE
#define GPUSNAP_CUDA_DECLARE(symbol, since, exported, suffix) decltype(exported) exported##suffix;
GPUSNAP_CUDA_PER_THREAD(GPUSNAP_CUDA_DECLARE)
#undef GPUSNAP_CUDA_DECLARE
}
#endif

#endif
