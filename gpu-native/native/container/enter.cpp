// gpusnap-enter: the daemon's hand in a container. Runs CRIU inside of one, or tells its placeholder something.

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "container/signals.h"

namespace {

using namespace gpusnap::container;

constexpr int first_descriptor = 100;
constexpr int namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
constexpr int usage_status = 64;
constexpr int broken_status = 70;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

int number(const std::string& text) {
    size_t used = 0;
    const int value = std::stoi(text, &used);
    if (used != text.size()) throw std::invalid_argument("not a number: " + text);
    return value;
}

struct Inherit {
    std::string name;  // as CRIU names it, such as pipe:[4711]
    int descriptor = 0;  // of the target
};

struct Run {
    std::string images;
    std::string loader;
    std::string library_path;
    std::string program;
    int target = 0;
    unsigned long long started = 0;
    int task_id = 0;
    std::vector<Inherit> inherited;
    std::vector<std::string> arguments;
};

// Field 22, counted after the name, which may hold anything.
unsigned long long start_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    if (!std::getline(file, text)) return 0;
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string field;
    for (int i = 3; i <= 22; i++) fields >> field;
    return std::strtoull(field.c_str(), nullptr, 10);
}

// A pid may be somebody else's between a look and a use; a pidfd stays with its process.
int process(int pid, unsigned long long started) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) fail("process " + std::to_string(pid));
    if (start_of(pid) != started) throw std::runtime_error("process " + std::to_string(pid) + " is another one by now");
    return fd;
}

int keep(int fd) {
    if (fd < 0) return fd;
    const int kept = fcntl(fd, F_DUPFD, first_descriptor);
    close(fd);
    return kept;
}

std::string reached(int root, const std::string& path) { return "/proc/self/fd/" + std::to_string(root) + path; }

std::string reached_all(int root, const std::string& paths) {
    std::istringstream parts(paths);
    std::string joined;
    for (std::string part; std::getline(parts, part, ':');) joined += (joined.empty() ? "" : ":") + reached(root, part);
    return joined;
}

// Where the daemon sees a hierarchy: "name" is a controller, name=… , or empty for version 2.
std::string mounted(const std::string& hierarchy) {
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string device, point, type, options;
        fields >> device >> point >> type >> options;
        if (hierarchy.empty() ? type == "cgroup2" : type == "cgroup" && ("," + options + ",").find("," + hierarchy + ",") != std::string::npos) {
            return point;
        }
    }
    return "";
}

std::vector<std::string> groups(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/cgroup");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// What is made in the container counts as the container's, and ends with it.
void join_groups(int target) {
    const std::vector<std::string> mine = groups("self");
    for (const std::string& line : groups(std::to_string(target))) {
        bool same = false;
        for (const std::string& own : mine) same |= own == line;
        if (same) continue;
        const size_t first = line.find(':');
        const size_t second = line.find(':', first + 1);
        std::string hierarchy = line.substr(first + 1, second - first - 1);
        hierarchy = hierarchy.substr(0, hierarchy.find(','));
        const std::string procs = mounted(hierarchy) + line.substr(second + 1) + "/cgroup.procs";
        const int fd = open(procs.c_str(), O_WRONLY | O_CLOEXEC);
        const bool joined = fd >= 0 && write(fd, "0", 1) == 1;
        if (!joined) fail("the container's control group " + procs + " (the daemon needs the node's own /sys/fs/cgroup)");
        close(fd);
    }
}

int fork_as(int task_id) {
    for (int tried = 0; tried < 100; tried++) {
        clone_args arguments{};
        pid_t id = task_id + tried;
        arguments.exit_signal = SIGCHLD;
        if (task_id > 0) {
            arguments.set_tid = reinterpret_cast<uint64_t>(&id);
            arguments.set_tid_size = 1;
        }
        const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child >= 0 || errno != EEXIST) return static_cast<int>(child);
    }
    return -1;
}

