#include "contract/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "contract/harness.h"

extern char** environ;

namespace contract {
namespace {

constexpr uint64_t slot_bytes = 4 << 20;

struct ScratchDirectory {
    ScratchDirectory() {
        const char* root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        std::string pattern = std::string(root) + "/gpusnap-contract-XXXXXX";
        if (mkdtemp(pattern.data()) == nullptr) {
            throw Failed("cannot create a scratch directory in " + std::string(root));
        }
        path = pattern;
    }
    ~ScratchDirectory() {
        if (owner == getpid()) {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
    }
    std::string path;
    pid_t owner = getpid();
};

std::vector<std::string> split(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

std::vector<std::string> environment_with(const Environment& extra) {
    std::vector<std::string> entries;
    for (char** entry = environ; *entry != nullptr; entry++) {
        std::string name(*entry, std::string(*entry).find('='));
        if (!extra.contains(name)) {
            entries.emplace_back(*entry);
        }
    }
    for (const auto& [name, value] : extra) {
        entries.push_back(name + "=" + value);
    }
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& text : strings) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

}  // namespace

std::string last_error() {
    char text[1024];
    gpusnap_last_error(text, sizeof text);
    return text;
}

void check_ok(gpusnap_status status, const char* call, const char* file, int line) {
    if (status != GPUSNAP_OK) {
        throw Failed(std::string(file) + ":" + std::to_string(line) + ": " + call + " answered " + std::to_string(status) +
                     ": " + last_error());
    }
}

const gpusnap_driver_info& driver_info() {
    static const gpusnap_driver_info info = [] {
        gpusnap_init_args args{sizeof args, GPUSNAP_ABI_VERSION, nullptr};
        OK(gpusnap_init(&args));
        gpusnap_driver_info answer{};
        answer.struct_size = sizeof answer;
        OK(gpusnap_driver_query(&answer));
        return answer;
    }();
    return info;
}

void require_failures_on_order() {
    if (!driver_info().simulated) {
        skip("a real driver does not fail on order");
    }
}

gpusnap_gpu_info gpu_info(uint32_t ordinal) {
    driver_info();
    gpusnap_gpu_info info{};
    info.struct_size = sizeof info;
    OK(gpusnap_gpu_query(ordinal, &info));
    return info;
}

void require_two_gpus() {
    if (driver_info().gpu_count < 2) {
        skip("there is one GPU");
    }
}

std::string directory_of_this_program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::string preload_path() {
    return directory_of_this_program() + "/../lib/libgpusnap-preload.so";
}

const std::string& scratch() {
    static const ScratchDirectory directory;
    return directory.path;
}

Workload::Workload(const Environment& extra, bool with_preload, bool initialise, Wiring wiring) {
    static int counter = 0;
    std::string base = scratch() + "/workload-" + std::to_string(counter++);
    stderr_path_ = base + ".stderr";
    Environment variables{{"GPUSNAP_SOCKET_DIR", scratch() + "/sockets"}, {"GPUSNAP_WORKLOAD", "contract"}};
    if (with_preload) {
        variables["LD_PRELOAD"] = preload_path();
    }
    for (const auto& [name, value] : extra) {
        variables[name] = value;
    }
    wire(wiring, base);
    start(variables);
    close(child_in_);
    close(child_out_);
    socket_path_ = variables["GPUSNAP_SOCKET_DIR"] + "/" + std::to_string(pid_) + ".sock";
    if (initialise) {
        tell("init");
    }
}

void Workload::wire(Wiring wiring, const std::string& base) {
    if (wiring == Wiring::pipes) {
        int to[2];
        int from[2];
        if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
            throw Failed("pipe2 failed");
        }
        child_in_ = to[0];
        to_ = to[1];
        from_ = from[0];
        child_out_ = from[1];
        return;
    }
    for (const char* end : {".in", ".out"}) {
        if (mkfifo((base + end).c_str(), 0600) != 0) {
            throw Failed("mkfifo failed");
        }
    }
    to_ = open((base + ".in").c_str(), O_RDWR | O_CLOEXEC);
    from_ = open((base + ".out").c_str(), O_RDWR | O_CLOEXEC);
    child_in_ = open((base + ".in").c_str(), O_RDWR | O_CLOEXEC);
    child_out_ = open((base + ".out").c_str(), O_RDWR | O_CLOEXEC);
}

void Workload::start(const Environment& variables) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_in_, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_out_, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, stderr_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // a dump wants a session of its own
    std::vector<std::string> arguments{directory_of_this_program() + "/gpusnap-workload"};
    std::vector<std::string> environment = environment_with(variables);
    int error = posix_spawn(&pid_, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                            pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        pid_ = -1;
        throw Failed("cannot start " + arguments[0]);
    }
}

Workload::~Workload() {
    kill();
    close(to_);
    close(from_);
}

void Workload::kill() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

void Workload::reap() {
    waitpid(pid_, nullptr, 0);
}

int Workload::finish() {
    close(to_);
    to_ = -1;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
}

void Workload::send(const std::string& command) {
    std::string line = command + "\n";
    if (write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        throw Failed("the workload is gone: " + stderr_text());
    }
}

bool Workload::answers_within(int milliseconds) {
    if (buffer_.find('\n') != std::string::npos) {
        return true;
    }
    pollfd readable{from_, POLLIN, 0};
    return poll(&readable, 1, milliseconds) > 0;
}

std::string Workload::receive() {
    for (;;) {
        size_t end = buffer_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        if (!answers_within(60'000)) {
            throw Failed("the workload did not answer within a minute: " + stderr_text());
        }
        char part[4096];
        ssize_t got = read(from_, part, sizeof part);
        if (got <= 0) {
            throw Failed("the workload ended: " + stderr_text());
        }
        buffer_.append(part, static_cast<size_t>(got));
    }
}

std::string Workload::ask(const std::string& command) {
    send(command);
    return receive();
}

std::vector<std::string> Workload::tell(const std::string& command) {
    std::string answer = ask(command);
    if (answer.rfind("ok", 0) != 0) {
        throw Failed("workload: " + command + ": " + answer + " " + stderr_text());
    }
    return split(answer.substr(2));
}

std::string Workload::refused(const std::string& command) {
    std::string answer = ask(command);
    if (answer.rfind("error ", 0) != 0) {
        throw Failed("workload: " + command + " should have failed, answered " + answer);
    }
    return answer.substr(6);
}

uint64_t Workload::number(const std::string& command, size_t word) {
    return std::stoull(tell(command).at(word));
}

std::string Workload::stderr_text() const {
    std::ifstream file(stderr_path_);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Target::Target(const Workload& workload, uint32_t timeout_ms) {
    driver_info();
    OK(gpusnap_target_open(workload.pid(), nullptr, timeout_ms, &handle_));
}

Target::~Target() {
    close();
}

void Target::close() {
    gpusnap_target_close(handle_);
    handle_ = nullptr;
}

gpusnap_target_status Target::status() const {
    gpusnap_target_status answer{};
    answer.struct_size = sizeof answer;
    OK(gpusnap_target_query(handle_, &answer));
    return answer;
}

std::vector<gpusnap_allocation> Target::allocations() const {
    size_t count = 0;
    OK(gpusnap_target_allocations(handle_, nullptr, 0, &count));
    std::vector<gpusnap_allocation> all(count);
    OK(gpusnap_target_allocations(handle_, all.data(), all.size(), &count));
    return all;
}

std::vector<gpusnap_hint> Target::hints() const {
    size_t count = 0;
    OK(gpusnap_target_hints(handle_, nullptr, 0, &count));
    std::vector<gpusnap_hint> all(count);
    OK(gpusnap_target_hints(handle_, all.data(), all.size(), &count));
    return all;
}

Pool::Pool(uint64_t size_bytes) {
    static int counter = 0;
    path_ = scratch() + "/pool-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
    gpusnap_pool_args args{sizeof args, 0, path_.c_str(), (size_bytes + slot_bytes - 1) / slot_bytes * slot_bytes};
    driver_info();
    OK(gpusnap_pool_open(&args, &handle_));
}

Pool::~Pool() {
    gpusnap_pool_close(handle_);
    unlink(path_.c_str());
}

static std::vector<gpusnap_allocation> of_all(const Target& target) {
    std::vector<gpusnap_allocation> all = target.allocations();
    for (const gpusnap_allocation& allocation : all) {
        CHECK(allocation.local_address != 0);
    }
    return all;
}

double Pool::save(const Target& target) {
    return move(of_all(target), GPUSNAP_DEVICE_TO_HOST);
}

double Pool::fill(const Target& target) {
    return move(of_all(target), GPUSNAP_HOST_TO_DEVICE);
}

void Pool::fill(const std::vector<gpusnap_allocation>& allocations) {
    move(allocations, GPUSNAP_HOST_TO_DEVICE);
}

double Pool::move(const std::vector<gpusnap_allocation>& allocations, gpusnap_direction direction) {
    std::map<uint32_t, std::vector<gpusnap_copy_item>> items;
    uint64_t used = 0;
    for (const gpusnap_allocation& allocation : allocations) {
        for (uint64_t offset = 0; offset < allocation.size_bytes; offset += slot_bytes) {
            uint64_t part = std::min(slot_bytes, allocation.size_bytes - offset);
            CHECK(used + slot_bytes <= gpusnap_pool_size_bytes(handle_));
            if (allocation.local_address != 0) {
                items[allocation.gpu_ordinal].push_back({allocation.local_address + offset, base() + used, part});
            }
            used += slot_bytes;
        }
    }
    auto start = std::chrono::steady_clock::now();
    for (const auto& [ordinal, list] : items) {
        OK(gpusnap_copy(ordinal, direction, list.data(), list.size(), nullptr));
    }
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return static_cast<double>(used) / seconds;
}

void driver_checkpoint_and_restore(pid_t pid) {
    if (!driver_info().has_checkpoint) {
        note("the driver has no checkpoint API: its part of the cycle is left out");
        return;
    }
    int32_t state = -1;
    OK(gpusnap_process_lock(pid, 10'000));
    OK(gpusnap_process_query(pid, &state));
    CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_LOCKED));
    OK(gpusnap_process_checkpoint(pid));
    OK(gpusnap_process_query(pid, &state));
    CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_CHECKPOINTED));
    OK(gpusnap_process_restore(pid, nullptr, 0));
    OK(gpusnap_process_unlock(pid));
    OK(gpusnap_process_query(pid, &state));
    CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_RUNNING));
}

pid_t start_role(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{directory_of_this_program() + "/gpusnap-contract"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    pid_t pid = -1;
    if (posix_spawn(&pid, words[0].c_str(), nullptr, nullptr, pointers(words).data(), environ) != 0) {
        throw Failed("cannot start " + words[0]);
    }
    return pid;
}

void end_role(pid_t pid) {
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

void await_file(const std::string& path) {
    for (int i = 0; i < 6000; i++) {
        if (access(path.c_str(), F_OK) == 0) {
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw Failed("waited a minute for " + path);
}

}  // namespace contract
