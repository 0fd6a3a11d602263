// What cannot be frozen is refused before anything is touched, with its reason.
#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

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

// NCCL, for one, has such memory as long as a communicator lives.
void share(Workload& workload) {
    workload.tell("callbacks communicator release " + workload.tell("export-block 33554432")[0]);
}

constexpr uint64_t shared_bytes = 33554432;

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

TEST("what the application's callbacks end is told beforehand and does not hinder a freeze") {
    Workload workload;
    Target target(workload);
    CHECK_EQUAL(target.status().endable, 0u);
    share(workload);
    CHECK_EQUAL(target.status().refusals, GPUSNAP_REFUSE_LEGACY_IPC);
    CHECK((target.status().endable & GPUSNAP_REFUSE_LEGACY_IPC) != 0);
    CHECK_EQUAL(target.status().endable & (GPUSNAP_REFUSE_MIG | GPUSNAP_REFUSE_MPS), 0u);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(target.status().refusals, 0u);
}

TEST("what the application's callbacks do not end is refused after them, and it goes on") {
    Workload workload;
    Target target(workload);
    share(workload);
    workload.tell("export-block 33554432");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_UNSUPPORTED);
    CHECK(last_error().find("shared with other processes") != std::string::npos);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    workload.tell("alloc dlsym 5000000");
    workload.tell("memset 0 1");
}

TEST("imported memory is refused as long as a handle or a mapping of it is left") {
    Workload owner;
    Workload workload;
    Target target(workload);
    std::string descriptor = owner.tell("export-descriptor " + std::to_string(shared_bytes))[0];
    std::vector<std::string> there =
        workload.tell("import-block " + std::to_string(owner.pid()) + " " + descriptor + " " + std::to_string(shared_bytes));
    check_refused(target, GPUSNAP_REFUSE_LEGACY_IPC, "shared with other processes");
    workload.tell("release-handle " + there[0]);
    check_refused(target, GPUSNAP_REFUSE_LEGACY_IPC, "shared with other processes");
    workload.tell("retain-and-release " + there[1]);
    check_refused(target, GPUSNAP_REFUSE_LEGACY_IPC, "shared with other processes");
    workload.tell("unmap " + there[1] + " " + std::to_string(shared_bytes));
    check_freezes(target);
}

TEST("multicast objects are refused while they live") {
    if (!driver_info().simulated) {
        skip("no multicast object is made on a machine whose links others may use");
    }
    Workload workload;
    Target target(workload);
    std::string handle = workload.tell("create-multicast " + std::to_string(shared_bytes))[0];
    check_refused(target, GPUSNAP_REFUSE_MULTICAST, "multicast");
    workload.tell("release-handle " + handle);
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
    workload.tell("callbacks hopeful");
    CHECK_EQUAL(target.status().endable & GPUSNAP_REFUSE_LEGACY_IPC, 0u);
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
