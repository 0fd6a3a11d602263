// A program that ends while the driver's threads still work: they go on while exit() runs, and find all that they use.
#include "harness.h"

#include <fcntl.h>

#include <atomic>
#include <thread>

using namespace harness;

namespace {

std::atomic<bool> ending{false};
std::atomic<bool> worked{false};

void wait_for(std::atomic<bool>& flag) {
  for (int i = 0; i < 20'000 && !flag; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(flag);
}

// Registered before the driver starts, so that it runs when exit() has done all that the driver registered.
void let_the_stream_go_on() {
  ending = true;
  wait_for(worked);
}

int end_with_work_pending() {
  CHECK(std::atexit(let_the_stream_go_on) == 0);
  start_cuda();
  CUdeviceptr address;
  OK(cuMemAllocAsync(&address, 4 * kMiB, nullptr));
  OK(cuLaunchHostFunc(nullptr, [](void*) { wait_for(ending); }, nullptr));
  OK(cuMemFreeAsync(address, nullptr));
  OK(cuLaunchHostFunc(nullptr, [](void*) { worked = true; }, nullptr));
  return 1;
}

}  // namespace

int main(int count, char**) {
  if (count > 1) return end_with_work_pending();
  const StateDir state;
  const std::filesystem::path folder = state.path() + "/folder";
  std::filesystem::create_directory(folder);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    std::filesystem::current_path(folder);
    execl("/proc/self/exe", "program", "ends", nullptr);
    _exit(127);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::fprintf(stderr, "left behind: %s\n", entry.path().c_str());
    return 1;
  }
  return 0;
}
