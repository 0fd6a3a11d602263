// What cannot be frozen is refused before anything is touched, with its reason.
#include <sys/stat.h>

#include <cstdint>
#include <fstream>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

void check_refused(Target& target, uint32_t bit, const std::string& reason) {
    CHECK_EQUAL(target.status().refusals, bit);
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_UNSUPPORTED);
    CHECK(last_error().find(reason) != std::string::npos);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
}

void check_freezes(Target& target) {
    CHECK_EQUAL(target.status().refusals, 0u);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}

}  // namespace

TEST("managed memory is refused while it lives") {
    if (!driver_info().simulated) {
        skip("managed memory is not allocated on a shared GPU machine");
    }
    Workload workload;
    Target target(workload);
    workload.tell("alloc managed 5000000");
    check_refused(target, GPUSNAP_REFUSE_MANAGED_MEMORY, "managed memory");
    workload.tell("free 0");
    check_freezes(target);
}

TEST("exported memory is refused while it lives") {
    Workload workload;
    Target target(workload);
    auto handle = workload.tell("export-block 33554432");
    check_refused(target, GPUSNAP_REFUSE_LEGACY_IPC, "shared with other processes");
    workload.tell("release-handle " + handle[0]);
    check_freezes(target);
}

TEST("an IPC handle of managed memory is refused to the application, which can still be frozen") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    CHECK_EQUAL(workload.refused("ipc 0"), std::string("cuIpcGetMemHandle 801"));
    CHECK_EQUAL(workload.refused("ipc 0"), std::string("cuIpcGetMemHandle 801"));
    std::string said = workload.stderr_text();
    CHECK(said.find("cuIpcGetMemHandle") != std::string::npos);
    CHECK_EQUAL(said.find("cuIpcGetMemHandle"), said.rfind("cuIpcGetMemHandle"));
    check_freezes(target);
}

TEST("an IPC handle of driver memory is refused for good") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 65536");
    std::string answer = workload.ask("ipc 0");
    if (answer == "error cuIpcGetMemHandle 801") {
        skip("this driver has no legacy IPC");
    }
    CHECK_EQUAL(answer, std::string("ok"));
    check_refused(target, GPUSNAP_REFUSE_LEGACY_IPC, "shared with other processes");
}

TEST("a MIG slice is refused") {
    if (!driver_info().simulated) {
        skip("only the simulated driver can be a MIG slice here");
    }
    Workload workload(Environment{{"GPUSNAP_SIM_NAME", "Simulated H100 MIG 1g.10gb"}});
    Target target(workload);
    check_refused(target, GPUSNAP_REFUSE_MIG, "MIG");
}

TEST("the multi-process service is refused") {
    std::string directory = scratch() + "/mps";
    mkdir(directory.c_str(), 0700);
    if (!driver_info().simulated) {
        skip("a real driver would try to talk to the service");
    }
    std::ofstream(directory + "/control").put('\n');
    Workload workload(Environment{{"CUDA_MPS_PIPE_DIRECTORY", directory}});
    Target target(workload);
    check_refused(target, GPUSNAP_REFUSE_MPS, "multi-process service");
}
