// Memory that the daemon makes and fills while the workload is not there is the workload's own then.
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

class Ahead {
public:
    // Of the first so many of them; they have their local addresses then.
    explicit Ahead(std::vector<gpusnap_allocation>& allocations, size_t first = SIZE_MAX) {
        std::vector<gpusnap_ahead_item> items;
        for (size_t i = 0; i < std::min(first, allocations.size()); i++) {
            items.push_back({allocations[i].id, allocations[i].size_bytes, 0, allocations[i].gpu_ordinal, 0});
        }
        OK(gpusnap_ahead_open(items.data(), items.size(), &handle_));
        for (size_t i = 0; i < allocations.size(); i++) {
            allocations[i].local_address = i < items.size() ? items[i].local_address : 0;
        }
    }
    ~Ahead() { gpusnap_ahead_close(handle_); }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;
    gpusnap_ahead* get() const { return handle_; }
    size_t make_next() {
        size_t left = 0;
        OK(gpusnap_ahead_make_next(handle_, &left));
        return left;
    }
    void make_all() {
        while (make_next() > 0) {
        }
    }
    void close() { OK(gpusnap_ahead_close(std::exchange(handle_, nullptr))); }

private:
    gpusnap_ahead* handle_ = nullptr;
};

// Two allocations, saved and let go.
struct Saved {
    explicit Saved(const Environment& extra = {}) : workload(extra), pool(64 * mib) {
        free_before = gpu_info().free_bytes;
        workload.tell("alloc dlsym 5000000");
        workload.tell("alloc async 9000000");
        workload.tell("fill 0 41");
        workload.tell("fill 1 42");
        save();
    }

    void save() {
        Target target(workload);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_import(target.get(), nullptr));
        pool.save(target);
        allocations = target.allocations();
        OK(gpusnap_target_unimport(target.get()));
        OK(gpusnap_target_release(target.get()));
    }

    // How many came as they were given.
    size_t give_and_remap(const Ahead& ahead) {
        Target target(workload);
        OK(gpusnap_target_give_ahead(target.get(), ahead.get()));
        OK(gpusnap_target_remap(target.get()));
        auto all = target.allocations();
        return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const gpusnap_allocation& allocation) {
            return (allocation.flags & GPUSNAP_ALLOCATION_HELD) != 0;
        }));
    }

    void resume() {
        Target target(workload);
        OK(gpusnap_target_resume(target.get()));
    }

    void fill_and_resume() {
        Target target(workload);
        OK(gpusnap_target_import(target.get(), nullptr));
        pool.fill(target);
        OK(gpusnap_target_unimport(target.get()));
        OK(gpusnap_target_resume(target.get()));
    }

    void check() {
        CHECK_EQUAL(workload.number("differs 0 41"), 0u);
        CHECK_EQUAL(workload.number("differs 1 42"), 0u);
    }

    uint64_t free_before = 0;
    Workload workload;
    Pool pool;
    std::vector<gpusnap_allocation> allocations;
};

// Of this process.
std::set<int> open_descriptors() {
    std::set<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        found.insert(std::stoi(entry.path().filename().string()));
    }
    // The one by which they were read is closed by now, and the next that opens a file gets its number.
    std::erase_if(found, [](int descriptor) { return fcntl(descriptor, F_GETFD) < 0; });
    return found;
}

}  // namespace

TEST("memory that was made ahead is the workload's own: it is saved as any other, and all of it is free in the end") {
    gpu_info();
    uint64_t free_before = 0;
    {
        Saved saved;
        uint64_t released = gpu_info().free_bytes;
        for (int round = 0; round < 2; round++) {
            Ahead ahead(saved.allocations);
            ahead.make_all();
            saved.pool.fill(saved.allocations);
            driver_checkpoint_and_restore(saved.workload.pid());
            CHECK_EQUAL(saved.give_and_remap(ahead), 2u);
            ahead.close();
            saved.resume();
            saved.check();
            saved.save();
            CHECK_EQUAL(gpu_info().free_bytes, released);
        }
        driver_checkpoint_and_restore(saved.workload.pid());
        Target target(saved.workload);
        OK(gpusnap_target_remap(target.get()));
        target.close();
        saved.fill_and_resume();
        saved.check();
        free_before = saved.free_before;
        saved.workload.tell("free 0");
        saved.workload.tell("free 1");
        saved.workload.tell("synchronize");
        saved.workload.tell("pool-trim 0");
        CHECK_EQUAL(gpu_info().free_bytes, free_before);
    }
    CHECK(gpu_info().free_bytes >= free_before);
}

TEST("memory that was made ahead may be filled until it is closed, also when the workload has it") {
    Saved saved;
    Ahead ahead(saved.allocations);
    ahead.make_all();
    CHECK_EQUAL(saved.give_and_remap(ahead), 2u);
    saved.pool.fill(saved.allocations);
    ahead.close();
    saved.resume();
    saved.check();
}

TEST("memory that was made ahead does not go to programs that are started meanwhile") {
    Saved saved;
    std::set<int> before = open_descriptors();
    Ahead ahead(saved.allocations);
    ahead.make_all();
    size_t added = 0;
    for (int descriptor : open_descriptors()) {
        if (!before.contains(descriptor)) {
            CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
            added++;
        }
    }
    CHECK(added >= 2);
}

