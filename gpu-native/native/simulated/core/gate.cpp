#include "core/gate.h"

namespace gpusnap::simulated {
namespace {
thread_local unsigned depth = 0;
}

Gate::Pass::Pass(Gate& gate) : gate_(gate) {
  if (depth++ > 0) return;
  std::unique_lock lock(gate_.mutex_);
  gate_.changed_.wait(lock, [&] { return !gate_.closed_; });
  ++gate_.in_flight_;
}

Gate::Pass::~Pass() {
  if (--depth > 0) return;
  const std::lock_guard lock(gate_.mutex_);
  --gate_.in_flight_;
  if (gate_.closed_) gate_.changed_.notify_all();
}

bool Gate::close(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  closed_ = true;
  const auto idle = [&] { return in_flight_ == 0; };
  if (!deadline) {
    changed_.wait(lock, idle);
  } else if (!changed_.wait_until(lock, *deadline, idle)) {
    closed_ = false;
    changed_.notify_all();
    return false;
  }
  return true;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
  changed_.notify_all();
}

Gate& gate() {
  static auto* instance = new Gate;
  return *instance;
}

}  // namespace gpusnap::simulated
