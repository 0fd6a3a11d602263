#include "checkpoint/service.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "checkpoint/machine.h"
#include "checkpoint/wire.h"
#include "core/error.h"
#include "core/failure.h"
#include "core/settings.h"
#include "work/queue.h"

namespace gpusnap::simulated {
namespace {

const char* function_of(Verb verb) {
  switch (verb) {
    case Verb::kState:
      return "cuCheckpointProcessGetState";
    case Verb::kLock:
      return "cuCheckpointProcessLock";
    case Verb::kCheckpoint:
      return "cuCheckpointProcessCheckpoint";
    case Verb::kRestore:
      return "cuCheckpointProcessRestore";
    case Verb::kUnlock:
      return "cuCheckpointProcessUnlock";
  }
  return "?";
}

bool allowed(int connection) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

int perform(const Request& request, const std::vector<CUcheckpointGpuPair>& pairs) {
  if (const auto error = failures().next_from_file(function_of(request.verb))) fail(*error);
  CheckpointMachine& machine = checkpoint_machine();
  switch (request.verb) {
    case Verb::kState:
      return machine.state();
    case Verb::kLock:
      machine.lock(request.timeout_ms);
      return 0;
    case Verb::kCheckpoint:
      machine.checkpoint();
      return 0;
    case Verb::kRestore:
      machine.restore(pairs);
      return 0;
    case Verb::kUnlock:
      machine.unlock();
      return 0;
  }
  fail(CUDA_ERROR_INVALID_VALUE);
}

}  // namespace

void CheckpointService::start() {
  path_ = settings().state_dir + "/" + socket_name(getpid());
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    complain("GPUSNAP_SIM_STATE_DIR=%s is too long a path for a socket in it", settings().state_dir.c_str());
    fail(CUDA_ERROR_OPERATING_SYSTEM);
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  unlink(path_.c_str());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path_.c_str(), 0600) != 0 || listen(listener_, 16) != 0) {
    complain("cannot listen on %s: %s", path_.c_str(), std::strerror(errno));
    fail(CUDA_ERROR_OPERATING_SYSTEM);
  }
  start_driver_thread([this] { serve(); });
}

void CheckpointService::serve() {
  pthread_setname_np(pthread_self(), kRestoreThread);
  // Of the real driver's it is not known whether a signal for the process may run its handler here: the worse is assumed.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  for (;;) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED || errno == EMFILE || errno == ENFILE) continue;
      return;
    }
    // A thread each: the state can be asked for while a lock still waits for calls in flight.
    start_driver_thread([this, connection] {
      pthread_setname_np(pthread_self(), "sim-answer");
      answer(connection);
      close(connection);
    });
  }
}

void CheckpointService::answer(int connection) {
  Request request = {};
  if (!allowed(connection) || !receive_all(connection, &request, sizeof request) || request.pair_count > kMostPairs) return;
  std::vector<CUcheckpointGpuPair> pairs(request.pair_count);
  if (!receive_all(connection, pairs.data(), pairs.size() * sizeof pairs[0])) return;
  Reply reply = {};
  try {
    reply.value = perform(request, pairs);
  } catch (const Error& error) {
    reply.result = error.code;
  }
  send_all(connection, &reply, sizeof reply);
}

void CheckpointService::remove_socket() const { unlink(path_.c_str()); }

void CheckpointService::forget() {
  if (listener_ >= 0) close(listener_);
  listener_ = -1;
}

CheckpointService& checkpoint_service() {
  static auto* instance = new CheckpointService;
  return *instance;
}

}  // namespace gpusnap::simulated
