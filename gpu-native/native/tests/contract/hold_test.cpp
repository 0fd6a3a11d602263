// Memory that the daemon holds while the workload has none of it comes back as it was, and no byte of it is copied.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

class Hold {
public:
    Hold() { OK(gpusnap_hold_open(&handle_)); }
    ~Hold() { close(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    gpusnap_hold* get() const { return handle_; }
    void close() { gpusnap_hold_close(std::exchange(handle_, nullptr)); }

private:
    gpusnap_hold* handle_ = nullptr;
};

// The workload's memory is the daemon's alone.
void release_and_hold(const Workload& workload, Hold& hold) {
    Target target(workload);
    OK(gpusnap_target_hold(target.get(), hold.get()));
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
}

size_t held(const Target& target) {
    auto all = target.allocations();
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const gpusnap_allocation& allocation) {
        return (allocation.flags & GPUSNAP_ALLOCATION_HELD) != 0;
    }));
}

// How many allocations came back as they were.
size_t give_back_and_resume(const Workload& workload, Hold& hold) {
    Target target(workload);
    OK(gpusnap_target_give_back(target.get(), hold.get()));
    OK(gpusnap_target_remap(target.get()));
    size_t came = held(target);
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(held(target), 0u);
    return came;
}

void start_with_two(Workload& workload) {
    workload.tell("alloc dlsym 5000000");
    workload.tell("alloc async 9000000");
    workload.tell("fill 0 41");
    workload.tell("fill 1 42");
}

void check_two(Workload& workload) {
    CHECK_EQUAL(workload.number("differs 0 41"), 0u);
    CHECK_EQUAL(workload.number("differs 1 42"), 0u);
}

}  // namespace

TEST("memory that is held comes back as it was, as often as it is asked for, and can be freed then") {
    Workload workload;
    uint64_t before = workload.number("free-bytes");
    start_with_two(workload);
    uint64_t in_use = workload.number("free-bytes");
    for (int round = 0; round < 3; round++) {
        Hold hold;
        release_and_hold(workload, hold);
        driver_checkpoint_and_restore(workload.pid());
        CHECK_EQUAL(give_back_and_resume(workload, hold), 2u);
        check_two(workload);
        CHECK_EQUAL(workload.number("free-bytes"), in_use);
    }
    workload.tell("free 0");
    workload.tell("free 1");
    workload.tell("synchronize");
    workload.tell("pool-trim 0");
    CHECK_EQUAL(workload.number("free-bytes"), before);
}

TEST("memory that was given back is saved and filled as any other") {
    Workload workload;
    start_with_two(workload);
    Hold hold;
    release_and_hold(workload, hold);
    CHECK_EQUAL(give_back_and_resume(workload, hold), 2u);
    Pool pool(32 * mib);
    Target target(workload);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.save(target);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    driver_checkpoint_and_restore(workload.pid());
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(held(target), 0u);
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.fill(target);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    check_two(workload);
}

TEST("a hold that is closed frees the memory, and fresh memory takes its place") {
    Workload workload;
    start_with_two(workload);
    uint64_t in_use = gpu_info().free_bytes;
    Hold hold;
    release_and_hold(workload, hold);
    CHECK_EQUAL(gpu_info().free_bytes, in_use);
    hold.close();
    CHECK(gpu_info().free_bytes >= in_use + 14'000'000);
    Target target(workload);
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(held(target), 0u);
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(gpu_info().free_bytes, in_use);
}

TEST("memory that the workload may open no file for is fresh") {
    Workload workload;
    start_with_two(workload);
    Hold hold;
    release_and_hold(workload, hold);
    rlimit before{};
    CHECK_EQUAL(prlimit(workload.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
    rlimit none{4, before.rlim_max};  // it has more open already, and its control thread polls three
    Target target(workload);
    CHECK_EQUAL(prlimit(workload.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
    OK(gpusnap_target_give_back(target.get(), hold.get()));
    CHECK_EQUAL(prlimit(workload.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(held(target), 0u);
    OK(gpusnap_target_resume(target.get()));
}

TEST("a hold of another workload is refused, and lets go of what it held") {
    Workload one;
    Workload other;
    start_with_two(one);
    start_with_two(other);
    other.tell("free 0");
    other.tell("alloc dlsym 5000000");
    uint64_t in_use = gpu_info().free_bytes;
    Hold hold;
    release_and_hold(one, hold);
    Target target(other);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_release(target.get()));
    CHECK_EQUAL(gpusnap_target_give_back(target.get(), hold.get()), GPUSNAP_E_INVALID);
    CHECK(gpu_info().free_bytes >= in_use + 28'000'000);
}

TEST("memory is given back to a workload that has released it, and to no other") {
    Workload workload;
    start_with_two(workload);
    Hold hold;
    Target target(workload);
    OK(gpusnap_target_hold(target.get(), hold.get()));
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    CHECK_EQUAL(gpusnap_target_hold(target.get(), hold.get()), GPUSNAP_E_STATE);
    CHECK_EQUAL(gpusnap_target_give_back(target.get(), hold.get()), GPUSNAP_E_STATE);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    check_two(workload);
}

TEST("what a child of fork has does not keep memory that its parent frees") {
    Workload workload;
    start_with_two(workload);
    Hold hold;
    release_and_hold(workload, hold);
    CHECK_EQUAL(give_back_and_resume(workload, hold), 2u);
    auto child = static_cast<pid_t>(workload.number("fork-and-stay"));
    uint64_t in_use = gpu_info().free_bytes;
    workload.tell("free 0");
    CHECK(gpu_info().free_bytes >= in_use + 5'000'000);
    CHECK_EQUAL(kill(child, SIGKILL), 0);
}

TEST("memory that the driver does not take back is fresh") {
    require_failures_on_order();
    Workload workload(Environment{{"GPUSNAP_SIM_FAIL", "cuMemImportFromShareableHandle@1"}});
    start_with_two(workload);
    Hold hold;
    release_and_hold(workload, hold);
    CHECK_EQUAL(give_back_and_resume(workload, hold), 1u);
    CHECK_EQUAL(workload.number("differs 1 42"), 0u);
}

TEST("memory that the application made to be exported can still be exported after it was held") {
    Workload workload;
    Workload other;
    auto handle = workload.tell("create-exportable 33554432")[0];
    Hold hold;
    release_and_hold(workload, hold);
    CHECK_EQUAL(give_back_and_resume(workload, hold), 1u);
    auto descriptor = workload.tell("export-handle " + handle)[0];
    other.tell("import-block " + std::to_string(workload.pid()) + " " + descriptor + " 33554432");
    Target target(workload);
    CHECK_EQUAL(target.status().refusals, static_cast<uint32_t>(GPUSNAP_REFUSE_LEGACY_IPC));
}
