#include "work/queue.h"

#include <pthread.h>
#include <signal.h>

#include <thread>

#include "core/error.h"
#include "core/settings.h"

namespace gpusnap::simulated {

void start_driver_thread(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(std::move(body)).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool Ticket::done() const {
  if (!queue) return true;
  const std::lock_guard lock(queue->mutex_);
  return queue->completed_ >= number;
}

bool Ticket::wait(const Deadline& deadline) const {
  if (!queue) return true;
  std::unique_lock lock(queue->mutex_);
  const auto reached = [&] { return queue->completed_ >= number; };
  if (deadline) return queue->changed_.wait_until(lock, *deadline, reached);
  queue->changed_.wait(lock, reached);
  return true;
}

Ticket Queue::submit(Work work, std::vector<Ticket> waits) {
  Ticket mine{shared_from_this(), 0};
  Entry entry{std::move(work), std::move(waits)};
  if (!settings().asynchronous) {
    {
      const std::lock_guard lock(mutex_);
      mine.number = ++submitted_;
    }
    Ticket{mine.queue, mine.number - 1}.wait();
    run(entry);
    complete();
    return mine;
  }
  const std::lock_guard lock(mutex_);
  if (!thread_started_) {
    start_driver_thread([self = shared_from_this()] { self->serve(); });
    thread_started_ = true;
  }
  mine.number = ++submitted_;
  entries_.push_back(std::move(entry));
  changed_.notify_all();
  return mine;
}

Ticket Queue::last() const {
  const std::lock_guard lock(mutex_);
  return Ticket{std::const_pointer_cast<Queue>(shared_from_this()), submitted_};
}

void Queue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void Queue::run(const Entry& entry) {
  for (const Ticket& wait : entry.waits) wait.wait();
  try {
    entry.work();
  } catch (const Error& error) {
    on_error_(error.code);
  }
}

void Queue::complete() {
  const std::lock_guard lock(mutex_);
  ++completed_;
  changed_.notify_all();
}

void Queue::serve() {
  for (;;) {
    Entry entry;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closed_ || !entries_.empty(); });
      if (entries_.empty()) return;
      entry = std::move(entries_.front());
      entries_.pop_front();
    }
    run(entry);
    entry = Entry();  // what the work held goes before anybody sees it done
    complete();
  }
}

}  // namespace gpusnap::simulated
