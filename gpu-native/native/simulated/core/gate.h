// The door that every driver call goes through. cuCheckpointProcessLock closes it: calls in flight finish, later ones
// wait inside the driver until it opens again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace gpusnap::simulated {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;  // empty: wait for ever

class Gate {
 public:
  // One call on its way through. A call made from within a call (a host function run in line) passes freely.
  class Pass {
   public:
    explicit Pass(Gate& gate);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    Gate& gate_;
  };

  // False when calls are still in flight at the deadline; the gate is open again then.
  bool close(const Deadline& deadline);
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned in_flight_ = 0;
  bool closed_ = false;
};

Gate& gate();

}  // namespace gpusnap::simulated
