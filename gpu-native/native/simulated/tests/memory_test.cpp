// Allocation, mapping, attributes and the account of VRAM in one process.
#include "harness.h"

#include <cstdint>
#include <cstring>
#include <thread>

using namespace harness;

namespace {

CUmemAllocationProp exportable() {
  CUmemAllocationProp prop = {};
  prop.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  prop.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  return prop;
}

void large_allocation_takes_and_returns_whole_granules() {
  CUdeviceptr address;
  OK(cuMemAlloc_v2(&address, 3 * kMiB));
  CHECK(used_bytes() == 4 * kMiB);
  OK(cuMemFree_v2(address));
  CHECK(used_bytes() == 0);
}

void small_allocations_share_a_block() {
  CUdeviceptr small[8];
  for (CUdeviceptr& address : small) {
    OK(cuMemAlloc_v2(&address, 1000));
    CHECK(address % 256 == 0);
    OK(cuMemsetD8_v2(address, 7, 1000));
  }
  CHECK(used_bytes() == 2 * kMiB);
  for (CUdeviceptr address : small) OK(cuMemFree_v2(address));
  CHECK(used_bytes() == 0);
}

void out_of_memory_is_reported_and_harmless() {
  CUdeviceptr first;
  CUdeviceptr second;
  OK(cuMemAlloc_v2(&first, 40 * kMiB));
  CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&second, 40 * kMiB));
  OK(cuMemFree_v2(first));
  OK(cuMemAlloc_v2(&second, 40 * kMiB));
  OK(cuMemFree_v2(second));
}

void pitched_rows_copy_as_rectangles() {
  CUdeviceptr address;
  size_t pitch;
  OK(cuMemAllocPitch_v2(&address, &pitch, 100, 30, 4));
  CHECK(pitch == 512);
  std::vector<char> from(100 * 30), to(100 * 30, 1);
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 31);
  CUDA_MEMCPY2D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from.data();
  copy.srcPitch = 100;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = address;
  copy.dstPitch = pitch;
  copy.WidthInBytes = 100;
  copy.Height = 30;
  OK(cuMemcpy2D_v2(&copy));
  char cell;
  OK(cuMemcpyDtoH_v2(&cell, address + 7 * pitch + 5, 1));
  CHECK(cell == from[7 * 100 + 5]);
  OK(cuMemFree_v2(address));
}

void mapped_memory_lives_while_a_handle_or_mapping_does() {
  const CUmemAllocationProp prop = exportable();
  const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUdeviceptr address;
  CUmemGenericAllocationHandle handle;
  OK(cuMemAddressReserve(&address, 8 * kMiB, 0, 0, 0));
  OK(cuMemCreate(&handle, 4 * kMiB, &prop, 0));
  OK(cuMemMap(address, 4 * kMiB, 0, handle, 0));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(address, 1, 16));  // no access yet
  OK(cuMemSetAccess(address, 4 * kMiB, &access, 1));
  OK(cuMemsetD8_v2(address, 1, 4 * kMiB));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(address, 1, 4 * kMiB + 1));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemMap(address, 2 * kMiB, 0, handle, 0));
  OK(cuMemRelease(handle));
  CHECK(used_bytes() == 4 * kMiB);
  CUmemGenericAllocationHandle again;
  OK(cuMemRetainAllocationHandle(&again, reinterpret_cast<void*>(address + kMiB)));
  OK(cuMemUnmap(address, 4 * kMiB));
  CHECK(used_bytes() == 4 * kMiB);
  OK(cuMemMap(address + 4 * kMiB, 4 * kMiB, 0, again, 0));
  OK(cuMemSetAccess(address + 4 * kMiB, 4 * kMiB, &access, 1));
  unsigned char byte = 0;
  OK(cuMemcpyDtoH_v2(&byte, address + 7 * kMiB, 1));
  CHECK(byte == 1);
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemAddressFree(address, 8 * kMiB));  // still mapped
  OK(cuMemUnmap(address + 4 * kMiB, 4 * kMiB));
  OK(cuMemRelease(again));
  CHECK(used_bytes() == 0);
  OK(cuMemAddressFree(address, 8 * kMiB));
}

