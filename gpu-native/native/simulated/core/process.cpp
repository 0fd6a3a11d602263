#include "core/process.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "checkpoint/service.h"
#include "core/error.h"
#include "memory/ledger.h"
#include "memory/memory.h"

namespace gpusnap::simulated {
namespace {

std::atomic<bool> ready{false};
std::atomic<bool> is_forked{false};

void before_fork() { memory().mutex().lock(); }
void after_fork_in_parent() { memory().mutex().unlock(); }

void after_fork_in_child() {
  is_forked = true;
  for (const auto& physical : memory().unlocked_space().physicals()) physical->forget_descriptor();
  checkpoint_service().forget();
  memory().mutex().unlock();
}

void at_exit() {
  if (is_forked) return;
  checkpoint_service().remove_socket();
  for (const auto& physical : memory().unlocked_space().physicals()) physical->unlink_if_private();
}

}  // namespace

void initialise() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (ready) return;
  require(devices().count() > 0, CUDA_ERROR_NO_DEVICE);
  Ledger::prepare();
  for (const Gpu& gpu : devices().machine()) ledger().used_bytes(gpu);  // buries what the dead left
  checkpoint_service().start();
  require(pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0, CUDA_ERROR_OPERATING_SYSTEM);
  std::atexit(at_exit);
  ready = true;
}

bool initialised() { return ready; }
bool forked() { return is_forked; }

}  // namespace gpusnap::simulated