int run(const Run& run) {
    const int root = keep(open("/", O_PATH | O_DIRECTORY));
    const int images = keep(open(run.images.c_str(), O_RDONLY | O_DIRECTORY));
    if (root < 0 || images < 0) fail(run.images);
    const int target = process(run.target, run.started);
    std::vector<std::string> command{"criu-loader", "--library-path", reached_all(root, run.library_path), "--argv0", "criu",
                                     reached(root, run.program)};
    if (run.loader.empty()) command = {"criu"};
    command.insert(command.end(), run.arguments.begin(), run.arguments.end());
    command.insert(command.end(), {"--images-dir", "/proc/self/fd/" + std::to_string(images)});
    for (const Inherit& one : run.inherited) {
        const int fd = keep(static_cast<int>(syscall(SYS_pidfd_getfd, target, one.descriptor, 0)));
        if (fd < 0) fail("descriptor " + std::to_string(one.descriptor) + " of the container's first process");
        command.insert(command.end(), {"--inherit-fd", "fd[" + std::to_string(fd) + "]:" + one.name});
    }
    join_groups(run.target);
    if (setns(target, namespaces) != 0) fail("the namespaces of process " + std::to_string(run.target));
    const int child = fork_as(run.task_id);
    if (child < 0) fail("fork in the container");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever ends us means CRIU
        setsid();
        std::vector<char*> arguments;
        for (std::string& one : command) arguments.push_back(one.data());
        arguments.push_back(nullptr);
        char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        char* environment[] = {path, nullptr};
        execve(reached(root, run.loader.empty() ? run.program : run.loader).c_str(), arguments.data(), environment);
        std::fprintf(stderr, "gpusnap-enter: cannot run CRIU in the container: %s\n", std::strerror(errno));
        _exit(broken_status);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Run parse_run(const std::vector<std::string>& arguments) {
    Run run;
    size_t at = 0;
    for (; at + 1 < arguments.size() && arguments[at] != "--"; at += 2) {
        const std::string& flag = arguments[at];
        const std::string& value = arguments[at + 1];
        if (flag == "--images-dir") {
            run.images = value;
        } else if (flag == "--target") {
            run.target = number(value);
        } else if (flag == "--started") {
            run.started = std::stoull(value);
        } else if (flag == "--task-id") {
            run.task_id = number(value);
        } else if (flag == "--loader") {
            run.loader = value;
        } else if (flag == "--library-path") {
            run.library_path = value;
        } else if (flag == "--program") {
            run.program = value;
        } else if (flag == "--inherit") {
            const size_t equals = value.rfind('=');
            if (equals == std::string::npos) throw std::invalid_argument("--inherit takes NAME=DESCRIPTOR");
            run.inherited.push_back({value.substr(0, equals), number(value.substr(equals + 1))});
        } else {
            throw std::invalid_argument("there is no flag " + flag);
        }
    }
    if (run.images.empty() || run.target <= 0 || run.program.empty() || at >= arguments.size()) {
        throw std::invalid_argument("--images-dir, --target, --started, --program and -- are needed");
    }
    run.arguments.assign(arguments.begin() + static_cast<long>(at) + 1, arguments.end());
    return run;
}

// tell PID STARTED claim|cold, or tell PID STARTED serve PID-IN-THE-CONTAINER
int tell(const std::vector<std::string>& arguments) {
    if (arguments.size() < 3) throw std::invalid_argument("tell takes a pid, its start time and a word");
    const int pid = number(arguments[0]);
    const int target = process(pid, std::stoull(arguments[1]));
    const std::string& word = arguments[2];
    if (word == "claim" || word == "cold") {
        const int signal = word == "claim" ? claim_signal : cold_signal;
        if (syscall(SYS_pidfd_send_signal, target, signal, nullptr, 0) != 0) fail("the placeholder");
        return 0;
    }
    if (word != "serve" || arguments.size() != 4) throw std::invalid_argument("there is no word " + word);
    siginfo_t info{};
    info.si_signo = serve_signal;
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = number(arguments[3]);
    if (syscall(SYS_pidfd_send_signal, target, serve_signal, &info, 0) != 0) fail("the placeholder");
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    try {
        if (words.empty()) throw std::invalid_argument("run or tell");
        const std::vector<std::string> rest(words.begin() + 1, words.end());
        if (words.front() == "run") return run(parse_run(rest));
        if (words.front() == "tell") return tell(rest);
        throw std::invalid_argument("run or tell, not " + words.front());
    } catch (const std::invalid_argument& e) {
        std::fprintf(stderr, "gpusnap-enter: %s\n", e.what());
        return usage_status;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "gpusnap-enter: %s\n", e.what());
        return broken_status;
    }
}
