// Order of work on streams, events, launches, graphs. Run once with worker threads and once in line.
#include "harness.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

using namespace harness;

namespace {

CUmodule module;

CUfunction kernel(const char* name) {
  CUfunction function;
  OK(cuModuleGetFunction(&function, module, name));
  return function;
}

void launch(CUfunction function, std::vector<void*> parameters, CUstream stream, unsigned grid = 1) {
  OK(cuLaunchKernel(function, grid, 1, 1, 32, 1, 1, 0, stream, parameters.data(), nullptr));
}

uint32_t first_word(CUdeviceptr address) {
  uint32_t word = 0;
  OK(cuMemcpyDtoH_v2(&word, address, sizeof word));
  return word;
}

// Keeps a stream busy until released.
struct Held {
  uint32_t* flag;
  explicit Held(CUstream stream) {
    OK(cuMemHostAlloc(reinterpret_cast<void**>(&flag), 4096, 0));
    *flag = 0;
    launch(kernel("hold_kernel"), {&flag}, stream);
  }
  void release() { *static_cast<volatile uint32_t*>(flag) = 1; }
};

void modules_load_from_memory_independently(const std::string& image) {
  CUmodule first;
  CUmodule second;
  CUdeviceptr a;
  CUdeviceptr b;
  size_t size = 0;
  OK(cuModuleLoadData(&first, image.data()));
  OK(cuModuleLoadData(&second, image.data()));
  OK(cuModuleGetGlobal_v2(&a, &size, first, "counter"));
  OK(cuModuleGetGlobal_v2(&b, nullptr, second, "counter"));
  CHECK(a != b && size == sizeof(int));
  CUfunction missing;
  CHECK_RESULT(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&missing, first, "no_such_kernel"));
  OK(cuModuleUnload(first));
  OK(cuModuleUnload(second));
  const uint32_t fatbin[16] = {0xba55ed50};
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&first, fatbin));
  CHECK_RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&first, "//\n// PTX\n.version 8.0"));
  CHECK_RESULT(CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(&first, "nothing that is known to anybody, and long enough"));
  CHECK_RESULT(CUDA_ERROR_FILE_NOT_FOUND, cuModuleLoad(&first, "/no/such/file"));
}

void a_launch_keeps_its_arguments(CUdeviceptr data) {
  CUstream stream;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cuMemsetD32_v2(data, 0, 16));
  uint32_t count = 16;
  uint32_t value = 3;
  launch(kernel("add_kernel"), {&data, &count, &value}, stream, 2);
  value = 1000;  // too late to matter
  OK(cuStreamSynchronize(stream));
  CHECK(first_word(data) == 6);
  uint32_t* target = reinterpret_cast<uint32_t*>(data);
  launch(kernel("plain_kernel"), {&target}, stream);  // no sizes: done at return
  CHECK(*target == 42);
  struct {
    CUdeviceptr address;
    uint32_t count, value;
  } packed = {data, 16, 1};
  size_t packed_size = 16;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &packed_size, CU_LAUNCH_PARAM_END};
  OK(cuLaunchKernel(kernel("add_kernel"), 1, 1, 1, 1, 1, 1, 0, stream, nullptr, extra));
  OK(cuStreamSynchronize(stream));
  CHECK(first_word(data) == 43);
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(kernel("add_kernel"), 0, 1, 1, 1, 1, 1, 0, stream, nullptr, extra));
  OK(cuStreamDestroy_v2(stream));
}

