// Every driver function that the preload asks for by itself fails somewhere in this suite: here those that neither a cycle nor
// stream-ordered allocation asks for.
#include "contract/preload_calls.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>

#include "contract/device_memory.h"
#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t buffer_bytes = 5'000'000;

// By the test that makes them fail, without @n and code.
const std::map<std::string, std::string> calls_elsewhere = {
    {"cuDeviceCanAccessPeer", "peers"},
    {"cuDeviceGetName", "what a device is"},
    {"cuDeviceGetUuid", "an older driver's"},
    {"cuDevicePrimaryCtxGetState", "the primary context"},
    {"cuDevicePrimaryCtxRelease_v2", "the primary context"},
    {"cuDevicePrimaryCtxRetain", "the primary context"},
    {"cuGetErrorName", "a word for a failure"},
    {"cuMemAlloc_v2", "memory that stays with the driver"},
    {"cuMemFree_v2", "a row for the pitch"},
    {"cuStreamIsCapturing", "a capture"},
    {"cuStreamSynchronize", "a stream that ends"},
    {"cuThreadExchangeStreamCaptureMode", "a capture"},
};

// Not made to fail, and why not.
const std::map<std::string, std::string> harmless = {
    {"cuGetProcAddress_v2", "asked for memory's first function once, where the driver hands out addresses that it does not export"}};

// Calls by name of the driver's own functions, but for those in which a wrapper passes on what the application asked for.
Names asked_by_the_preload() {
    static const std::regex call("(own|real)::(cu[A-Za-z0-9_]+)\\(");
    Names asked;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(GPUSNAP_SOURCE_DIR) + "/preload")) {
        std::ifstream file(entry.path());
        std::string wrapper;
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("}")) {
                wrapper.clear();
            }
            for (std::sregex_iterator found(line.begin(), line.end(), call), end; found != end; ++found) {
                if ((*found)[1] == "own") {
                    wrapper = (*found)[2];
                } else if ((*found)[2] != wrapper) {
                    asked.insert((*found)[2]);
                }
            }
        }
    }
    return asked;
}

// While a rule holds, something is done; the last call that it names has failed then, or the test would say nothing.
void while_failing(const Workload& workload, const std::string& rule, const std::function<void()>& action) {
    {
        Failures failures(rule, workload.pid());
        action();
    }
    std::string last = rule.substr(rule.rfind(',') + 1);
    CHECK(failed_calls(workload.pid()).find(last.substr(0, last.find_first_of("@="))) != std::string::npos);
}

std::string alloc() { return "alloc dlsym " + std::to_string(buffer_bytes); }

void check_usable(Workload& workload, const std::string& index) {
    workload.tell("fill " + index + " 7");
    CHECK_EQUAL(workload.number("differs " + index + " 7"), 0u);
}

}  // namespace

TEST("whatever the preload asks the driver for by itself is made to fail somewhere") {
    Names failing(calls_of_the_workload.begin(), calls_of_the_workload.end());
    failing.insert(calls_for_freed_memory.begin(), calls_for_freed_memory.end());
    failing.insert(calls_in_stream_order.begin(), calls_in_stream_order.end());
    for (const auto& listed : {calls_elsewhere, harmless}) {
        for (const auto& [name, where] : listed) {
            CHECK(!failing.contains(name));
            failing.insert(name);
        }
    }
    std::string wrong;
    Names asked = asked_by_the_preload();
    for (const std::string& name : asked) {
        wrong += failing.contains(name) ? "" : name + " never fails; ";
    }
    for (const std::string& name : failing) {
        wrong += asked.contains(name) ? "" : name + " is not asked for; ";
    }
    CHECK_EQUAL(wrong, std::string());
}

TEST("a device that does not tell its name, or what it is, is not taken for one that can be frozen, and is asked again") {
    require_failures_on_order();
    for (const char* call : {"cuDeviceGetName", "cuDeviceGetAttribute"}) {
        Workload workload;
        workload.tell("alloc dlsym 5000000");
        auto failures = std::make_unique<Failures>(call, workload.pid());
        Target target(workload);
        CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 1'000), GPUSNAP_E_DRIVER);
        CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
        failures.reset();
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_resume(target.get()));
    }
}

TEST("a device that does not tell what it can do once is asked again, and the memory in between is the driver's") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    while_failing(workload, "cuDeviceGetAttribute@1", [&] { workload.tell(alloc()); });
    check_usable(workload, "0");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK(target.status().driver_bytes > 0);
    workload.tell(alloc());
    CHECK_EQUAL(target.status().allocation_count, 1u);
    workload.tell("free 0");
    CHECK_EQUAL(target.status().driver_bytes, 0u);
}

TEST("memory that could not be opened to another GPU, or of which the driver did not say whether it reaches it, is opened later") {
    require_two_gpus();
    require_failures_on_order();
    for (const char* call : {"cuDeviceCanAccessPeer", "cuMemSetAccess@1"}) {
        Workload workload;
        workload.tell(alloc());
        while_failing(workload, call, [&] { workload.tell("alloc-device 1 " + std::to_string(buffer_bytes)); });
        workload.tell(alloc());
        for (const char* reached : {"access 0 1", "access 1 0", "access 2 1"}) {
            CHECK_EQUAL(workload.number(reached), 3u);
        }
    }
}