TEST("what was not made ahead is fresh") {
    Saved saved;
    Ahead ahead(saved.allocations, 1);
    ahead.make_all();
    CHECK_EQUAL(saved.give_and_remap(ahead), 1u);
    ahead.close();
    saved.fill_and_resume();
    saved.check();
}

TEST("no more is made ahead than half of the files that the process may open, and the rest has no address") {
    Saved saved;
    uint64_t released = gpu_info().free_bytes;
    rlimit before{};
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit two{2, before.rlim_max};
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &two), 0);
    Ahead ahead(saved.allocations);
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK(saved.allocations[0].local_address != 0);
    CHECK_EQUAL(saved.allocations[1].local_address, 0u);
    CHECK_EQUAL(ahead.make_next(), 0u);
    CHECK_EQUAL(gpu_info().free_bytes, released - saved.allocations[0].size_bytes);
    CHECK_EQUAL(saved.give_and_remap(ahead), 1u);
    ahead.close();
    saved.fill_and_resume();
    saved.check();
}

TEST("memory that the GPU has not got is not made ahead, nor what came before it") {
    gpusnap_gpu_info gpu = gpu_info();
    std::vector<gpusnap_allocation> allocations(2);
    allocations[0].id = 1;
    allocations[0].size_bytes = 4 * mib;
    allocations[1].id = 2;
    allocations[1].size_bytes = gpu.memory_bytes / gpu.granularity_bytes * gpu.granularity_bytes;
    Saved saved;  // the daemon has its context by now
    uint64_t free_bytes = gpu_info().free_bytes;
    Ahead ahead(allocations);
    size_t left = 0;
    CHECK_EQUAL(gpusnap_ahead_make_next(ahead.get(), &left), GPUSNAP_E_NO_DEVICE_MEMORY);
    CHECK_EQUAL(gpu_info().free_bytes, free_bytes);
    CHECK_EQUAL(gpusnap_ahead_make_next(ahead.get(), &left), GPUSNAP_E_STATE);
}

TEST("memory that was made ahead and never given is free again") {
    Saved saved;
    uint64_t released = gpu_info().free_bytes;
    Ahead ahead(saved.allocations);
    CHECK_EQUAL(gpu_info().free_bytes, released);
    ahead.make_all();
    CHECK(gpu_info().free_bytes + 14'000'000 <= released);
    ahead.close();
    CHECK_EQUAL(gpu_info().free_bytes, released);
    Target target(saved.workload);
    OK(gpusnap_target_remap(target.get()));
    target.close();
    saved.fill_and_resume();
    saved.check();
}

TEST("memory that was made for another workload, or is not made yet, or comes at a wrong time is not taken") {
    Saved saved;
    Target target(saved.workload);
    {
        Ahead unmade(saved.allocations);
        CHECK_EQUAL(gpusnap_target_give_ahead(target.get(), unmade.get()), GPUSNAP_E_STATE);
    }
    auto others = saved.allocations;
    others[0].id = 1000;
    Ahead of_another(others);
    of_another.make_all();
    CHECK_EQUAL(gpusnap_target_give_ahead(target.get(), of_another.get()), GPUSNAP_E_INVALID);
    auto larger = saved.allocations;
    larger[1].size_bytes += gpu_info().granularity_bytes;
    Ahead too_large(larger);
    too_large.make_all();
    CHECK_EQUAL(gpusnap_target_give_ahead(target.get(), too_large.get()), GPUSNAP_E_INVALID);
    Ahead ahead(saved.allocations);
    ahead.make_all();
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(gpusnap_target_give_ahead(target.get(), ahead.get()), GPUSNAP_E_STATE);
    target.close();
    saved.fill_and_resume();
    saved.check();
}

TEST("items of no size, or two of one id, are refused") {
    gpu_info();
    gpusnap_ahead* none = nullptr;
    gpusnap_ahead_item empty{1, 0, 0, 0, 0};
    CHECK_EQUAL(gpusnap_ahead_open(&empty, 1, &none), GPUSNAP_E_INVALID);
    gpusnap_ahead_item twice[]{{1, 4 * mib, 0, 0, 0}, {1, 4 * mib, 0, 0, 0}};
    CHECK_EQUAL(gpusnap_ahead_open(twice, 2, &none), GPUSNAP_E_INVALID);
    gpusnap_ahead_item elsewhere{1, 4 * mib, 0, 77, 0};
    CHECK_EQUAL(gpusnap_ahead_open(&elsewhere, 1, &none), GPUSNAP_E_INVALID);
}

TEST("what the application made with flags of its own is made anew") {
    Saved saved;
    saved.give_and_remap(Ahead(saved.allocations, 0));
    saved.fill_and_resume();
    if (saved.workload.ask("create-for-rdma 33554432").find("error") != std::string::npos) {
        skip("the driver makes no memory for RDMA");
    }
    saved.workload.tell("fill 0 41");
    saved.save();
    CHECK_EQUAL(saved.allocations.size(), 3u);
    Ahead ahead(saved.allocations);
    ahead.make_all();
    CHECK_EQUAL(saved.give_and_remap(ahead), 2u);
    ahead.close();
    saved.fill_and_resume();
    saved.check();
}
