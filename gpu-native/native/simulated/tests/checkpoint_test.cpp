// The checkpoint state machine, driven from another process.
#include "harness.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <thread>

using namespace harness;

namespace {

constexpr size_t kSize = 6 * kMiB;
constexpr size_t kVram = 32 * kMiB;

uint32_t pattern(size_t i) { return static_cast<uint32_t>(i * 2654435761u); }

void target() {
  start_cuda();
  CUdeviceptr plain = 0;
  CUdeviceptr small = 0;
  CUdeviceptr mapped = 0;
  CUdeviceptr managed = 0;
  CUstream stream;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  std::vector<uint32_t> words(kSize / 4);
  for (size_t i = 0; i < words.size(); ++i) words[i] = pattern(i);
  std::atomic<unsigned> calls{0};
  std::atomic<bool> held{false};
  std::thread busy;
  obey({
      {"fill",
       [&] {
         OK(cuMemAlloc_v2(&plain, kSize));
         OK(cuMemAlloc_v2(&small, 4096));
         CUmemAllocationProp prop = {};
         prop.type = CU_MEM_ALLOCATION_TYPE_PINNED;
         prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
         prop.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
         CUmemGenericAllocationHandle handle;
         const CUmemAccessDesc access = {prop.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
         OK(cuMemAddressReserve(&mapped, kSize, 0, 0, 0));
         OK(cuMemCreate(&handle, kSize, &prop, 0));
         OK(cuMemMap(mapped, kSize, 0, handle, 0));
         OK(cuMemSetAccess(mapped, kSize, &access, 1));
         OK(cuMemcpyHtoD_v2(plain, words.data(), kSize));
         OK(cuMemcpyHtoD_v2(mapped, words.data(), kSize));
         OK(cuMemcpyHtoD_v2(small, words.data(), 4096));
         return "ok";
       }},
      {"compare",
       [&] {
         std::vector<uint32_t> back(kSize / 4);
         for (CUdeviceptr address : {plain, mapped}) {
           OK(cuMemcpyDtoH_v2(back.data(), address, kSize));
           if (back != words) return "different";
         }
         OK(cuMemcpyDtoH_v2(back.data(), small, 4096));
         return std::memcmp(back.data(), words.data(), 4096) == 0 ? "equal" : "different";
       }},
      {"call-often",
       [&] {
         busy = std::thread([&] {
           int count = 0;
           for (;;) {
             OK(cuDeviceGetCount(&count));
             ++calls;
             std::this_thread::sleep_for(std::chrono::milliseconds(1));
           }
         });
         busy.detach();
         while (calls == 0) std::this_thread::yield();
         return "ok";
       }},
      {"calls", [&] { return std::to_string(calls); }},
      {"hold-stream",
       [&] {
         held = true;
         OK(cuLaunchHostFunc(
             stream,
             [](void* flag) {
               while (*static_cast<std::atomic<bool>*>(flag)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
             },
             &held));
         return "ok";
       }},
      {"let-stream",
       [&] {
         held = false;
         OK(cuStreamSynchronize(stream));
         return "ok";
       }},
      {"managed",
       [&] {
         OK(cuMemAllocManaged(&managed, kSize, CU_MEM_ATTACH_GLOBAL));
         return "ok";
       }},
      {"free-managed",
       [&] {
         OK(cuMemFree_v2(managed));
         return "ok";
       }},
      {"descriptors",
       [&] {
         int ours = 0;
         for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
           std::error_code ignored;
           const std::string to = std::filesystem::read_symlink(entry.path(), ignored).string();
           if (to.find("/vram-") != std::string::npos || to.find("memfd") != std::string::npos) ++ours;
         }
         std::ifstream maps("/proc/self/maps");
         for (std::string line; std::getline(maps, line);) {
           if (line.find("/vram-") != std::string::npos) ++ours;
         }
         return std::to_string(ours);
       }},
      {"uuid",
       [&] {
         CUuuid uuid;
         OK(cuDeviceGetUuid_v2(&uuid, 0));
         char text[8];
         std::snprintf(text, sizeof text, "%02x%02x", static_cast<unsigned char>(uuid.bytes[0]),
                       static_cast<unsigned char>(uuid.bytes[1]));
         return std::string(text);
       }},
  });
}

CUprocessState state_of(pid_t pid) {
  CUprocessState state;
  OK(cuCheckpointProcessGetState(pid, &state));
  return state;
}

CUresult lock(pid_t pid, unsigned timeout_ms = 10000) {
  CUcheckpointLockArgs args = {};
  args.timeoutMs = timeout_ms;
  return cuCheckpointProcessLock(pid, &args);
}

CUresult restore(pid_t pid, std::vector<CUcheckpointGpuPair> pairs) {
  CUcheckpointRestoreArgs args = {};
  args.gpuPairs = pairs.data();
  args.gpuPairsCount = static_cast<unsigned>(pairs.size());
  return cuCheckpointProcessRestore(pid, &args);
}

void a_full_cycle_brings_everything_back() {
  Worker worker("target");
  CHECK(worker.ask("fill") == "ok" && worker.ask("call-often") == "ok");
  const size_t held = used_bytes();
  CHECK(held == 2 * kSize + 2 * kMiB);
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_RUNNING);
  OK(lock(worker.pid()));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_LOCKED);
  CHECK(worker.ask("calls") == worker.ask("calls"));  // the calling thread waits inside the driver
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, lock(worker.pid()));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, restore(worker.pid(), {}));
  OK(cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_CHECKPOINTED);
  CHECK(used_bytes() == 0);
  CHECK(worker.ask("descriptors") == "0");
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, cuCheckpointProcessUnlock(worker.pid(), nullptr));
  int tid = 0;
  OK(cuCheckpointProcessGetRestoreThreadId(worker.pid(), &tid));
  CHECK(std::filesystem::exists("/proc/" + std::to_string(worker.pid()) + "/task/" + std::to_string(tid)));
  OK(restore(worker.pid(), {}));
  CHECK(used_bytes() == held);
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_LOCKED);
  const std::string before = worker.ask("calls");
  OK(cuCheckpointProcessUnlock(worker.pid(), nullptr));
  CHECK(worker.ask("compare") == "equal");
  while (worker.ask("calls") == before) {
  }
  worker.end(SIGKILL);
  CHECK(used_bytes() == 0);
}

