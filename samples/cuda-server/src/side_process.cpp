#include "side_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "host_memory.h"

namespace {

// Answers each byte with a sum, until the parent is gone.
[[noreturn]] void serve(int connection, uint64_t mib, uint64_t seed) {
  const HostMemory memory(mib, seed);
  char question;
  while (read(connection, &question, 1) == 1) {
    const uint64_t sum = memory.sum();
    if (write(connection, &sum, sizeof sum) != sizeof sum) break;
  }
  _exit(0);
}

}  // namespace

SideProcess::SideProcess(uint64_t mib, uint64_t seed) {
  if (mib == 0) return;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("socketpair: " + std::string(std::strerror(errno)));
  }
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
  if (pid_ == 0) {
    close(ends[0]);
    serve(ends[1], mib, seed);
  }
  close(ends[1]);
  connection_ = ends[0];
}

SideProcess::~SideProcess() {
  if (pid_ <= 0) return;
  close(connection_);
  waitpid(pid_, nullptr, 0);
}

uint64_t SideProcess::sum() const {
  if (pid_ == 0) return 0;
  uint64_t sum = 0;
  if (write(connection_, "?", 1) != 1 || read(connection_, &sum, sizeof sum) != sizeof sum) {
    throw std::runtime_error("the side process does not answer");
  }
  return sum;
}
