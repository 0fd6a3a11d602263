// Asks a driver how it behaves in corners that gpusnap relies on, and prints one line an answer. The lines that a real
// driver gave are recorded in behaviour-*.txt; the test compares the simulated driver's with them.
//   behaviour LIBCUDA         prints the answers
//   behaviour LIBCUDA FILE    compares them with a recorded file, in which lines with # are comments
#include <cuda_abi.h>
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

void* library;
std::ostringstream answers;

#define CALL(name) reinterpret_cast<decltype(&::name)>(symbol(#name))

void* symbol(const char* name) {
  void* const found = dlsym(library, name);
  if (found == nullptr) {
    std::fprintf(stderr, "the driver lacks %s\n", name);
    std::exit(2);
  }
  return found;
}

std::string name_of(CUresult result) {
  const char* name = nullptr;
  CALL(cuGetErrorName)(result, &name);
  return name != nullptr ? name : std::to_string(result);
}

void say(const std::string& question, const std::string& answer) { answers << question << ": " << answer << "\n"; }
void say(const std::string& question, CUresult result) { say(question, name_of(result)); }

void must(const char* what, CUresult result) {
  if (result == CUDA_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", what, name_of(result).c_str());
  std::exit(2);
}
#define MUST(call) must(#call, call)

constexpr size_t kSize = 4 << 20;

CUmemAllocationProp prop_of(unsigned handle_types) {
  CUmemAllocationProp prop = {};
  prop.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  prop.requestedHandleTypes = static_cast<CUmemAllocationHandleType>(handle_types);
  return prop;
}

CUcontext start() {
  MUST(CALL(cuInit)(0));
  CUcontext context;
  MUST(CALL(cuDevicePrimaryCtxRetain)(&context, 0));
  MUST(CALL(cuCtxSetCurrent)(context));
  return context;
}

void before_initialisation() {
  CUdeviceptr address;
  int version = 0;
  say("cuMemAlloc before cuInit", CALL(cuMemAlloc_v2)(&address, 1));
  say("cuDriverGetVersion before cuInit", CALL(cuDriverGetVersion)(&version));
  MUST(CALL(cuInit)(0));
  say("cuMemAlloc without a context", CALL(cuMemAlloc_v2)(&address, 1));
  CUdevice device;
  say("cuDeviceGet of no such ordinal", CALL(cuDeviceGet)(&device, 4711));
}

void virtual_memory() {
  const CUmemAllocationProp prop = prop_of(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  const CUmemAllocationProp closed = prop_of(CU_MEM_HANDLE_TYPE_NONE);
  const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  size_t granularity = 0;
  MUST(CALL(cuMemGetAllocationGranularity)(&granularity, &prop, CU_MEM_ALLOC_GRANULARITY_MINIMUM));
  say("granularity", std::to_string(granularity));
  CUdeviceptr range;
  CUmemGenericAllocationHandle handle;
  CUmemGenericAllocationHandle unexportable;
  MUST(CALL(cuMemAddressReserve)(&range, 4 * kSize, 0, 0, 0));
  say("range is aligned to", range % granularity == 0 ? "the granularity" : "less");
  say("cuMemCreate of half a granule", CALL(cuMemCreate)(&handle, granularity / 2, &prop, 0));
  MUST(CALL(cuMemCreate)(&handle, kSize, &prop, 0));
  MUST(CALL(cuMemCreate)(&unexportable, kSize, &closed, 0));
  int descriptor = -1;
  say("export of memory not made for it", CALL(cuMemExportToShareableHandle)(&descriptor, unexportable, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  MUST(CALL(cuMemMap)(range, kSize, 0, handle, 0));
  say("cuMemMap over a mapping", CALL(cuMemMap)(range, kSize, 0, unexportable, 0));
  say("cuMemMap outside of any range", CALL(cuMemMap)(range - (1ull << 40), kSize, 0, unexportable, 0));
  unsigned long long flags = 99;
  MUST(CALL(cuMemGetAccess)(&flags, &prop.location, range));
  say("cuMemGetAccess before cuMemSetAccess", std::to_string(flags));
  MUST(CALL(cuMemSetAccess)(range, kSize, &access, 1));
  MUST(CALL(cuMemGetAccess)(&flags, &prop.location, range));
  say("cuMemGetAccess after cuMemSetAccess", std::to_string(flags));
  say("cuMemSetAccess over unmapped memory", CALL(cuMemSetAccess)(range, 2 * kSize, &access, 1));
  CUmemGenericAllocationHandle again = 0;
  MUST(CALL(cuMemRetainAllocationHandle)(&again, reinterpret_cast<void*>(range + 12345)));
  say("cuMemRetainAllocationHandle gives", again == handle ? "the same handle" : "another handle");
  MUST(CALL(cuMemRelease)(again));
  CUmemAllocationProp read_back = {};
  MUST(CALL(cuMemGetAllocationPropertiesFromHandle)(&read_back, handle));
  say("handle types read back", std::to_string(read_back.requestedHandleTypes));
  MUST(CALL(cuMemRelease)(handle));
  say("cuMemsetD8 after cuMemRelease of a mapped handle", CALL(cuMemsetD8_v2)(range, 1, 16));
  CUdeviceptr base = 0;
  size_t size = 0;
  const CUresult ranged = CALL(cuMemGetAddressRange_v2)(&base, &size, range + 4096);
  say("cuMemGetAddressRange of mapped memory", ranged);
  say("... base", base == range ? "the mapping" : "something else");
  say("... size", size == kSize ? "the mapping" : size == 4 * kSize ? "the range" : "something else");
  MUST(CALL(cuMemUnmap)(range, kSize));
  MUST(CALL(cuMemMap)(range, kSize, 0, unexportable, 0));
  MUST(CALL(cuMemMap)(range + kSize, kSize, 0, unexportable, 0));
  MUST(CALL(cuMemSetAccess)(range, 2 * kSize, &access, 1));
  MUST(CALL(cuMemsetD8_v2)(range, 77, kSize));
  unsigned char byte = 0;
  MUST(CALL(cuMemcpyDtoH_v2)(&byte, range + kSize + 5, 1));
  say("memory mapped twice is", byte == 77 ? "the same" : "different");
  say("cuMemUnmap of two mappings at once", CALL(cuMemUnmap)(range, 2 * kSize));
  MUST(CALL(cuMemRelease)(unexportable));
  say("cuMemAddressFree of a part", CALL(cuMemAddressFree)(range, kSize));
  MUST(CALL(cuMemAddressFree)(range, 4 * kSize));
  CUdeviceptr second = 0;
  MUST(CALL(cuMemAddressReserve)(&second, 4 * kSize, 0, range, 0));
  say("cuMemAddressReserve with a free hint gives", second == range ? "the hint" : "another address");
  MUST(CALL(cuMemAddressFree)(second, 4 * kSize));
  say("import of an ordinary descriptor",
      CALL(cuMemImportFromShareableHandle)(&handle, reinterpret_cast<void*>(static_cast<intptr_t>(2)), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
}

// What may spoil a context, each in a process of its own: prints one answer.
[[noreturn]] void risk(const std::string& name) {
  start();
  const CUmemAllocationProp prop = prop_of(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUdeviceptr range;
  CUmemGenericAllocationHandle handle;
  MUST(CALL(cuMemAddressReserve)(&range, 4 * kSize, 0, 0, 0));
  MUST(CALL(cuMemCreate)(&handle, kSize, &prop, 0));
  MUST(CALL(cuMemMap)(range, kSize, 0, handle, 0));
  CUresult result = CUDA_SUCCESS;
  if (name == "cuMemsetD8 without access") {
    result = CALL(cuMemsetD8_v2)(range, 1, 16);
  } else {
    MUST(CALL(cuMemSetAccess)(range, kSize, &access, 1));
    if (name == "cuMemsetD8 past the mapping") result = CALL(cuMemsetD8_v2)(range + kSize - 8, 1, 16);
    if (name == "cuMemsetD8 of reserved memory") result = CALL(cuMemsetD8_v2)(range + 2 * kSize, 1, 16);
    if (name == "cuMemcpyDtoH of reserved memory") result = CALL(cuMemcpyDtoH_v2)(&range, range + 2 * kSize, 8);
    if (name == "cuMemAddressFree of a mapped range") result = CALL(cuMemAddressFree)(range, 4 * kSize);
    if (name == "cuMemUnmap of half a mapping") result = CALL(cuMemUnmap)(range, kSize / 2);
    if (name == "cuMemFree of a mapped range") result = CALL(cuMemFree_v2)(range);
    if (name == "cuMemRelease twice") {
      MUST(CALL(cuMemRelease)(handle));
      result = CALL(cuMemRelease)(handle);
    }
  }
  std::fputs(name_of(result).c_str(), stdout);
  std::fflush(stdout);
  _exit(0);
}

// Runs this program again; what it prints.
std::string another(const char* driver, const char* what) {
  int out[2];
  if (pipe(out) != 0) std::exit(2);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    execl("/proc/self/exe", "behaviour", driver, "--risk", what, nullptr);
    _exit(127);
  }
  close(out[1]);
  std::string text;
  char piece[128];
  for (ssize_t got; (got = read(out[0], piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(got));
  close(out[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status)) : text;
}

void risks(const char* driver) {
  for (const char* what :
       {"cuMemsetD8 without access", "cuMemsetD8 past the mapping", "cuMemsetD8 of reserved memory",
        "cuMemcpyDtoH of reserved memory", "cuMemAddressFree of a mapped range", "cuMemUnmap of half a mapping",
        "cuMemFree of a mapped range", "cuMemRelease twice"}) {
    say(what, another(driver, what));
  }
}

void shared_memory() {
  const CUmemAllocationProp prop = prop_of(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  CUmemGenericAllocationHandle handle;
  CUmemGenericAllocationHandle imported;
  int descriptor = -1;
  size_t before = 0;
  size_t now = 0;
  size_t total = 0;
  MUST(CALL(cuMemGetInfo_v2)(&before, &total));
  MUST(CALL(cuMemCreate)(&handle, 16 * kSize, &prop, 0));
  MUST(CALL(cuMemExportToShareableHandle)(&descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  MUST(CALL(cuMemImportFromShareableHandle)(&imported, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  MUST(CALL(cuMemGetInfo_v2)(&now, &total));
  say("an imported handle costs", before - now < 32 * kSize ? "nothing more" : "its size again");
  int again = -1;
  say("export of imported memory", CALL(cuMemExportToShareableHandle)(&again, imported, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  MUST(CALL(cuMemRelease)(handle));
  MUST(CALL(cuMemRelease)(imported));
  MUST(CALL(cuMemGetInfo_v2)(&now, &total));
  say("a descriptor alone keeps memory", before - now >= 16 * kSize ? "yes" : "no");
  close(descriptor);
  MUST(CALL(cuMemGetInfo_v2)(&now, &total));
  say("after it is closed memory is", before - now >= 16 * kSize ? "kept" : "free");
}

std::string attribute(CUpointer_attribute name, CUdeviceptr address, size_t size) {
  uint64_t value = 0;
  const CUresult result = CALL(cuPointerGetAttribute)(&value, name, address);
  if (result != CUDA_SUCCESS) return name_of(result);
  return size == 8 ? (value == 0 ? "null" : "set") : std::to_string(static_cast<unsigned>(value));
}

void attributes(const char* what, CUdeviceptr address) {
  const std::string of = std::string(" of ") + what;
  say("context" + of, attribute(CU_POINTER_ATTRIBUTE_CONTEXT, address, 8));
  say("memory type" + of, attribute(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address, 4));
  say("is managed" + of, attribute(CU_POINTER_ATTRIBUTE_IS_MANAGED, address, 4));
  say("device" + of, attribute(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address, 4));
  say("legacy IPC" + of, attribute(CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE, address, 4));
  say("mapped" + of, attribute(CU_POINTER_ATTRIBUTE_MAPPED, address, 4));
  say("pool" + of, attribute(CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, address, 8));
  say("host pointer" + of, attribute(CU_POINTER_ATTRIBUTE_HOST_POINTER, address, 8));
}

void ordinary_memory() {
  CUdeviceptr plain;
  CUdeviceptr pooled;
  CUdeviceptr mapped;
  CUmemGenericAllocationHandle handle;
  void* host;
  const CUmemAllocationProp prop = prop_of(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  MUST(CALL(cuMemAlloc_v2)(&plain, kSize));
  MUST(CALL(cuMemAllocAsync)(&pooled, kSize, nullptr));
  MUST(CALL(cuMemHostAlloc)(&host, kSize, 0));
  MUST(CALL(cuMemAddressReserve)(&mapped, kSize, 0, 0, 0));
  MUST(CALL(cuMemCreate)(&handle, kSize, &prop, 0));
  MUST(CALL(cuMemMap)(mapped, kSize, 0, handle, 0));
  MUST(CALL(cuMemSetAccess)(mapped, kSize, &access, 1));
  attributes("cuMemAlloc", plain);
  attributes("cuMemAllocAsync", pooled);
  attributes("cuMemMap", mapped);
  attributes("cuMemHostAlloc", reinterpret_cast<CUdeviceptr>(host));
  attributes("ordinary memory", reinterpret_cast<CUdeviceptr>(&host));
  CUdeviceptr address = 0;
  say("cuMemAlloc of nothing", CALL(cuMemAlloc_v2)(&address, 0));
  say("cuMemAlloc of too much", CALL(cuMemAlloc_v2)(&address, 1ull << 45));
  say("cuMemFree of null", CALL(cuMemFree_v2)(0));
  say("cuMemFree inside an allocation", CALL(cuMemFree_v2)(plain + 512));
  say("cuMemFree of pool memory", CALL(cuMemFree_v2)(pooled));
  say("cuMemFreeAsync of cuMemAlloc memory", CALL(cuMemFreeAsync)(plain, nullptr));
  MUST(CALL(cuMemAlloc_v2)(&plain, kSize));
  say("cuMemUnmap of cuMemAlloc memory", CALL(cuMemUnmap)(plain, kSize));
  CUmemGenericAllocationHandle retained;
  say("cuMemRetainAllocationHandle of cuMemAlloc memory", CALL(cuMemRetainAllocationHandle)(&retained, reinterpret_cast<void*>(plain)));
  CUdeviceptr base = 0;
  size_t size = 0;
  MUST(CALL(cuMemGetAddressRange_v2)(&base, &size, plain + 77));
  say("cuMemGetAddressRange of cuMemAlloc memory", base == plain && size == kSize ? "what was asked for" : "something else");
  say("cuMemGetAddressRange of host memory", CALL(cuMemGetAddressRange_v2)(&base, &size, reinterpret_cast<CUdeviceptr>(host)));
  CUdeviceptr pitched;
  size_t pitch = 0;
  MUST(CALL(cuMemAllocPitch_v2)(&pitched, &pitch, 1000, 16, 8));
  say("pitch of 1000 bytes", std::to_string(pitch));
  say("cuMemHostRegister twice", (MUST(CALL(cuMemHostUnregister)((MUST(CALL(cuMemHostRegister_v2)(&answers, 64, 0)), &answers))), CALL(cuMemHostUnregister)(&answers)));
  say("cuMemFreeHost of ordinary memory", CALL(cuMemFreeHost)(&host));
  MUST(CALL(cuMemFree_v2)(pitched));
  MUST(CALL(cuMemFree_v2)(plain));
}

void lookups() {
  void* function = nullptr;
  CUdriverProcAddressQueryResult status;
  say("cuGetProcAddress_v2 of an unknown name", CALL(cuGetProcAddress_v2)("cuNoSuchThing", &function, 13000, 0, &status));
  say("... status", std::to_string(status));
  say("... pointer", function == nullptr ? "null" : "set");
  say("cuGetProcAddress_v2 of a newer function", CALL(cuGetProcAddress_v2)("cuMemAllocAsync", &function, 11000, 0, &status));
  say("... status", std::to_string(status));
  say("cuGetProcAddress_v2 of an unknown name without status", CALL(cuGetProcAddress_v2)("cuNoSuchThing", &function, 13000, 0, nullptr));
  say("cuGetProcAddress of an unknown name", CALL(cuGetProcAddress)("cuNoSuchThing", &function, 12000, 0));
  for (const char* name : {"cuMemAlloc", "cuCtxSynchronize", "cuLaunchKernel", "cuMemcpyHtoD"}) {
    for (const uint64_t flags : {0, 1, 2}) {
      MUST(CALL(cuGetProcAddress_v2)(name, &function, 13000, flags, &status));
      std::string found = "something else";
      for (const std::string suffix : {"", "_v2", "_ptsz", "_ptds", "_v2_ptds"}) {
        if (dlsym(library, (name + suffix).c_str()) == function) found = name + suffix;
      }
      say(std::string(name) + " at 13000 with flags " + std::to_string(flags), found);
    }
  }
}

void code() {
  CUmodule module;
  say("cuModuleLoadData of rubbish", CALL(cuModuleLoadData)(&module, "this is not a module, whatever else it may be....................."));
  say("cuModuleLoad of a missing file", CALL(cuModuleLoad)(&module, "/no/such/file"));
}

void captures() {
  CUstream stream;
  CUgraph graph = nullptr;
  CUdeviceptr data;
  CUdeviceptr address;
  MUST(CALL(cuMemAlloc_v2)(&data, kSize));
  MUST(CALL(cuStreamCreate)(&stream, CU_STREAM_NON_BLOCKING));
  const auto begin = [&](CUstreamCaptureMode mode) { MUST(CALL(cuStreamBeginCapture_v2)(stream, mode)); };
  begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
  say("cuMemAlloc in a global capture", CALL(cuMemAlloc_v2)(&address, kSize));
  say("... then work", CALL(cuMemsetD8Async)(data, 1, 16, stream));
  say("... then the end", CALL(cuStreamEndCapture)(stream, &graph));
  begin(CU_STREAM_CAPTURE_MODE_RELAXED);
  say("cuMemAlloc in a relaxed capture", CALL(cuMemAlloc_v2)(&address, kSize));
  say("... then the end", CALL(cuStreamEndCapture)(stream, &graph));
  begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
  say("cuStreamSynchronize in a capture", CALL(cuStreamSynchronize)(stream));
  CALL(cuStreamEndCapture)(stream, &graph);
  begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
  CUmemGenericAllocationHandle handle;
  const CUmemAllocationProp prop = prop_of(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUdeviceptr range = 0;
  say("cuMemAddressReserve in a global capture", CALL(cuMemAddressReserve)(&range, kSize, 0, 0, 0));
  say("cuMemCreate in a global capture", CALL(cuMemCreate)(&handle, kSize, &prop, 0));
  say("cuMemMap in a global capture", CALL(cuMemMap)(range, kSize, 0, handle, 0));
  say("cuMemSetAccess in a global capture", CALL(cuMemSetAccess)(range, kSize, &access, 1));
  say("cuMemUnmap in a global capture", CALL(cuMemUnmap)(range, kSize));
  say("cuCtxSynchronize in a global capture", CALL(cuCtxSynchronize)());
  say("... then the end", CALL(cuStreamEndCapture)(stream, &graph));
  begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
  say("cuMemAllocAsync in a capture", CALL(cuMemAllocAsync)(&address, kSize, stream));
  say("cuMemFreeAsync in a capture", CALL(cuMemFreeAsync)(address, stream));
  say("... then the end", CALL(cuStreamEndCapture)(stream, &graph));
  say("the end without a beginning", CALL(cuStreamEndCapture)(stream, &graph));
  say("a capture of the legacy stream", CALL(cuStreamBeginCapture_v2)(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUevent event;
  MUST(CALL(cuEventCreate)(&event, 0));
  say("cuEventQuery of an event never recorded", CALL(cuEventQuery)(event));
  say("cuStreamWaitEvent of an event never recorded", CALL(cuStreamWaitEvent)(stream, event, 0));
}

void children() {
  const pid_t child = fork();
  if (child == 0) {
    int count = 0;
    const CUresult inherited = CALL(cuDeviceGetCount)(&count);
    _exit(static_cast<int>(inherited) & 0xff);
  }
  int status = 0;
  waitpid(child, &status, 0);
  say("a call in a child of fork", name_of(static_cast<CUresult>(WEXITSTATUS(status))));
}

// A process with 8 allocations that lives until it is killed.
[[noreturn]] void target() {
  start();
  for (int i = 0; i < 8; ++i) {
    CUdeviceptr address;
    MUST(CALL(cuMemAlloc_v2)(&address, kSize));
    MUST(CALL(cuMemsetD8_v2)(address, static_cast<unsigned char>(i), kSize));
  }
  MUST(CALL(cuCtxSynchronize)());
  std::puts("ready");
  std::fflush(stdout);
  for (;;) pause();
}

pid_t start_target(const char* driver) {
  int out[2];
  if (pipe(out) != 0) std::exit(2);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    execl("/proc/self/exe", "behaviour", driver, "--target", nullptr);
    _exit(127);
  }
  close(out[1]);
  char byte = 0;
  if (read(out[0], &byte, 1) != 1) std::exit(2);
  close(out[0]);
  return pid;
}

std::string state_of(pid_t pid) {
  CUprocessState state;
  const CUresult result = CALL(cuCheckpointProcessGetState)(pid, &state);
  return result == CUDA_SUCCESS ? std::to_string(state) : name_of(result);
}

CUresult restore(pid_t pid, std::vector<CUcheckpointGpuPair> pairs = {}) {
  CUcheckpointRestoreArgs args = {};
  args.gpuPairs = pairs.empty() ? nullptr : pairs.data();
  args.gpuPairsCount = static_cast<unsigned>(pairs.size());
  return CALL(cuCheckpointProcessRestore)(pid, &args);
}

void checkpoints(const char* driver) {
  const pid_t stranger = fork();
  if (stranger == 0) {
    for (;;) pause();
  }
  say("state of a process without CUDA", state_of(stranger));
  say("state of no process", state_of(0x3ffffe));
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
  const pid_t pid = start_target(driver);
  CUcheckpointLockArgs lock = {};
  lock.timeoutMs = 10000;
  say("state at first", state_of(pid));
  say("checkpoint unlocked", CALL(cuCheckpointProcessCheckpoint)(pid, nullptr));
  say("unlock unlocked", CALL(cuCheckpointProcessUnlock)(pid, nullptr));
  say("restore unlocked", restore(pid));
  lock.reserved1[2] = 1;
  say("lock with a reserved field set", CALL(cuCheckpointProcessLock)(pid, &lock));
  lock.reserved1[2] = 0;
  say("state after that", state_of(pid));
  if (state_of(pid) == "0") say("lock", CALL(cuCheckpointProcessLock)(pid, &lock));
  say("state", state_of(pid));
  say("lock again", CALL(cuCheckpointProcessLock)(pid, &lock));
  say("restore locked", restore(pid));
  say("checkpoint", CALL(cuCheckpointProcessCheckpoint)(pid, nullptr));
  say("state", state_of(pid));
  say("checkpoint again", CALL(cuCheckpointProcessCheckpoint)(pid, nullptr));
  say("unlock checkpointed", CALL(cuCheckpointProcessUnlock)(pid, nullptr));
  say("restore", restore(pid));
  say("state", state_of(pid));
  say("unlock", CALL(cuCheckpointProcessUnlock)(pid, nullptr));
  say("state", state_of(pid));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

void remaps(const char* driver) {
  CUuuid uuid;
  MUST(CALL(cuDeviceGetUuid_v2)(&uuid, 0));
  CUuuid other = uuid;
  other.bytes[0] ^= 1;
  const struct {
    const char* name;
    std::vector<CUcheckpointGpuPair> pairs;
  } cases[] = {{"to the same GPU", {{uuid, uuid}}},
               {"to a GPU that there is not", {{uuid, other}}},
               {"from a GPU that it did not use", {{other, uuid}}}};
  for (const auto& one : cases) {
    const pid_t pid = start_target(driver);
    MUST(CALL(cuCheckpointProcessLock)(pid, nullptr));
    MUST(CALL(cuCheckpointProcessCheckpoint)(pid, nullptr));
    say(std::string("restore ") + one.name, restore(pid, one.pairs));
    say("... state", state_of(pid));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

// Lines that are recorded but not given, or given otherwise.
int compare(const char* path) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path);
    return 2;
  }
  std::vector<std::string> recorded;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') recorded.push_back(line);
  }
  std::istringstream given(answers.str());
  int failures = 0;
  size_t at = 0;
  for (std::string line; std::getline(given, line); ++at) {
    if (at < recorded.size() && recorded[at] == line) continue;
    std::fprintf(stderr, "recorded: %s\nhere:     %s\n", at < recorded.size() ? recorded[at].c_str() : "nothing", line.c_str());
    ++failures;
  }
  if (at != recorded.size()) ++failures;
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: behaviour LIBCUDA [RECORDED]\n");
    return 2;
  }
  library = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  if (count > 2 && std::strcmp(arguments[2], "--target") == 0) target();
  if (count > 3 && std::strcmp(arguments[2], "--risk") == 0) risk(arguments[3]);
  before_initialisation();
  start();
  virtual_memory();
  risks(arguments[1]);
  shared_memory();
  ordinary_memory();
  lookups();
  code();
  captures();
  children();
  checkpoints(arguments[1]);
  remaps(arguments[1]);
  if (count > 2) return compare(arguments[2]);
  std::fputs(answers.str().c_str(), stdout);
  return 0;
}
