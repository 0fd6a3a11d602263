// A checkpointed process through CRIU and back: same pid, same addresses, same bytes, kernels still run.
// Needs root and CRIU 4.1 or newer: GPUSNAP_CRIU, or criu on the PATH.
#include "harness.h"

#include <fcntl.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

using namespace harness;

namespace {

constexpr size_t kSize = 16 * kMiB;

std::string state_file(const char* name) { return std::string(std::getenv("GPUSNAP_SIM_STATE_DIR")) + "/" + name; }

void write_whole(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

std::string read_whole(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Answers each request file with the number of the request and a sum over its memory, which each answer changes.
void service() {
  start_cuda();
  CUmodule module;
  CUfunction add;
  CUdeviceptr data;
  CUdeviceptr sparse;
  CUstream stream;
  OK(cuModuleLoad(&module, GPUSNAP_TEST_KERNELS));
  OK(cuModuleGetFunction(&add, module, "add_kernel"));
  OK(cuMemAlloc_v2(&data, kSize));
  OK(cuMemAlloc_v2(&sparse, 4 * kSize));
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cuMemsetD32_v2(data, 0x01010101, kSize / 4));
  for (int request = 1;; ++request) {
    const std::string path = state_file("request");
    while (!std::filesystem::exists(path)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::filesystem::remove(path);
    uint32_t count = kSize / 4;
    uint32_t value = 5;
    void* parameters[] = {&data, &count, &value};
    OK(cuLaunchKernel(add, 1, 1, 1, 1, 1, 1, 0, stream, parameters, nullptr));
    OK(cuStreamSynchronize(stream));
    std::vector<uint32_t> words(count);
    OK(cuMemcpyDtoH_v2(words.data(), data, kSize));
    uint64_t sum = data;
    for (const uint32_t word : words) sum += word;
    write_whole(state_file("answer"), std::to_string(request) + " " + std::to_string(sum) + " " + std::to_string(getpid()));
  }
}

std::string request() {
  std::filesystem::remove(state_file("answer"));
  write_whole(state_file("request"), "");
  for (int tries = 0; tries < 5000 && !std::filesystem::exists(state_file("answer")); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return read_whole(state_file("answer"));
}

uint64_t expected_sum(uint64_t address, uint64_t requests) { return address + (0x01010101ull + 5 * requests) * (kSize / 4); }

pid_t start_service() {
  const pid_t pid = fork();
  if (pid == 0) {
    setsid();
    const int null = open("/dev/null", O_RDWR);
    for (int fd : {0, 1, 2}) dup2(null, fd);
    close(null);
    execl("/proc/self/exe", "service", "service", nullptr);
    _exit(127);
  }
  return pid;
}

int shell(const std::string& command) { return std::system(command.c_str()); }

[[noreturn]] void skip(const char* reason) {
  std::printf("skipped: %s\n", reason);
  std::exit(77);
}

}  // namespace

int main(int count, char**) {
  if (count > 1) service();
  const char* const named = std::getenv("GPUSNAP_CRIU");
  const std::string criu = named != nullptr && *named != '\0' ? named : "criu";
  if (geteuid() != 0) skip("CRIU needs root");
  if (shell(criu + " check >/dev/null 2>&1") != 0) skip("no working CRIU: set GPUSNAP_CRIU, or run scripts/bootstrap.sh");
  const StateDir state;
  start_cuda();
  const pid_t pid = start_service();
  uint64_t number = 0;
  uint64_t first = 0;
  CHECK(std::sscanf(request().c_str(), "%lu %lu", &number, &first) == 2 && number == 1);
  const uint64_t address = first - expected_sum(0, 1);
  CHECK(used_bytes() == 5 * kSize);

  OK(cuCheckpointProcessLock(pid, nullptr));
  OK(cuCheckpointProcessCheckpoint(pid, nullptr));
  CHECK(used_bytes() == 0);
  const std::string images = state_file("images");
  std::filesystem::create_directory(images);
  const std::string common = " -D " + images + " --file-locks --link-remap --ghost-limit 1073741824 --ext-unix-sk -v4 -o ";
  CHECK(shell(criu + " dump -t " + std::to_string(pid) + common + "dump.log >/dev/null 2>&1") == 0 ||
        (shell("grep -a Error " + images + "/dump.log >&2"), false));
  waitpid(pid, nullptr, 0);
  uint64_t image_bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(images)) image_bytes += entry.file_size();
  CHECK(image_bytes > kSize && image_bytes < 3 * kSize);  // the memory is in there, all-zero memory is not

  CHECK(shell(criu + " restore -d --leave-stopped" + common + "restore.log >/dev/null 2>&1") == 0 ||
        (shell("grep -a Error " + images + "/restore.log >&2"), false));
  kill(pid, SIGCONT);
  CUprocessState now;
  OK(cuCheckpointProcessGetState(pid, &now));
  CHECK(now == CU_PROCESS_STATE_CHECKPOINTED);
  OK(cuCheckpointProcessRestore(pid, nullptr));
  CHECK(used_bytes() == 5 * kSize);
  OK(cuCheckpointProcessUnlock(pid, nullptr));
  CHECK(request() == "2 " + std::to_string(expected_sum(address, 2)) + " " + std::to_string(pid));
  kill(pid, SIGKILL);
  for (int tries = 0; tries < 2000 && used_bytes() != 0; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(used_bytes() == 0);
  return 0;
}
