// Of a process that the driver restores nothing else runs until it may.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

// Long enough for a thread that may run to have answered.
constexpr int soon_ms = 300;
constexpr int limit_ms = 20'000;

char state_of(pid_t pid) {
    std::string line;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
    return line.at(line.rfind(')') + 2);
}

void await_state(pid_t pid, char state) {
    for (int waited = 0; state_of(pid) != state; waited++) {
        if (waited > limit_ms) {
            throw Failed("process " + std::to_string(pid) + " is in state " + state_of(pid) + ", not in " + state);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void stop(pid_t pid) {
    CHECK_EQUAL(::kill(pid, SIGSTOP), 0);
    await_state(pid, 'T');
}

// Checkpointed and stopped, as CRIU leaves it.
struct Checkpointed {
    explicit Checkpointed(const std::string& before = "say-hello") {
        if (!driver_info().has_checkpoint) {
            skip("this driver has no checkpoint API");
        }
        Target target(workload);
        workload.ask(before);
        workload.tell("alloc dlsym 5000000");
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_release(target.get()));
        target.close();
        OK(gpusnap_process_lock(workload.pid(), 10'000));
        OK(gpusnap_process_checkpoint(workload.pid()));
        stop(workload.pid());
    }

    Workload workload;
};

}  // namespace

TEST("while the driver restores a process, none of its other threads runs") {
    Checkpointed process;
    Workload& workload = process.workload;
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(workload.pid(), &still));
    workload.send("say-hello");
    CHECK_EQUAL(::kill(workload.pid(), SIGCONT), 0);
    OK(gpusnap_process_restore(workload.pid(), nullptr, 0));
    int32_t state = -1;
    OK(gpusnap_process_query(workload.pid(), &state));
    CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_LOCKED));
    CHECK(!workload.answers_within(soon_ms));
    gpusnap_still_end(still);
    CHECK(workload.answers_within(limit_ms));
    workload.receive();
    OK(gpusnap_process_unlock(workload.pid()));
    Target target(workload);
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
    workload.tell("fill 0 7");
    CHECK_EQUAL(workload.number("differs 0 7"), 0u);
}

TEST("a signal for the process waits until its own threads may take it") {
    std::string marker = scratch() + "/handled";
    Checkpointed process("handle-signal " + marker);
    pid_t pid = process.workload.pid();
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(pid, &still));
    CHECK_EQUAL(::kill(pid, SIGCONT), 0);
    CHECK_EQUAL(::kill(pid, SIGUSR1), 0);
    OK(gpusnap_process_restore(pid, nullptr, 0));
    std::this_thread::sleep_for(std::chrono::milliseconds(soon_ms));
    CHECK(!std::filesystem::exists(marker));
    gpusnap_still_end(still);
    await_file(marker);
}

TEST("threads that are let go of before the process goes on stay stopped with it") {
    Checkpointed process;
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(process.workload.pid(), &still));
    gpusnap_still_end(still);
    process.workload.send("say-hello");
    CHECK(!process.workload.answers_within(soon_ms));
    CHECK_EQUAL(::kill(process.workload.pid(), SIGCONT), 0);
    CHECK(process.workload.answers_within(limit_ms));
}

TEST("a process whose threads stand still ends when it is killed") {
    Checkpointed process;
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(process.workload.pid(), &still));
    CHECK_EQUAL(::kill(process.workload.pid(), SIGKILL), 0);
    await_state(process.workload.pid(), 'Z');
    gpusnap_still_end(still);
    process.workload.reap();
}

TEST("a process whose threads stand still ends with the daemon that holds them") {
    Checkpointed process;
    std::string marker = scratch() + "/still";
    pid_t daemon = start_role({"--still", std::to_string(process.workload.pid()), marker});
    await_file(marker);
    process.workload.send("say-hello");
    end_role(daemon);
    await_state(process.workload.pid(), 'Z');
    bool answered = true;
    try {
        process.workload.receive();
    } catch (const Failed&) {
        answered = false;
    }
    CHECK(!answered);
    process.workload.reap();
}

TEST("a process with a thread that the kernel does not let go is given up, and goes on") {
    Checkpointed process;
    Workload& workload = process.workload;
    CHECK_EQUAL(::kill(workload.pid(), SIGCONT), 0);
    std::vector<std::string> waiting = workload.tell("thread-in-the-kernel");
    stop(workload.pid());
    gpusnap_still* still = nullptr;
    CHECK_EQUAL(gpusnap_process_still(workload.pid(), &still), GPUSNAP_E_IO);
    CHECK(last_error().find("thread " + waiting.at(0)) != std::string::npos);
    CHECK_EQUAL(::kill(std::stoi(waiting.at(1)), SIGKILL), 0);
    CHECK_EQUAL(::kill(workload.pid(), SIGCONT), 0);
    std::string thread = "/proc/" + std::to_string(workload.pid()) + "/task/" + waiting.at(0);
    for (int waited = 0; std::filesystem::exists(thread); waited++) {
        CHECK(waited < limit_ms);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    OK(gpusnap_process_still(workload.pid(), &still));
    gpusnap_still_end(still);
    workload.tell("pid");
}

TEST("threads are held however many signals come meanwhile") {
    std::string marker = scratch() + "/often-handled";
    Checkpointed process("handle-signal " + marker);
    pid_t pid = process.workload.pid();
    CHECK_EQUAL(::kill(pid, SIGCONT), 0);
    std::atomic<bool> ends{false};
    std::thread signals([&] {
        while (!ends) {
            ::kill(pid, SIGUSR1);
        }
    });
    gpusnap_status status = GPUSNAP_OK;
    for (int round = 0; round < 200 && status == GPUSNAP_OK; round++) {
        gpusnap_still* still = nullptr;
        status = gpusnap_process_still(pid, &still);
        if (status == GPUSNAP_OK) {
            gpusnap_still_end(still);
        }
    }
    ends = true;
    signals.join();
    OK(status);
    process.workload.tell("pid");
}

TEST("a process whose threads stood still can become another user") {
    Checkpointed process;
    Workload& workload = process.workload;
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(workload.pid(), &still));
    gpusnap_still_end(still);
    CHECK_EQUAL(::kill(workload.pid(), SIGCONT), 0);
    workload.send("set-own-user");
    CHECK(workload.answers_within(limit_ms));
    CHECK_EQUAL(workload.receive(), "ok");
}

TEST("a process that has a debugger, and one that is not there, are refused, and nothing of them is held") {
    Checkpointed process;
    pid_t pid = process.workload.pid();
    CHECK_EQUAL(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), 0L);
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, __WALL), pid);
    gpusnap_still* still = nullptr;
    CHECK_EQUAL(gpusnap_process_still(pid, &still), GPUSNAP_E_PERMISSION);
    CHECK(last_error().find(std::to_string(pid)) != std::string::npos);
    CHECK_EQUAL(ptrace(PTRACE_DETACH, pid, nullptr, nullptr), 0L);
    process.workload.send("say-hello");
    CHECK_EQUAL(::kill(pid, SIGCONT), 0);
    CHECK(process.workload.answers_within(limit_ms));
    process.workload.kill();
    CHECK(gpusnap_process_still(pid, &still) != GPUSNAP_OK);
    CHECK(last_error().find("cuCheckpointProcessGetRestoreThreadId(" + std::to_string(pid) + ")") != std::string::npos);
}
