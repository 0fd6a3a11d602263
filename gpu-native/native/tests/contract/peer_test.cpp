// Two GPUs in one process.
#include <cstdint>
#include <map>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

// Where they do not, the preload's memory is not copied with another GPU's context current: gpu-native/native/README.md.
void require_that_they_reach_each_other(Workload& workload) {
    if (workload.number("reaches 0 1") == 0 || workload.number("reaches 1 0") == 0) {
        skip("these GPUs cannot reach each other");
    }
}

}  // namespace

TEST("memory of two GPUs comes back, each to its own") {
    require_two_gpus();
    Workload workload;
    Target target(workload);
    require_that_they_reach_each_other(workload);
    workload.tell("alloc-device 0 5000000");
    workload.tell("alloc-device 1 7000000");
    workload.tell("fill 0 1");
    workload.tell("fill 1 2");
    std::map<uint64_t, uint32_t> ordinals;
    for (const auto& allocation : target.allocations()) {
        ordinals[allocation.address] = allocation.gpu_ordinal;
    }
    CHECK_EQUAL(ordinals.size(), 2u);
    Pool pool(32 * mib);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.save(target);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.fill(target);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    for (const auto& allocation : target.allocations()) {
        CHECK_EQUAL(allocation.gpu_ordinal, ordinals.at(allocation.address));
    }
    CHECK_EQUAL(workload.number("differs 0 1"), 0u);
    CHECK_EQUAL(workload.number("differs 1 2"), 0u);
}

TEST("the GPUs that a workload has contexts on are told, with memory there or not, also while it is frozen") {
    Workload first;
    Target target(first);
    auto told = [&] {
        gpusnap_target_gpu gpus[8];
        size_t count = 0;
        OK(gpusnap_target_gpus(target.get(), gpus, 8, &count));
        std::string text;
        for (size_t i = 0; i < count; i++) {
            text += std::to_string(gpus[i].ordinal) + " ";
        }
        return text;
    };
    CHECK_EQUAL(told(), std::string("0 "));
    if (driver_info().gpu_count > 1) {
        first.tell("alloc-device 1 5000000");
        first.tell("free 0");
        CHECK_EQUAL(told(), std::string("0 1 "));
        Workload second(Environment{{"CUDA_VISIBLE_DEVICES", "1"}});
        Target other(second);
        gpusnap_target_gpu gpu{};
        size_t count = 0;
        OK(gpusnap_target_gpus(other.get(), &gpu, 1, &count));
        CHECK_EQUAL(count, 1u);
        CHECK_EQUAL(gpu.ordinal, 1u);
    }
    std::string before = told();
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_release(target.get()));
    CHECK_EQUAL(told(), before);
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(told(), before);
}

TEST("memory of one GPU is copied with another's context current, from before its first context and after, and comes back so") {
    require_two_gpus();
    Workload workload;
    Target target(workload);
    require_that_they_reach_each_other(workload);
    workload.tell("alloc dlsym 5000000");
    CHECK_EQUAL(workload.number("access 0 1"), 0u);
    workload.tell("alloc-device 1 5000000");
    workload.tell("alloc dlsym 5000000");
    workload.tell("alloc async 5000000");
    auto reached = [&] {
        for (const char* first : {"access 0 1", "access 2 1", "access 3 1", "access 1 0"}) {
            CHECK_EQUAL(workload.number(first), 3u);
        }
    };
    reached();
    workload.tell("fill 1 7");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
    reached();
    workload.tell("fill 1 8");
    CHECK_EQUAL(workload.number("differs 1 8"), 0u);
    // Kernels need it to be asked for; copies do not, so the end of it takes nothing away.
    workload.tell("peer-enable");
    workload.tell("peer-disable");
    reached();
}
