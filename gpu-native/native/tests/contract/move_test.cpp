// A process comes back on another GPU of the same machine.
#include <cstdio>
#include <filesystem>
#include <fstream>
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

// Stands for the /dev of a container, to the simulated driver.
class DeviceFolder {
public:
    explicit DeviceFolder(const std::vector<int>& nodes) {
        if (!driver_info().simulated) {
            skip("what a real driver's process has in /dev, only a container decides: bench/gpu/gpu-maps");
        }
        static int counter = 0;
        path_ = scratch() + "/dev-" + std::to_string(counter++);
        std::filesystem::create_directory(path_);
        for (int node : nodes) {
            give(node);
        }
    }
    ~DeviceFolder() { std::filesystem::remove_all(path_); }
    DeviceFolder(const DeviceFolder&) = delete;
    DeviceFolder& operator=(const DeviceFolder&) = delete;

    void give(int node) const { std::ofstream(name(node)).close(); }
    void take(int node) const { std::filesystem::remove(name(node)); }
    Environment environment() const { return {{"GPUSNAP_SIM_DEV", path_}}; }

private:
    std::string name(int node) const { return path_ + "/nvidia" + std::to_string(node); }
    std::string path_;
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

TEST("a workload that has the node of one GPU is mapped by that one alone, and stays there while it has no other") {
    require_that_gpus_can_be_mapped();
    DeviceFolder one({0});
    Frozen workload(one.environment());
    workload.refuses({pair(0, 1)});
    workload.refuses({pair(1, 1)});
    workload.refuses({pair(1, 0)});
    workload.refuses({pair(0, 0), pair(1, 1)});
    workload.refuses(swapped());
    workload.comes_back_on(0, {pair(0, 0)});
}

TEST("a workload that had the node of one GPU, and has that of another when it comes back, is there by a map of the one") {
    require_that_gpus_can_be_mapped();
    DeviceFolder other({0});
    Frozen workload(other.environment());
    other.take(0);
    other.give(1);
    workload.refuses({});
    workload.refuses({pair(0, 0)});
    workload.refuses(swapped());
    workload.comes_back_on(1, {pair(0, 1)});
}

TEST("a GPU that a workload could open and did not use need not be there any more when it comes back where it was") {
    require_that_gpus_can_be_mapped();
    DeviceFolder both({0, 1});
    Frozen workload(both.environment());
    both.take(1);
    workload.refuses({pair(0, 0), pair(1, 1)});
    workload.comes_back_on(0, {});
}
