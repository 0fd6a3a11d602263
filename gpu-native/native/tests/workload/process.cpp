// The workload as a process: what the preload must not disturb.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <filesystem>
#include <thread>

#include "workload/commands.h"
#include "workload/driver.h"

namespace workload {
namespace {

// dlsym's special handles depend on their caller; they must mean the same with the preload.
std::string special_lookups(const Arguments&) {
    void* next = dlsym(RTLD_NEXT, "malloc");
    void* any = dlsym(RTLD_DEFAULT, "malloc");
    Dl_info where{};
    bool in_libc = next != nullptr && dladdr(next, &where) != 0 && std::string(where.dli_fname).find("libc") != std::string::npos;
    void* unknown = dlsym(RTLD_DEFAULT, "cuThereIsNoSuchFunction");
    return std::string(in_libc ? "libc" : "elsewhere") + (any != nullptr ? " found" : " missing") +
           (unknown == nullptr ? " none" : " some");
}

char handled_marker[256];

// Makes a file when SIGUSR1 comes, in whichever thread that is.
std::string handle_signal(const Arguments& arguments) {
    arguments.at(0).copy(handled_marker, sizeof handled_marker - 1);
    signal(SIGUSR1, [](int) { close(open(handled_marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); });
    return "";
}

std::string forked_child(const Arguments&) {
    pid_t child = fork();
    if (child == 0) {
        _exit(7);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

// Answers when fork() has returned in the child as well.
std::string child_that_stays(const Arguments&) {
    int ends[2];
    if (pipe(ends) != 0) {
        throw std::runtime_error("pipe failed");
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        close(ends[1]);
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    char none = 0;
    ssize_t got = read(ends[0], &none, 1);  // the end of it, once nobody can write any more
    close(ends[0]);
    if (got != 0) {
        throw std::runtime_error("the child is not there");
    }
    return std::to_string(child);
}

// A thread that is in the kernel until a child lets it out: vfork() returns when that has ended, and no signal but SIGKILL wakes it before.
std::string thread_in_the_kernel(const Arguments&) {
    std::atomic<pid_t> waiting{0};
    std::thread([&waiting] {
        waiting = gettid();
        pid_t child = vfork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) {
                pause();
            }
        }
        waitpid(child, nullptr, 0);
    }).detach();
    while (waiting == 0) {
        std::this_thread::yield();
    }
    pid_t thread = waiting;
    std::string path = "/proc/self/task/" + std::to_string(thread) + "/children";
    for (;;) {
        std::ifstream file(path);
        pid_t child = 0;
        if (file >> child) {
            return std::to_string(thread) + " " + std::to_string(child);
        }
        std::this_thread::yield();
    }
}

// glibc does it in all threads, and waits until each of them has.
std::string set_own_user(const Arguments&) {
    if (setuid(getuid()) != 0) {
        throw std::runtime_error("setuid failed");
    }
    return "";
}

std::string threads(const Arguments&) {
    std::string names;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "comm");
        std::string name;
        std::getline(file, name);
        names += (names.empty() ? "" : ",") + name;
    }
    return names;
}

}  // namespace

void add_process_commands(Commands& commands) {
    commands["special-lookups"] = special_lookups;
    commands["fork"] = forked_child;
    commands["fork-and-stay"] = child_that_stays;  // -> PID
    commands["handle-signal"] = handle_signal;   // PATH
    commands["thread-in-the-kernel"] = thread_in_the_kernel;  // -> TID CHILD
    commands["set-own-user"] = set_own_user;
    commands["threads"] = threads;
    commands["driver-symbol"] = [](const Arguments& a) {  // NAME: is it visible without a driver?
        return dlsym(RTLD_DEFAULT, a.at(0).c_str()) != nullptr ? "visible" : "hidden";
    };
    commands["pid"] = [](const Arguments&) { return std::to_string(getpid()); };
    commands["exit"] = [](const Arguments&) -> std::string { std::exit(0); };
}

}  // namespace workload
