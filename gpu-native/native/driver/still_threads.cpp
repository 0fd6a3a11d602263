#include "driver/still_threads.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include "driver/failure.h"

namespace gpusnap {

namespace {

// For all threads of a process together. A stopped one stands within microseconds. One that the kernel does not let go of, for a
// device that does not answer or in a cgroup that is frozen, may never: driving it after the reading costs a second or two, so to wait
// longer for it wins nothing.
constexpr std::chrono::seconds hold_limit{3};
constexpr std::chrono::microseconds first_pause{20};
constexpr std::chrono::microseconds longest_pause{5'000};

// glibc's own, which it keeps out of every mask that a program sets: it cancels threads by the one, and changes the user of all of them
// by the other, for which the thread that asks waits until each has taken it.
constexpr int sigcancel = 32;
constexpr int sigsetxid = 33;

std::vector<pid_t> threads_of(pid_t process) {
    std::vector<pid_t> threads;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", error)) {
        threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
    }
    if (error || threads.empty()) {
        throw Failure(GPUSNAP_E_PEER_GONE, "there is no process " + std::to_string(process));
    }
    return threads;
}

Failure ptrace_failure(const char* what, pid_t thread, int error_number) {
    gpusnap_status status = error_number == EPERM ? GPUSNAP_E_PERMISSION : GPUSNAP_E_IO;
    return io_failure(status, std::string("cannot ") + what + " thread " + std::to_string(thread), error_number);
}

// Asynchronous signals: what a thread does wrong by itself it must still be told.
void block_signals(pid_t thread) {
    uint64_t mask = 0;
    if (ptrace(PTRACE_GETSIGMASK, thread, sizeof mask, &mask) != 0) {
        throw ptrace_failure("read the signal mask of", thread, errno);
    }
    uint64_t own = 0;
    for (int signal : {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, sigcancel, sigsetxid}) {
        own |= uint64_t{1} << (signal - 1);
    }
    mask |= ~own;
    if (ptrace(PTRACE_SETSIGMASK, thread, sizeof mask, &mask) != 0) {
        throw ptrace_failure("set the signal mask of", thread, errno);
    }
}

bool interrupt(pid_t thread) {
    return ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0;
}

// Whether it stands still now; it may have ended.
bool await_stop(pid_t thread, std::chrono::steady_clock::time_point deadline) {
    for (std::chrono::microseconds pause = first_pause;;) {
        int status = 0;
        pid_t found = waitpid(thread, &status, __WALL | WNOHANG);
        if (found < 0) {
            throw ptrace_failure("wait for", thread, errno);
        }
        if (found == 0) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw Failure(GPUSNAP_E_IO, "thread " + std::to_string(thread) + " does not stand still within " +
                                                std::to_string(hold_limit.count()) + " s: the kernel does not let it go");
            }
            std::this_thread::sleep_for(pause);
            pause = std::min(pause * 2, longest_pause);
            continue;
        }
        if (!WIFSTOPPED(status)) {
            return false;
        }
        if (status >> 16 == PTRACE_EVENT_STOP) {
            return true;
        }
        // A signal that was on its way to it: it gets that first. That stop may have taken the place of the one that was asked for, so
        // that is asked for again, while it stands: then it comes for certain.
        interrupt(thread);
        ptrace(PTRACE_CONT, thread, nullptr, WSTOPSIG(status));
    }
}

}  // namespace

StillThreads::StillThreads(pid_t process, pid_t running) {
    std::promise<void> begun;
    std::future<void> result = begun.get_future();
    holder_ = std::thread([this, process, running, begun = std::move(begun)]() mutable {
        try {
            hold(process, running);
            begun.set_value();
            end_.get_future().wait();
        } catch (...) {
            begun.set_exception(std::current_exception());
        }
        let_go();
    });
    try {
        result.get();
    } catch (...) {
        holder_.join();
        throw;
    }
}

StillThreads::~StillThreads() {
    end_.set_value();
    holder_.join();
}

// Again until there is no new one: a process that runs may start some meanwhile.
void StillThreads::hold(pid_t process, pid_t running) {
    auto deadline = std::chrono::steady_clock::now() + hold_limit;
    bool found_running = false;
    for (size_t before = SIZE_MAX; before != held_.size();) {
        before = held_.size();
        for (pid_t thread : threads_of(process)) {
            if (thread == running) {
                found_running = true;
                continue;
            }
            if (std::find(held_.begin(), held_.end(), thread) != held_.end()) {
                continue;
            }
            seize(thread, deadline);
        }
        if (!found_running) {
            throw Failure(GPUSNAP_E_UNSUPPORTED, "the driver restores process " + std::to_string(process) + " in thread " +
                                                     std::to_string(running) + ", which it does not have");
        }
    }
    seize(running, deadline);
    if (held_.empty() || held_.back() != running) {
        throw Failure(GPUSNAP_E_PEER_GONE, "thread " + std::to_string(running) + " of process " + std::to_string(process) + " has ended");
    }
    block_signals(running);
    held_.pop_back();
    ptrace(PTRACE_DETACH, running, nullptr, nullptr);
}

// It is the last of those that are held then, unless it has ended. Only what stands can be let go of with a word: another one goes with
// the end of this thread, which is not to kill it.
void StillThreads::seize(pid_t thread, std::chrono::steady_clock::time_point deadline) {
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
        if (errno == ESRCH) {
            return;
        }
        throw ptrace_failure("hold", thread, errno);
    }
    if (!interrupt(thread) || !await_stop(thread, deadline)) {
        return;
    }
    held_.push_back(thread);
    if (ptrace(PTRACE_SETOPTIONS, thread, nullptr, PTRACE_O_EXITKILL) != 0 && errno != ESRCH) {
        throw ptrace_failure("hold", thread, errno);
    }
}

// What was killed meanwhile is no longer there to be let go of: the end of this thread is enough for that.
void StillThreads::let_go() {
    for (pid_t thread : held_) {
        ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
    }
}

}  // namespace gpusnap
