#include "checkpoint/client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/settings.h"

namespace gpusnap::simulated {
namespace {

class Socket {
 public:
  Socket() : value_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) { require(value_ >= 0, CUDA_ERROR_OPERATING_SYSTEM); }
  ~Socket() { close(value_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return value_; }

 private:
  const int value_;
};

// The target's pid as the target itself knows it.
int inner_pid(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("NSpid:", 0) == 0) return std::atoi(line.substr(line.find_last_of("\t ") + 1).c_str());
  }
  return pid;
}

// Reaches into the directory by descriptor: the path through /proc may be longer than an address can be.
bool connect_in(int socket, const std::string& directory, const std::string& name) {
  const int folder = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name.c_str());
  const bool connected = connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(folder);
  return connected;
}

}  // namespace

int restore_thread(int pid) {
  int found = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const int thread = std::atoi(task.path().filename().c_str());
    // What it has just started has its name for a moment, and is younger.
    if (name == kRestoreThread && (found == 0 || thread < found)) found = thread;
  }
  require(found != 0, CUDA_ERROR_NOT_INITIALIZED);
  return found;
}

int ask(int pid, Verb verb, uint32_t timeout_ms, const std::vector<CUcheckpointGpuPair>& pairs) {
  require(pid > 0 && pairs.size() <= kMostPairs);
  require(kill(pid, 0) == 0 || errno == EPERM, CUDA_ERROR_OPERATING_SYSTEM);
  const Socket socket;
  const std::string name = socket_name(inner_pid(pid));
  const std::string& state_dir = settings().state_dir;
  require(connect_in(socket.get(), "/proc/" + std::to_string(pid) + "/root" + state_dir, name) ||
              connect_in(socket.get(), state_dir, name),
          CUDA_ERROR_NOT_INITIALIZED);
  const Request request{verb, timeout_ms, static_cast<uint32_t>(pairs.size())};
  Reply reply = {};
  const bool answered = send_all(socket.get(), &request, sizeof request) &&
                        send_all(socket.get(), pairs.data(), pairs.size() * sizeof(CUcheckpointGpuPair)) &&
                        receive_all(socket.get(), &reply, sizeof reply);
  require(answered, CUDA_ERROR_UNKNOWN);
  char end = 0;
  receive_all(socket.get(), &end, sizeof end);  // until the target has closed: a dump may follow at once
  require(reply.result == CUDA_SUCCESS, static_cast<CUresult>(reply.result));
  return reply.value;
}

}  // namespace gpusnap::simulated