TEST("an older driver's way to tell a device's UUID is taken, and its failure is told") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    workload.tell(alloc());
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    while_failing(workload, "cuDeviceGetUuid_v2=801,cuDeviceGetUuid", [&] {
        CHECK_EQUAL(gpusnap_target_import(target.get(), nullptr), GPUSNAP_E_DRIVER);
        CHECK(last_error().find("cuDeviceGetUuid: CUDA_ERROR_UNKNOWN") != std::string::npos);
    });
    while_failing(workload, "cuDeviceGetUuid_v2=801", [&] { OK(gpusnap_target_import(target.get(), nullptr)); });
    CHECK_EQUAL(target.allocations().at(0).gpu_ordinal, 0u);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
}

TEST("a failure for which the driver has no word is told by its number") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    workload.tell(alloc());
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    while_failing(workload, "cuMemUnmap@1,cuGetErrorName", [&] {
        CHECK_EQUAL(gpusnap_target_release(target.get()), GPUSNAP_E_DRIVER);
        CHECK(last_error().find("CUDA error 999") != std::string::npos);
    });
    OK(gpusnap_target_resume(target.get()));
    check_usable(workload, "0");
}

TEST("memory that neither the preload nor the driver can make is refused with the driver's word, and nothing is kept") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    while_failing(workload, "cuMemCreate@1,cuMemAlloc_v2@1", [&] { workload.refused(alloc()); });
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(target.status().driver_bytes, 0u);
    workload.tell(alloc());
    CHECK_EQUAL(target.status().allocation_count, 1u);
}

TEST("a row that only told its pitch and does not go again is counted as the driver's") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    while_failing(workload, "cuMemFree_v2@1", [&] { workload.tell("alloc-pitched 10001 1000"); });
    CHECK_EQUAL(target.status().allocation_count, 1u);
    CHECK(target.status().driver_bytes > 0);
    workload.tell("free 0");
    CHECK_EQUAL(target.status().allocation_count, 0u);
}

TEST("whatever fails when a primary context is given back or reset, memory of a living context stays, and the application is told") {
    require_failures_on_order();
    for (const char* command : {"primary-release", "reset"}) {
        for (const char* call :
             {"cuDevicePrimaryCtxGetState@1", "cuDevicePrimaryCtxRetain@1", "cuDevicePrimaryCtxRelease_v2@1"}) {
            Workload workload;
            Target target(workload);
            workload.tell("primary-retain");
            workload.tell(alloc());
            while_failing(workload, call, [&] { workload.refused(command); });
            CHECK_EQUAL(target.status().allocation_count, 1u);
            check_usable(workload, "0");
        }
    }
    // Whether the context is gone cannot be told: what may be a living one's is not taken from it.
    Workload workload;
    Target target(workload);
    workload.tell("primary-retain");
    workload.tell(alloc());
    while_failing(workload, "cuDevicePrimaryCtxGetState@2", [&] { workload.tell("primary-release"); });
    CHECK_EQUAL(target.status().allocation_count, 1u);
    check_usable(workload, "0");
    workload.tell("primary-release");
    CHECK_EQUAL(target.status().allocation_count, 0u);
}

TEST("while a graph is recorded, a driver that does not say on which stream, or does not let the preload work beside it, costs no memory") {
    require_failures_on_order();
    for (const char* call : {"cuStreamIsCapturing@1", "cuStreamIsCapturing", "cuThreadExchangeStreamCaptureMode@1",
                             "cuThreadExchangeStreamCaptureMode@2"}) {
        Workload workload;
        Target target(workload);
        workload.tell("pool-threshold 0");
        workload.tell("stream");
        workload.tell("stream");
        workload.tell("capture-begin 0");
        std::string index;
        while_failing(workload, call, [&] {
            std::string answer = workload.ask("alloc-on 8388608 1");
            index = answer.starts_with("ok ") ? answer.substr(3, answer.find(' ', 3) - 3) : "";
        });
        workload.ask("capture-end 0");
        if (!index.empty()) {
            workload.tell("memset-on " + index + " 17 1");
            workload.tell("stream-sync 1");
            CHECK_EQUAL(workload.number("first-byte " + index), 17u);
            workload.tell("free " + index);
        }
        workload.tell("synchronize");
        workload.tell("pool-trim 0");
        CHECK_EQUAL(target.status().allocation_count, 0u);
        CHECK_EQUAL(target.status().driver_bytes, 0u);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_resume(target.get()));
    }
}

TEST("memory whose stream ended while nothing could tell how far it had come goes back when the device is idle") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    workload.tell("stream");
    std::string index = workload.tell("alloc-on 8388608 0").at(0);
    workload.tell("free " + index);
    while_failing(workload, "cuEventCreate,cuEventRecord,cuStreamQuery,cuStreamSynchronize",
                  [&] { workload.tell("stream-destroy 0"); });
    workload.tell("pool-trim 0");
    CHECK_EQUAL(target.status().allocation_count, 1u);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(target.status().allocation_count, 0u);
}