void lock_gives_up_at_its_timeout() {
  Worker worker("target");
  CHECK(worker.ask("hold-stream") == "ok");
  CHECK_RESULT(CUDA_ERROR_NOT_READY, lock(worker.pid(), 50));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_RUNNING);
  CHECK(worker.ask("let-stream") == "ok");  // calls go through again
  OK(lock(worker.pid()));
  OK(cuCheckpointProcessUnlock(worker.pid(), nullptr));
}

void managed_memory_is_refused() {
  Worker worker("target");
  CHECK(worker.ask("fill") == "ok" && worker.ask("managed") == "ok");
  OK(lock(worker.pid()));
  CHECK_RESULT(CUDA_ERROR_NOT_SUPPORTED, cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_LOCKED);
  OK(cuCheckpointProcessUnlock(worker.pid(), nullptr));
  CHECK(worker.ask("compare") == "equal" && worker.ask("free-managed") == "ok");
  OK(lock(worker.pid()));
  OK(cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
}

void a_restore_without_room_fails_for_good() {
  Worker worker("target");
  CHECK(worker.ask("fill") == "ok");
  OK(lock(worker.pid()));
  OK(cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  CUdeviceptr mine;
  OK(cuMemAlloc_v2(&mine, kVram - kSize));
  CHECK_RESULT(CUDA_ERROR_OUT_OF_MEMORY, restore(worker.pid(), {}));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_FAILED);
  CHECK(used_bytes() == kVram - kSize);
  OK(cuMemFree_v2(mine));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, restore(worker.pid(), {}));
  CHECK_RESULT(CUDA_ERROR_ILLEGAL_STATE, cuCheckpointProcessUnlock(worker.pid(), nullptr));
}

void a_map_of_gpus_moves_the_process() {
  CUuuid uuids[2];
  OK(cuDeviceGetUuid_v2(&uuids[0], 0));
  OK(cuDeviceGetUuid_v2(&uuids[1], 1));
  Worker worker("target");
  CHECK(worker.ask("fill") == "ok");
  const std::string before = worker.ask("uuid");
  OK(lock(worker.pid()));
  OK(cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, restore(worker.pid(), {{uuids[0], uuids[1]}}));  // must name every GPU
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, restore(worker.pid(), {{uuids[0], uuids[1]}, {uuids[1], uuids[1]}}));
  CHECK(state_of(worker.pid()) == CU_PROCESS_STATE_CHECKPOINTED);
  OK(restore(worker.pid(), {{uuids[0], uuids[1]}, {uuids[1], uuids[0]}}));
  CHECK(used_bytes() == 0);  // on the first GPU, which is ours
  OK(cuCheckpointProcessUnlock(worker.pid(), nullptr));
  CHECK(worker.ask("compare") == "equal");
  CHECK(worker.ask("uuid") != before);
}

void failures_come_on_order() {
  Worker worker("target");
  CHECK(worker.ask("fill") == "ok");
  const std::string rules = std::string(std::getenv("GPUSNAP_SIM_STATE_DIR")) + "/fail-" + std::to_string(worker.pid());
  std::ofstream(rules) << "cuCheckpointProcessCheckpoint@1=304\n";
  OK(lock(worker.pid()));
  CHECK_RESULT(CUDA_ERROR_OPERATING_SYSTEM, cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  OK(cuCheckpointProcessCheckpoint(worker.pid(), nullptr));
  std::filesystem::remove(rules);
  OK(restore(worker.pid(), {}));
  OK(cuCheckpointProcessUnlock(worker.pid(), nullptr));
  CHECK(worker.ask("compare") == "equal");
}

void strangers_are_told_apart() {
  CUprocessState state;
  CHECK_RESULT(CUDA_ERROR_OPERATING_SYSTEM, cuCheckpointProcessGetState(0x3fffff, &state));
  CHECK_RESULT(CUDA_ERROR_NOT_INITIALIZED, cuCheckpointProcessGetState(getppid(), &state));
  CUcheckpointLockArgs args = {};
  args.reserved1[3] = 1;
  CHECK_RESULT(CUDA_ERROR_INVALID_VALUE, cuCheckpointProcessLock(getpid(), &args));
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1 && std::strcmp(arguments[1], "target") == 0) {
    target();
    return 0;
  }
  const StateDir state;
  setenv("GPUSNAP_SIM_VRAM_BYTES", std::to_string(kVram).c_str(), 1);
  setenv("GPUSNAP_SIM_GPUS", "2", 1);
  start_cuda();
  a_full_cycle_brings_everything_back();
  lock_gives_up_at_its_timeout();
  managed_memory_is_refused();
  a_restore_without_room_fails_for_good();
  a_map_of_gpus_moves_the_process();
  failures_come_on_order();
  strangers_are_told_apart();
  return 0;
}