void work_of_another_stream_is_awaited_by_events_only(CUdeviceptr data) {
  CUstream a;
  CUstream b;
  CUevent event;
  OK(cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
  OK(cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
  OK(cuEventCreate(&event, 0));
  OK(cuMemsetD32_v2(data, 0, 16));
  Held held(a);
  OK(cuMemsetD32Async(data, 5, 16, a));
  OK(cuEventRecord(event, a));
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuStreamQuery(a));
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuEventQuery(event));
  OK(cuMemsetD32Async(data, 1, 16, b));  // does not wait for a
  OK(cuStreamSynchronize(b));
  OK(cuStreamWaitEvent(b, event, 0));
  uint32_t count = 16;
  uint32_t value = 2;
  launch(kernel("add_kernel"), {&data, &count, &value}, b);
  CHECK_RESULT(CUDA_ERROR_NOT_READY, cuStreamQuery(b));
  held.release();
  OK(cuStreamSynchronize(b));
  OK(cuEventSynchronize(event));
  CHECK(first_word(data) == 7);
  OK(cuEventDestroy_v2(event));
  OK(cuStreamDestroy_v2(a));
  OK(cuStreamDestroy_v2(b));
}

void the_legacy_stream_orders_with_blocking_streams(CUdeviceptr data) {
  CUstream blocking;
  CUstream independent;
  OK(cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
  OK(cuStreamCreate(&independent, CU_STREAM_NON_BLOCKING));
  OK(cuMemsetD32_v2_ptds(data, 8, 16));  // the per-thread stream is a blocking one, and nothing is held yet
  CHECK(first_word(data) == 8);
  Held held(blocking);
  OK(cuMemsetD32Async(data, 9, 16, blocking));
  std::atomic<bool> copied{false};
  CUcontext context;
  OK(cuCtxGetCurrent(&context));
  std::thread reader([&] {
    OK(cuCtxSetCurrent(context));
    CHECK(first_word(data) == 9);  // on the legacy stream: after the blocking one
    copied = true;
  });
  OK(cuMemsetD32Async(data + 64, 8, 16, independent));
  OK(cuStreamSynchronize(independent));
  CHECK(!copied);
  held.release();
  reader.join();
  CHECK(copied);
  OK(cuStreamDestroy_v2(independent));
  OK(cuStreamDestroy_v2(blocking));
}

void events_measure_time(CUdeviceptr data) {
  CUevent start;
  CUevent end;
  float milliseconds = -1;
  OK(cuEventCreate(&start, 0));
  OK(cuEventCreate(&end, 0));
  CHECK_RESULT(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime_v2(&milliseconds, start, end));
  OK(cuEventRecord(start, nullptr));
  OK(cuMemsetD32Async(data, 1, 16, nullptr));
  OK(cuEventRecord(end, nullptr));
  OK(cuEventSynchronize(end));
  OK(cuEventElapsedTime_v2(&milliseconds, start, end));
  CHECK(milliseconds >= 0);
}

void host_functions_run_in_order(CUdeviceptr data) {
  CUstream stream;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  struct Seen {
    uint32_t* word;
    uint32_t value;
  } seen{reinterpret_cast<uint32_t*>(data), 0};
  OK(cuMemsetD32Async(data, 77, 16, stream));
  OK(cuLaunchHostFunc(stream, [](void* p) { static_cast<Seen*>(p)->value = *static_cast<Seen*>(p)->word; }, &seen));
  OK(cuMemsetD32Async(data, 78, 16, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(seen.value == 77);
  OK(cuStreamDestroy_v2(stream));
}

void a_capture_runs_only_when_launched(CUdeviceptr data) {
  CUstream a;
  CUstream b;
  CUevent fork_event;
  CUevent join_event;
  CUgraph graph;
  CUgraphExec exec;
  OK(cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
  OK(cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
  OK(cuEventCreate(&fork_event, CU_EVENT_DISABLE_TIMING));
  OK(cuEventCreate(&join_event, CU_EVENT_DISABLE_TIMING));
  OK(cuMemsetD32_v2(data, 1, 16));
  uint32_t count = 16;
  uint32_t value = 10;
  OK(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  launch(kernel("add_kernel"), {&data, &count, &value}, a);
  OK(cuEventRecord(fork_event, a));
  OK(cuStreamWaitEvent(b, fork_event, 0));
  launch(kernel("add_kernel"), {&data, &count, &value}, b);
  CUstreamCaptureStatus status;
  OK(cuStreamIsCapturing(b, &status));
  CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  OK(cuEventRecord(join_event, b));
  OK(cuStreamWaitEvent(a, join_event, 0));
  CUdeviceptr scratch;
  OK(cuMemAllocAsync(&scratch, 2 * kMiB, a));
  OK(cuMemsetD32Async(scratch, 1, 16, a));
  OK(cuMemFreeAsync(scratch, a));
  OK(cuStreamEndCapture(a, &graph));
  size_t nodes = 0;
  OK(cuGraphGetNodes(graph, nullptr, &nodes));
  CHECK(nodes == 7);
  CHECK(first_word(data) == 1);
  OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  OK(cuGraphLaunch(exec, a));
  OK(cuGraphLaunch(exec, a));
  OK(cuStreamSynchronize(a));
  CHECK(first_word(data) == 41);
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
}

void what_a_capture_forbids_spoils_it(CUdeviceptr data) {
  CUstream a;
  CUgraph graph;
  CUdeviceptr address;
  OK(cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
  OK(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc_v2(&address, 2 * kMiB));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuMemsetD32Async(data, 1, 16, a));
  CHECK_RESULT(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(a, &graph));
  OK(cuStreamBeginCapture_v2(a, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK(mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
  OK(cuMemAlloc_v2(&address, 2 * kMiB));
  OK(cuThreadExchangeStreamCaptureMode(&mode));
  OK(cuStreamEndCapture(a, &graph));
  OK(cuMemFree_v2(address));
  OK(cuGraphDestroy(graph));
}

void explicit_graphs_run_their_nodes(CUdeviceptr data) {
  CUgraph graph;
  CUgraphNode set;
  CUgraphNode add;
  CUgraphExec exec;
  OK(cuGraphCreate(&graph, 0));
  const CUDA_MEMSET_NODE_PARAMS fill = {data, 0, 4, 4, 16, 1};
  OK(cuGraphAddMemsetNode(&set, graph, nullptr, 0, &fill, nullptr));
  uint32_t count = 16;
  uint32_t value = 6;
  void* parameters[] = {&data, &count, &value};
  const CUDA_KERNEL_NODE_PARAMS launch_node = {kernel("add_kernel"), 1, 1, 1, 1, 1, 1, 0, parameters, nullptr, nullptr, nullptr};
  OK(cuGraphAddKernelNode_v2(&add, graph, &set, 1, &launch_node));
  CUgraphNodeType type;
  OK(cuGraphNodeGetType(add, &type));
  CHECK(type == CU_GRAPH_NODE_TYPE_KERNEL);
  OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
  OK(cuGraphLaunch(exec, nullptr));
  CHECK(first_word(data) == 10);
  OK(cuGraphExecDestroy(exec));
  OK(cuGraphDestroy(graph));
}

}  // namespace

int main() {
  const StateDir state;
  const char* const async = std::getenv("GPUSNAP_SIM_ASYNC");
  const bool inline_work = async != nullptr && std::strcmp(async, "0") == 0;
  start_cuda();
  std::stringstream image;
  image << std::ifstream(GPUSNAP_TEST_KERNELS).rdbuf();
  OK(cuModuleLoadData(&module, image.str().data()));
  CUdeviceptr data;
  OK(cuMemAlloc_v2(&data, 2 * kMiB));
  modules_load_from_memory_independently(image.str());
  a_launch_keeps_its_arguments(data);
  if (!inline_work) {  // in line, a held stream would hold its caller
    work_of_another_stream_is_awaited_by_events_only(data);
    the_legacy_stream_orders_with_blocking_streams(data);
  }
  events_measure_time(data);
  host_functions_run_in_order(data);
  a_capture_runs_only_when_launched(data);
  what_a_capture_forbids_spoils_it(data);
  explicit_graphs_run_their_nodes(data);
  return 0;
}
