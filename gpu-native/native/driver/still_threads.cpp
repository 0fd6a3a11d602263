#include "driver/still_threads.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include "driver/failure.h"

namespace gpusnap {

namespace {

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

// Whether it stands still now; it may have ended.
bool await_stop(pid_t thread) {
    for (;;) {
        int status = 0;
        if (waitpid(thread, &status, __WALL) < 0) {
            if (errno == EINTR) {
                continue;
            }
            throw ptrace_failure("wait for", thread, errno);
        }
        if (!WIFSTOPPED(status)) {
            return false;
        }
        if (status >> 16 == PTRACE_EVENT_STOP) {
            return true;
        }
        // A signal that was on its way to it: it gets that first.
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
            seize(thread);
        }
        if (!found_running) {
            throw Failure(GPUSNAP_E_UNSUPPORTED, "the driver restores process " + std::to_string(process) + " in thread " +
                                                     std::to_string(running) + ", which it does not have");
        }
    }
    seize(running);
    if (held_.empty() || held_.back() != running) {
        throw Failure(GPUSNAP_E_PEER_GONE, "thread " + std::to_string(running) + " of process " + std::to_string(process) + " has ended");
    }
    block_signals(running);
    held_.pop_back();
    ptrace(PTRACE_DETACH, running, nullptr, nullptr);
}

// It is the last of those that are held then, unless it has ended.
void StillThreads::seize(pid_t thread) {
    if (ptrace(PTRACE_SEIZE, thread, nullptr, PTRACE_O_EXITKILL) != 0) {
        if (errno == ESRCH) {
            return;
        }
        throw ptrace_failure("hold", thread, errno);
    }
    held_.push_back(thread);
    if (ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 || !await_stop(thread)) {
        held_.pop_back();
    }
}

// What was killed meanwhile is no longer there to be let go of: the end of this thread is enough for that.
void StillThreads::let_go() {
    for (pid_t thread : held_) {
        ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
    }
}

}  // namespace gpusnap
