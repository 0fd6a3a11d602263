// The two sides of every test: a workload process with the preload, and the library that freezes it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpusnap.h"

namespace contract {

std::string last_error();
// A check that the call succeeded; names the library's own text otherwise.
void check_ok(gpusnap_status status, const char* call, const char* file, int line);
#define OK(call) ::contract::check_ok((call), #call, __FILE__, __LINE__)

// What the suite runs on; loads the driver at the first use.
const gpusnap_driver_info& driver_info();
// Leaves the test where a real driver answers: it does not fail on order.
void require_failures_on_order();
gpusnap_gpu_info gpu_info(uint32_t ordinal = 0);
// Skips the test where there is one.
void require_two_gpus();
std::string directory_of_this_program();
std::string preload_path();
// A directory that is removed at the end.
const std::string& scratch();

using Environment = std::map<std::string, std::string>;

// How a workload hears and answers: pipes, or named pipes, which a dump and restore can open again.
enum class Wiring { pipes, named_pipes };

class Workload {
public:
    // Starts the process and its CUDA context; extra variables are added to the environment.
    explicit Workload(const Environment& extra = {}, bool with_preload = true, bool initialise = true,
                      Wiring wiring = Wiring::pipes);
    ~Workload();
    Workload(const Workload&) = delete;
    Workload& operator=(const Workload&) = delete;

    pid_t pid() const { return pid_; }
    // The words of the answer; a Failed when the workload answers an error.
    std::vector<std::string> tell(const std::string& command);
    // The error text of a command that must fail.
    std::string refused(const std::string& command);
    uint64_t number(const std::string& command, size_t word = 0);
    // The whole answer, whatever it is.
    std::string ask(const std::string& command);
    // For a command that may block: send now, collect the answer later.
    void send(const std::string& command);
    std::string receive();
    bool answers_within(int milliseconds);
    std::string stderr_text() const;
    const std::string& socket_path() const { return socket_path_; }
    // SIGKILL and reap.
    void kill();
    // Closes the pipe and reaps; the exit status.
    int finish();

    // Reaps a process that something else has ended, or that goes on under the same pid as nobody's child.
    void reap();

private:
    void wire(Wiring wiring, const std::string& base);
    void start(const Environment& variables);
    pid_t pid_ = -1;
    int child_in_ = -1;
    int child_out_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::string buffer_;
    std::string stderr_path_;
    std::string socket_path_;
};

// The daemon's view of a workload.
class Target {
public:
    explicit Target(const Workload& workload, uint32_t timeout_ms = 10'000);
    ~Target();
    Target(Target&& other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;
    Target& operator=(Target&&) = delete;
    gpusnap_target* get() const { return handle_; }
    gpusnap_target_status status() const;
    std::vector<gpusnap_allocation> allocations() const;
    std::vector<gpusnap_hint> hints() const;
    void close();

private:
    gpusnap_target* handle_ = nullptr;
};

// The pool, and what was copied into it from a target.
class Pool {
public:
    explicit Pool(uint64_t size_bytes);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    gpusnap_pool* get() const { return handle_; }
    char* base() const { return static_cast<char*>(gpusnap_pool_base(handle_)); }
    const std::string& path() const { return path_; }
    // Copies all imported allocations one after the other, in pieces of 4 MiB; returns bytes a second.
    double save(const Target& target);
    double fill(const Target& target);
    // By their local addresses; what has none stays as it is.
    void fill(const std::vector<gpusnap_allocation>& allocations);

private:
    double move(const std::vector<gpusnap_allocation>& allocations, gpusnap_direction direction);
    std::string path_;
    gpusnap_pool* handle_ = nullptr;
};

// All that the driver does with a process; a note where it cannot.
void driver_checkpoint_and_restore(pid_t pid);

// Runs this program again in another role (see main.cpp), as a second daemon that can be killed.
pid_t start_role(const std::vector<std::string>& arguments);
// SIGKILL and reap.
void end_role(pid_t pid);
// Waits until a file exists.
void await_file(const std::string& path);

}  // namespace contract
