// gpusnap-placeholder: process 1 of a container whose workload is thawed into it, or started cold.
//
// It waits for the node's daemon to thaw a workload beside it. What goes wrong with that, or takes too long, ends in the
// container's own command: a snapshot is never the reason that a service is down. From then on it is what a small init is:
// it forwards signals, reaps, and ends as the workload ends, so that the kubelet sees the workload's own exit status.

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "container/signals.h"

namespace {

using namespace gpusnap::container;

constexpr int usage_status = 64;
constexpr int signalled_status = 128;

struct Options {
    long wait_seconds = 0;
    long claim_seconds = 600;
    std::vector<char*> command;
};

void say(const std::string& text) { std::fprintf(stderr, "gpusnap-placeholder: %s\n", text.c_str()); }

[[noreturn]] void refuse(const std::string& why) {
    say(why);
    say("usage: gpusnap-placeholder [--wait SECONDS] [--claim SECONDS] [--] COMMAND [ARGUMENT...]");
    std::exit(usage_status);
}

long seconds(const char* name, const char* text) {
    char* end = nullptr;
    const long value = text == nullptr ? -1 : std::strtol(text, &end, 10);
    if (value < 0 || value > 86400 || end == text || *end != '\0') {
        refuse(std::string(name) + " must be whole seconds from 0 to 86400, is " + (text == nullptr ? "missing" : text));
    }
    return value;
}

Options parse(int count, char** arguments) {
    Options options;
    if (const char* wait = std::getenv("GPUSNAP_PLACEHOLDER_WAIT")) options.wait_seconds = seconds("GPUSNAP_PLACEHOLDER_WAIT", wait);
    if (const char* claim = std::getenv("GPUSNAP_PLACEHOLDER_CLAIM")) options.claim_seconds = seconds("GPUSNAP_PLACEHOLDER_CLAIM", claim);
    int at = 1;
    for (; at < count && arguments[at][0] == '-'; at++) {
        const std::string flag = arguments[at];
        if (flag == "--") {
            at++;
            break;
        }
        if (flag == "--wait") {
            options.wait_seconds = seconds("--wait", arguments[++at]);
        } else if (flag == "--claim") {
            options.claim_seconds = seconds("--claim", arguments[++at]);
        } else {
            refuse("there is no flag " + flag);
        }
    }
    for (; at < count; at++) options.command.push_back(arguments[at]);
    if (options.command.empty()) refuse("no command to start is named");
    options.command.push_back(nullptr);
    return options;
}

long now() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec;
}

class Placeholder {
 public:
    explicit Placeholder(Options options) : options_(std::move(options)) {}

    [[noreturn]] void run() {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before_);
        if (options_.wait_seconds > 0) {
            become(waiting_name, options_.wait_seconds);
        } else {
            start_cold("");
        }
        for (;;) {
            siginfo_t signal{};
            const timespec second{1, 0};
            const int number = workload_ > 0 ? sigwaitinfo(&all, &signal) : sigtimedwait(&all, &signal, &second);
            if (number > 0) on_signal(number, signal);
            if (workload_ == 0 && now() >= deadline_) start_cold("nobody thawed into this container in time");
        }
    }

 private:
    void become(const char* name, long patience_seconds) {
        prctl(PR_SET_NAME, name);
        deadline_ = now() + patience_seconds;
    }

    void on_signal(int number, const siginfo_t& signal) {
        switch (number) {
            case SIGCHLD:
                reap();
                return;
            case claim_signal:
                if (workload_ == 0 && from_outside(signal)) become(claimed_name, options_.claim_seconds);
                return;
            case cold_signal:
                if (workload_ == 0 && from_outside(signal)) start_cold("the node's daemon says so");
                return;
            case serve_signal:
                if (workload_ == 0) serve(signal.si_value.sival_int);
                return;
            default:
                forward(number);
        }
    }

    // The kernel fills this in: 0 is a sender that this PID namespace does not see.
    static bool from_outside(const siginfo_t& signal) { return signal.si_code == SI_USER && signal.si_pid == 0; }

    void serve(pid_t process) {
        // Only a child of ours can be waited for, and CRIU has left it to us.
        siginfo_t child{};
        if (process <= 1 || waitid(P_PID, static_cast<id_t>(process), &child, WEXITED | WNOHANG | WNOWAIT) != 0) return;
        workload_ = process;
        become(running_name, 0);
        reap();
    }

    void forward(int number) {
        if (number == SIGURG || number == SIGWINCH || number == SIGCONT || number == SIGPIPE) return;
        if (workload_ > 0) {
            kill(workload_, number);
        } else if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
            // Whatever is half made in here ends with process 1.
            std::exit(signalled_status + number);
        }
    }

    void reap() {
        for (;;) {
            int status = 0;
            const pid_t ended = waitpid(-1, &status, WNOHANG);
            if (ended <= 0) return;
            if (ended == workload_) {
                std::exit(WIFSIGNALED(status) ? signalled_status + WTERMSIG(status) : WEXITSTATUS(status));
            }
        }
    }

    void start_cold(const std::string& why) {
        if (!why.empty()) {
            say(why + ": starting " + options_.command.front());
            end_everything_else();
        }
        const pid_t child = fork();
        if (child < 0) {
            say(std::string("fork: ") + std::strerror(errno));
            std::exit(1);
        }
        if (child == 0) {
            setsid();  // a later dump wants a session that is all inside of the workload
            sigprocmask(SIG_SETMASK, &before_, nullptr);
            execvp(options_.command.front(), options_.command.data());
            say(std::string(options_.command.front()) + ": " + std::strerror(errno));
            _exit(errno == ENOENT ? 127 : 126);
        }
        workload_ = child;
        become(running_name, 0);
    }

    // Process 1 reaches all of its PID namespace, and nothing else: a restore that was cut off leaves no half of a process.
    static void end_everything_else() {
        if (getpid() != 1) return;
        while (kill(-1, SIGKILL) == 0) {
            if (waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) break;
        }
    }

    const Options options_;
    sigset_t before_{};
    pid_t workload_ = 0;
    long deadline_ = 0;
};

}  // namespace

int main(int count, char** arguments) { Placeholder(parse(count, arguments)).run(); }
