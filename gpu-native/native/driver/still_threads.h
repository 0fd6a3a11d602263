// Keeps threads of a stopped process from going on with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace gpusnap {

// All threads of a process but one, held by ptrace from a thread of our own, because only the thread that holds may let go. When
// this process ends without having let go, the kernel kills the other one: nothing of it runs before its time. The one that runs
// blocks signals from then on: one that is for the process would run a handler of the application's in it. The others take them later.
class StillThreads {
public:
    // Throws a Failure, and has let go of everything then.
    StillThreads(pid_t process, pid_t running);
    ~StillThreads();
    StillThreads(const StillThreads&) = delete;
    StillThreads& operator=(const StillThreads&) = delete;

private:
    void hold(pid_t process, pid_t running);
    void seize(pid_t thread, std::chrono::steady_clock::time_point deadline);
    void let_go();
    std::vector<pid_t> held_;
    std::promise<void> end_;
    std::thread holder_;
};

}  // namespace gpusnap