void gpus_reach_what_they_were_let_in_to() {
  const CUmemAllocationProp prop = exportable();
  CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUdeviceptr mapped;
  CUdeviceptr plain;
  CUmemGenericAllocationHandle handle;
  char bytes[16] = {};
  OK(cuMemAlloc_v2(&plain, 2 * kMiB));
  OK(cuMemAddressReserve(&mapped, 2 * kMiB, 0, 0, 0));
  OK(cuMemCreate(&handle, 2 * kMiB, &prop, 0));
  OK(cuMemMap(mapped, 2 * kMiB, 0, handle, 0));
  OK(cuMemSetAccess(mapped, 2 * kMiB, &access, 1));
  CUcontext first;
  OK(cuCtxGetCurrent(&first));
  CUcontext second = start_cuda(1);
  const CUmemLocation there = {CU_MEM_LOCATION_TYPE_DEVICE, 1};
  const auto flags = [&] {
    unsigned long long found = 99;
    OK(cuMemGetAccess(&found, &there, mapped));
    return found;
  };
  CHECK(flags() == CU_MEM_ACCESS_FLAGS_PROT_NONE);
  OK(cuMemcpyHtoD_v2(plain, bytes, sizeof bytes));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(mapped, bytes, sizeof bytes));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoHAsync_v2(bytes, mapped, sizeof bytes, nullptr));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemsetD8_v2(mapped, 1, sizeof bytes));
  OK(cuMemcpyPeer(plain, second, mapped, first, sizeof bytes));  // each end by its own GPU
  access = {there, CU_MEM_ACCESS_FLAGS_PROT_READ};
  OK(cuMemSetAccess(mapped, 2 * kMiB, &access, 1));
  CHECK(flags() == CU_MEM_ACCESS_FLAGS_PROT_READ);
  OK(cuMemcpyDtoH_v2(bytes, mapped, sizeof bytes));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(mapped, bytes, sizeof bytes));
  OK(cuDevicePrimaryCtxRelease_v2(1));
  OK(cuCtxSetCurrent(first));
  OK(cuMemcpyHtoD_v2(mapped, bytes, sizeof bytes));
  OK(cuMemUnmap(mapped, 2 * kMiB));
  OK(cuMemRelease(handle));
  OK(cuMemAddressFree(mapped, 2 * kMiB));
  OK(cuMemFree_v2(plain));
  CHECK(used_bytes() == 0);
}

void an_exported_descriptor_alone_keeps_memory() {
  const CUmemAllocationProp prop = exportable();
  CUmemGenericAllocationHandle handle;
  int descriptor = -1;
  OK(cuMemCreate(&handle, 2 * kMiB, &prop, 0));
  OK(cuMemExportToShareableHandle(&descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  OK(cuMemRelease(handle));
  CHECK(used_bytes() == 2 * kMiB);
  close(descriptor);
  CHECK(used_bytes() == 0);
}

void reservations_honour_free_hints() {
  CUdeviceptr first;
  CUdeviceptr second;
  OK(cuMemAddressReserve(&first, 4 * kMiB, 0, 0, 0));
  OK(cuMemAddressFree(first, 4 * kMiB));
  OK(cuMemAddressReserve(&second, 4 * kMiB, 0, first, 0));
  CHECK(second == first);
  CUdeviceptr elsewhere;
  OK(cuMemAddressReserve(&elsewhere, 4 * kMiB, 0, first, 0));
  CHECK(elsewhere != first);
  OK(cuMemAddressFree(second, 4 * kMiB));
  OK(cuMemAddressFree(elsewhere, 4 * kMiB));
}

void pool_memory_is_freed_in_stream_order() {
  CUstream stream;
  CUdeviceptr address;
  CUmemoryPool pool;
  uint64_t used = 0;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cuMemAllocAsync(&address, 6 * kMiB, stream));
  OK(cuDeviceGetDefaultMemPool(&pool, 0));
  OK(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  CHECK(used == 6 * kMiB);
  OK(cuMemsetD8Async(address, 3, 6 * kMiB, stream));
  OK(cuMemFreeAsync(address, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(used_bytes() == 0);
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(address, stream));
  OK(cuStreamDestroy_v2(stream));
}

void memory_that_a_stream_frees_is_there_for_its_next_allocation() {
  CUstream stream;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  for (int i = 0; i < 20; ++i) {
    CUdeviceptr address;
    OK(cuMemAllocAsync(&address, 48 * kMiB, stream));  // of 64
    OK(cuLaunchHostFunc(stream, [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }, nullptr));
    OK(cuMemFreeAsync(address, stream));
  }
  CUdeviceptr kept;
  CUdeviceptr more;
  OK(cuMemAllocAsync(&kept, 48 * kMiB, stream));
  CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&more, 48 * kMiB, stream));
  OK(cuMemFreeAsync(kept, stream));
  OK(cuStreamSynchronize(stream));
  OK(cuStreamDestroy_v2(stream));
  CHECK(used_bytes() == 0);
}

void attributes_tell_kinds_of_memory_apart() {
  CUdeviceptr plain;
  CUdeviceptr managed;
  void* host;
  unsigned type = 0;
  unsigned is_managed = 9;
  OK(cuMemAlloc_v2(&plain, 2 * kMiB));
  OK(cuMemAllocManaged(&managed, 2 * kMiB, CU_MEM_ATTACH_GLOBAL));
  OK(cuMemHostAlloc(&host, 4096, CU_MEMHOSTALLOC_PORTABLE));
  OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, plain + 5));
  OK(cuPointerGetAttribute(&is_managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, plain));
  CHECK(type == CU_MEMORYTYPE_DEVICE && is_managed == 0);
  OK(cuPointerGetAttribute(&is_managed, CU_POINTER_ATTRIBUTE_IS_MANAGED, managed + 1));
  CHECK(is_managed == 1);
  OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(host)));
  CHECK(type == CU_MEMORYTYPE_HOST);
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE,
               cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(&type)));
  CUipcMemHandle handle;
  CHECK_RESULT(CUDA_ERROR_NOT_SUPPORTED, cuIpcGetMemHandle(&handle, plain));
  OK(cuMemFreeHost(host));
  OK(cuMemFree_v2(managed));
  OK(cuMemFree_v2(plain));
}

