// The order in which a stream's work runs. Work of one queue runs one after the other; a ticket is a point in a queue
// that other work can wait for. Every wait points to work submitted earlier, so queues cannot wait in a circle.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "core/gate.h"

namespace gpusnap::simulated {

using Work = std::function<void()>;

class Queue;

struct Ticket {
  std::shared_ptr<Queue> queue;  // null: nothing to wait for
  uint64_t number = 0;

  bool done() const;
  // False at the deadline.
  bool wait(const Deadline& deadline = {}) const;
};

class Queue : public std::enable_shared_from_this<Queue> {
 public:
  // The caller orders submissions of queues that wait for each other. Errors that work throws go to `on_error`.
  explicit Queue(std::function<void(CUresult)> on_error) : on_error_(std::move(on_error)) {}

  // Asynchronous: on the queue's own thread, started with its first work. Otherwise in the caller, before it returns.
  Ticket submit(Work work, std::vector<Ticket> waits);
  Ticket last() const;
  // No more work comes: the thread ends when it has done what is there.
  void close();

 private:
  friend struct Ticket;
  struct Entry {
    Work work;
    std::vector<Ticket> waits;
  };
  void run(const Entry& entry);
  void complete();
  void serve();

  const std::function<void(CUresult)> on_error_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<Entry> entries_;
  uint64_t submitted_ = 0;
  uint64_t completed_ = 0;
  bool thread_started_ = false;
  bool closed_ = false;
};

// Runs `body` on a thread of the driver's own: detached, with all signals blocked, so that the application's handlers
// never run there.
void start_driver_thread(std::function<void()> body);

}  // namespace gpusnap::simulated
