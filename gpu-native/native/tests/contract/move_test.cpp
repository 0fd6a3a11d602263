// A process comes back on another GPU of the same machine.
#include <cstdio>
#include <string>
#include <vector>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

void require_that_gpus_can_be_mapped() {
    require_two_gpus();
    if (!driver_info().has_checkpoint || !driver_info().has_gpu_remap) {
        skip("this driver cannot map one GPU to another");
    }
}

gpusnap_gpu_pair pair(uint32_t from, uint32_t to) {
    gpusnap_gpu_pair pair{};
    std::snprintf(pair.from_uuid, sizeof pair.from_uuid, "%s", gpu_info(from).uuid);
    std::snprintf(pair.to_uuid, sizeof pair.to_uuid, "%s", gpu_info(to).uuid);
    return pair;
}

// The first two change places, all others stay.
std::vector<gpusnap_gpu_pair> swapped() {
    std::vector<gpusnap_gpu_pair> all{pair(0, 1), pair(1, 0)};
    for (uint32_t i = 2; i < driver_info().gpu_count; i++) {
        all.push_back(pair(i, i));
    }
    return all;
}

// A workload with memory on the first GPU that it sees, up to where the driver has let go of it.
class Frozen {
public:
    explicit Frozen(const Environment& environment = {}) : workload_(environment), pool_(16 * mib) {
        Target target(workload_);
        workload_.tell("alloc dlsym 5000000");
        workload_.tell("fill 0 7");
        CHECK_EQUAL(target.allocations().at(0).gpu_ordinal, 0u);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_import(target.get(), nullptr));
        pool_.save(target);
        OK(gpusnap_target_unimport(target.get()));
        OK(gpusnap_target_release(target.get()));
        target.close();
        OK(gpusnap_process_lock(workload_.pid(), 10'000));
        OK(gpusnap_process_checkpoint(workload_.pid()));
    }

    void refuses(const std::vector<gpusnap_gpu_pair>& map) {
        CHECK_EQUAL(gpusnap_process_restore(workload_.pid(), map.data(), map.size()), GPUSNAP_E_DRIVER);
        note(last_error());
        int32_t state = -1;
        OK(gpusnap_process_query(workload_.pid(), &state));
        CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_CHECKPOINTED));
    }

    // With its content, and with more memory where that one is.
    void comes_back_on(uint32_t ordinal, const std::vector<gpusnap_gpu_pair>& map) {
        OK(gpusnap_process_restore(workload_.pid(), map.data(), map.size()));
        OK(gpusnap_process_unlock(workload_.pid()));
        Target target(workload_);
        OK(gpusnap_target_remap(target.get()));
        OK(gpusnap_target_import(target.get(), nullptr));
        pool_.fill(target);
        OK(gpusnap_target_unimport(target.get()));
        OK(gpusnap_target_resume(target.get()));
        workload_.tell("alloc dlsym 5000000");
        CHECK_EQUAL(workload_.number("differs 0 7"), 0u);
        for (const auto& allocation : target.allocations()) {
            CHECK_EQUAL(allocation.gpu_ordinal, ordinal);
        }
        gpusnap_target_gpu gpu{};
        size_t count = 0;
        OK(gpusnap_target_gpus(target.get(), &gpu, 1, &count));
        CHECK_EQUAL(count, 1u);
        CHECK_EQUAL(gpu.ordinal, ordinal);
        CHECK_EQUAL(workload_.stderr_text(), std::string());
    }

private:
    Workload workload_;
    Pool pool_;
};

}  // namespace

TEST("a workload that sees several GPUs and uses one comes back on another, by a map of all of them") {
    require_that_gpus_can_be_mapped();
    Frozen workload;
    workload.comes_back_on(1, swapped());
}

TEST("a map that leaves out a GPU is refused, whether it is used or not, and may be followed by a right one") {
    require_that_gpus_can_be_mapped();
    Frozen workload;
    workload.refuses({pair(0, 0)});
    workload.refuses({pair(0, 1)});
    workload.refuses({pair(1, 0)});
    workload.comes_back_on(0, {});
}

TEST("a map that leads two GPUs to one is refused") {
    require_that_gpus_can_be_mapped();
    Frozen workload;
    std::vector<gpusnap_gpu_pair> both = swapped();
    both[1] = pair(1, 1);
    workload.refuses(both);
    workload.comes_back_on(1, swapped());
}

TEST("a workload that is shown one GPU comes back on another, by a map of all that it can open") {
    require_that_gpus_can_be_mapped();
    Frozen workload(Environment{{"CUDA_VISIBLE_DEVICES", "0"}});
    workload.refuses({pair(0, 0)});
    workload.refuses({pair(0, 1)});
    workload.comes_back_on(1, swapped());
}

TEST("a map that names a GPU that is not there is refused") {
    require_that_gpus_can_be_mapped();
    Frozen workload;
    std::vector<gpusnap_gpu_pair> more = swapped();
    gpusnap_gpu_pair absent{};
    std::snprintf(absent.from_uuid, sizeof absent.from_uuid, "%s", "GPU-00112233-4455-6677-8899-aabbccddeeff");
    std::snprintf(absent.to_uuid, sizeof absent.to_uuid, "%s", absent.from_uuid);
    more.push_back(absent);
    workload.refuses(more);
    workload.comes_back_on(1, swapped());
}