void host_memory_registers_once() {
  std::vector<char> mine(1 << 16);
  OK(cuMemHostRegister_v2(mine.data(), mine.size(), 0));
  CHECK_RESULT(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(mine.data() + 4096, 4096, 0));
  OK(cuMemHostUnregister(mine.data()));
  CHECK_RESULT(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(mine.data()));
}

void a_forked_child_has_no_driver_and_keeps_no_memory() {
  CUdeviceptr address;
  OK(cuMemAlloc_v2(&address, 4 * kMiB));
  int ready[2];
  CHECK(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    int count = 0;
    const bool dead = cuDeviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED && cuInit(0) == CUDA_ERROR_NOT_INITIALIZED;
    CHECK(write(ready[1], dead ? "y" : "n", 1) == 1);
    pause();
  }
  char answer = 0;
  CHECK(read(ready[0], &answer, 1) == 1 && answer == 'y');
  OK(cuMemFree_v2(address));
  CHECK(used_bytes() == 0);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

int main() {
  const StateDir state;
  setenv("GPUSNAP_SIM_GPUS", "2", 1);
  setenv("GPUSNAP_SIM_VRAM_BYTES", std::to_string(64 * kMiB).c_str(), 1);
  CUdeviceptr address;
  CHECK_RESULT(CUDA_ERROR_NOT_INITIALIZED, cuMemAlloc_v2(&address, 1));
  OK(cuInit(0));
  CHECK_RESULT(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&address, 1));
  start_cuda();
  large_allocation_takes_and_returns_whole_granules();
  small_allocations_share_a_block();
  out_of_memory_is_reported_and_harmless();
  pitched_rows_copy_as_rectangles();
  mapped_memory_lives_while_a_handle_or_mapping_does();
  gpus_reach_what_they_were_let_in_to();
  an_exported_descriptor_alone_keeps_memory();
  reservations_honour_free_hints();
  pool_memory_is_freed_in_stream_order();
  memory_that_a_stream_frees_is_there_for_its_next_allocation();
  attributes_tell_kinds_of_memory_apart();
  host_memory_registers_once();
  a_forked_child_has_no_driver_and_keeps_no_memory();
  OK(cuMemAlloc_v2(&address, 2 * kMiB));
  OK(cuDevicePrimaryCtxRelease_v2(0));  // takes its memory along
  start_cuda();
  CHECK(used_bytes() == 0);
  return 0;
}
