// A whole cycle of a daemon, in a process of its own, because much of what the library asks a driver it asks once a process.
#pragma once

#include <cstdint>
#include <string>

namespace contract {

// From which moment on calls are counted and fail.
constexpr const char* from_the_start = "from-the-start";
constexpr const char* from_the_thaw = "from-the-thaw";
// Whose calls.
constexpr const char* of_the_daemon = "of-the-daemon";
constexpr const char* of_the_workload = "of-the-workload";

// What became of it.
struct CycleReport {
    std::string step;    // that failed; "-" when none did
    int status = 0;      // gpusnap_status
    std::string text;    // of the failure
    uint64_t free_bytes = 0;  // of the GPU, at the end

    static CycleReport read(const std::string& path);
};

// PID RULE WHEN WHOSE REPORT. Saves and thaws the workload while a driver call fails; where that fails a step, undoes it as
// the daemon does, by the state in which the workload is found, and goes through another whole cycle, which has to work.
int cycle_with_a_failure(char** arguments);

}  // namespace contract
