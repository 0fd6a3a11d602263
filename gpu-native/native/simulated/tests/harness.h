// What the tests of the simulated driver share: checks, a private state directory, worker processes.
#pragma once

#include <cuda_abi.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#define CHECK(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);        \
      std::exit(1);                                                                       \
    }                                                                                     \
  } while (false)

#define CHECK_RESULT(expected, call)                                                      \
  do {                                                                                    \
    const CUresult expected_ = (expected);                                                \
    const CUresult got_ = (call);                                                         \
    if (got_ != expected_) {                                                              \
      std::fprintf(stderr, "%s:%d: %s gave %d, not %d\n", __FILE__, __LINE__, #call,      \
                   static_cast<int>(got_), static_cast<int>(expected_));                  \
      std::exit(1);                                                                       \
    }                                                                                     \
  } while (false)

#define OK(call) CHECK_RESULT(CUDA_SUCCESS, call)

namespace harness {

constexpr size_t kMiB = 1 << 20;

// A state directory of its own for this test and its workers, removed at the end.
class StateDir {
 public:
  StateDir() {
    char path[] = "/dev/shm/gpusnap-sim-test-XXXXXX";
    CHECK(mkdtemp(path) != nullptr);
    path_ = path;
    setenv("GPUSNAP_SIM_STATE_DIR", path, 1);
  }
  ~StateDir() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline CUcontext start_cuda(CUdevice device = 0) {
  OK(cuInit(0));
  CUcontext context;
  OK(cuDevicePrimaryCtxRetain(&context, device));
  OK(cuCtxSetCurrent(context));
  return context;
}

inline size_t used_bytes() {
  size_t free_bytes = 0;
  size_t total = 0;
  OK(cuMemGetInfo_v2(&free_bytes, &total));
  return total - free_bytes;
}

// Another process, which is this program again with a role: it answers one line for each line it is told.
// The driver does not live through fork(), so the worker is executed anew.
class Worker {
 public:
  explicit Worker(const char* role, const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    int to[2];
    int from[2];
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    pid_ = fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      for (int fd : {to[0], to[1], from[0], from[1]}) close(fd);
      for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
      execl("/proc/self/exe", "worker", role, nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in_ = fdopen(to[1], "w");
    out_ = fdopen(from[0], "r");
  }
  ~Worker() {
    if (pid_ > 0) end(9);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  pid_t pid() const { return pid_; }
  void tell(const std::string& line) {
    std::fprintf(in_, "%s\n", line.c_str());
    std::fflush(in_);
  }
  std::string hear() {
    char line[256] = {};
    CHECK(std::fgets(line, sizeof line, out_) != nullptr);
    std::string text = line;
    text.pop_back();
    return text;
  }
  std::string ask(const std::string& line) {
    tell(line);
    return hear();
  }
  int end(int signal) {
    if (signal != 0) kill(pid_, signal);
    std::fclose(in_);
    int status = 0;
    CHECK(waitpid(pid_, &status, 0) == pid_);
    std::fclose(out_);
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  FILE* in_;
  FILE* out_;
};

// The worker's side: runs until its standard input ends.
inline void obey(const std::map<std::string, std::function<std::string()>>& commands) {
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    std::string name = line;
    name.pop_back();
    const auto command = commands.find(name);
    CHECK(command != commands.end());
    const std::string answer = command->second();
    std::printf("%s\n", answer.c_str());
    std::fflush(stdout);
  }
}

}  // namespace harness
