// What the workload tells gpusnap about itself: rebuildable memory, and callbacks around a freeze.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include "gpusnap_hints.h"
#include "workload/commands.h"
#include "workload/driver.h"
#include "workload/memory.h"

namespace workload {
namespace {

std::mutex events_mutex;
std::string events;

void note_event(const std::string& event) {
    std::lock_guard lock(events_mutex);
    events += (events.empty() ? "" : " ") + event;
}

struct Step {
    std::string name;
    std::string way;
    std::atomic<bool> held{true};
    CUmemGenericAllocationHandle handle = 0;  // that "release" gives back
};

std::vector<std::unique_ptr<Step>>& steps() {
    static std::vector<std::unique_ptr<Step>> all;
    return all;
}

// As an application empties its caches: with the driver, on a thread that has no context yet.
int use_device() {
    CUcontext context = nullptr;
    const Functions& functions = driver();
    CUdeviceptr cache = 0;
    bool ok = functions.cuDevicePrimaryCtxRetain(&context, 0) == CUDA_SUCCESS &&
              functions.cuCtxSetCurrent(context) == CUDA_SUCCESS &&
              functions.cuMemAlloc_v2(&cache, 4 << 20) == CUDA_SUCCESS && functions.cuMemFree_v2(cache) == CUDA_SUCCESS;
    return ok ? 0 : 1;
}

int before(void* user, uint32_t remaining_ms, char* reason) {
    auto* step = static_cast<Step*>(user);
    note_event("quiesce:" + step->name);
    if (step->way == "refuse") {
        std::snprintf(reason, GPUSNAP_HINT_REASON_BYTES, "%s is busy, %s", step->name.c_str(),
                      remaining_ms > 0 ? "time is left" : "no time is left");
        return 3;
    }
    if (step->way == "refuse-silently") {
        return 42;
    }
    while (step->way == "hang" && step->held) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (step->way == "release") {
        return driver().cuMemRelease(step->handle);
    }
    return step->way == "use-device" ? use_device() : 0;
}

void after(void* user, gpusnap_hint_resume_reason reason) {
    const char* const names[] = {"resumed", "thawed", "given-up"};
    auto* step = static_cast<Step*>(user);
    while (step->way == "hang-after" && step->held) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    int result = step->way == "use-device" ? use_device() : 0;
    note_event((result == 0 ? "" : "failed:") + step->name + ":" + names[reason]);
}

Step& step_named(const std::string& name) {
    for (auto& step : steps()) {
        if (step->name == name) {
            return *step;
        }
    }
    throw std::runtime_error("no callback " + name);
}

std::string answer(gpusnap_hint_answer code) {
    return std::to_string(static_cast<int>(code));
}

std::string register_step(const Arguments& arguments) {
    steps().push_back(std::make_unique<Step>());
    Step* step = steps().back().get();
    step->name = arguments.at(0);
    step->way = arguments.size() > 1 ? arguments[1] : "";
    step->handle = arguments.size() > 2 ? number(arguments, 2) : 0;
    gpusnap_hint_answer first = gpusnap_hint_on_quiesce(before, step);
    gpusnap_hint_answer second = gpusnap_hint_on_resume(after, step);
    return answer(first) + " " + answer(second);
}

std::string hint_in_child(const Arguments&) {
    CUdeviceptr address = buffers().at(0).address;
    pid_t child = fork();
    if (child == 0) {
        _exit(gpusnap_hint_rebuildable(address, buffers().at(0).size, "child"));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

}  // namespace

void add_hint_commands(Commands& commands) {
    commands["hint"] = [](const Arguments& a) {  // INDEX OFFSET BYTES TAG -> ANSWER
        return answer(gpusnap_hint_rebuildable(buffers().at(number(a, 0)).address + number(a, 1), number(a, 2),
                                               a.size() > 3 ? a[3].c_str() : ""));
    };
    commands["hint-many"] = [](const Arguments& a) {  // INDEX COUNT: one every 4 KiB
        CUdeviceptr address = buffers().at(number(a, 0)).address;
        gpusnap_hint_answer worst = GPUSNAP_HINT_OK;
        for (uint64_t i = 0; i < number(a, 1) && worst == GPUSNAP_HINT_OK; i++) {
            worst = gpusnap_hint_rebuildable(address + i * 4096, 4096, ("page-" + std::to_string(i)).c_str());
        }
        return answer(worst);
    };
    commands["hint-null"] = [](const Arguments&) {
        return answer(gpusnap_hint_rebuildable(0, 4096, "tag")) + " " +
               answer(gpusnap_hint_rebuildable(~0ull, 4096, "tag")) + " " +
               answer(gpusnap_hint_rebuildable(buffers().at(0).address, 4096, nullptr)) + " " +
               answer(gpusnap_hint_on_quiesce(nullptr, nullptr)) + " " + answer(gpusnap_hint_on_resume(nullptr, nullptr));
    };
    commands["keep"] = [](const Arguments& a) {  // INDEX OFFSET -> ANSWER
        return answer(gpusnap_hint_keep(buffers().at(number(a, 0)).address + number(a, 1)));
    };
    commands["hint-in-child"] = hint_in_child;   // -> ANSWER
    commands["callbacks"] = register_step;       // NAME [refuse|refuse-silently|hang|hang-after|use-device|release HANDLE] -> ANSWER ANSWER
    commands["callbacks-off"] = [](const Arguments& a) {  // NAME -> ANSWER ANSWER
        Step* step = &step_named(a.at(0));
        return answer(gpusnap_hint_off_quiesce(before, step)) + " " + answer(gpusnap_hint_off_resume(after, step));
    };
    commands["callback-let-go"] = [](const Arguments& a) {  // NAME
        step_named(a.at(0)).held = false;
        return "";
    };
    commands["events"] = [](const Arguments&) {
        std::lock_guard lock(events_mutex);
        return events;
    };
}

}  // namespace workload
