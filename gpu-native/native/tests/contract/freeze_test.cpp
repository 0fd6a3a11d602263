// Freezing and thawing: every byte, every address, and the gate.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <thread>
#include <utility>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

uint64_t large_bytes() {
    return driver_info().simulated ? 48 * mib : 8192 * mib;
}

struct Phases {
    std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
    std::ostringstream text;
    void end(const char* name) {
        auto now = std::chrono::steady_clock::now();
        text << (text.str().empty() ? "" : ", ") << name << " "
             << std::chrono::duration_cast<std::chrono::microseconds>(now - last).count() / 1000.0 << " ms";
        last = now;
    }
};

void save_and_release(Target& target, Pool& pool, Phases& phases) {
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    phases.end("quiesce");
    OK(gpusnap_target_import(target.get(), nullptr));
    phases.end("import");
    double rate = pool.save(target);
    phases.end("save");
    note("saved at " + std::to_string(rate / 1e9) + " GB/s");
    OK(gpusnap_target_unimport(target.get()));
    phases.end("unimport");
    OK(gpusnap_target_release(target.get()));
    phases.end("release");
}

void remap_and_fill(Target& target, Pool& pool, Phases& phases) {
    OK(gpusnap_target_remap(target.get()));
    phases.end("remap");
    OK(gpusnap_target_import(target.get(), nullptr));
    phases.end("import");
    double rate = pool.fill(target);
    phases.end("fill");
    note("filled at " + std::to_string(rate / 1e9) + " GB/s");
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    phases.end("resume");
}

}  // namespace

TEST("a whole cycle brings every byte back to its address") {
    Workload workload;
    Target target(workload);
    uint64_t large = large_bytes();
    workload.tell("alloc dlsym " + std::to_string(large));
    workload.tell("alloc proc2 5000000");
    workload.tell("alloc async 9000000");
    workload.tell("alloc pool 6000000");
    workload.tell("alloc dlsym 65536");
    workload.tell("alloc-pitched 10001 1000");
    workload.tell("create-twice 4000000");
    workload.tell("create-segment 3");
    std::vector<int> filled{0, 1, 2, 3, 4, 5, 6, 8};
    for (int index : filled) {
        workload.tell("fill " + std::to_string(index) + " " + std::to_string(100 + index));
    }
    auto before = target.allocations();
    auto pointer_before = workload.tell("pointer 0 4096");
    CHECK(before.size() >= 9);
    Pool pool(target.status().managed_bytes + before.size() * 4 * mib);
    Phases phases;
    save_and_release(target, pool, phases);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    target.close();
    driver_checkpoint_and_restore(workload.pid());
    phases.end("driver checkpoint and restore");
    Target again(workload);
    CHECK_EQUAL(again.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    remap_and_fill(again, pool, phases);
    note(phases.text.str());
    for (int index : filled) {
        CHECK_EQUAL(workload.number("differs " + std::to_string(index) + " " + std::to_string(100 + index)), 0u);
    }
    auto after = again.allocations();
    CHECK_EQUAL(after.size(), before.size());
    for (size_t i = 0; i < after.size(); i++) {
        CHECK_EQUAL(after[i].id, before[i].id);
        CHECK_EQUAL(after[i].address, before[i].address);
        CHECK_EQUAL(after[i].size_bytes, before[i].size_bytes);
    }
    CHECK(workload.tell("pointer 0 4096") == pointer_before);
    CHECK_EQUAL(workload.tell("inspect-twice").at(1), std::string("same"));
    workload.tell("alloc dlsym 5000000");
    workload.tell("free 0");
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("memory that was freed but rests in a pool is not saved") {
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    workload.tell("alloc async 33554432");
    workload.tell("free 0");
    CHECK_EQUAL(target.status().allocation_count, 1u);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    CHECK_EQUAL(target.status().allocation_count, 0u);
    OK(gpusnap_target_import(target.get(), nullptr));
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
    workload.tell("alloc async 33554432");
}

TEST("released memory is really free") {
    Workload workload;
    Target target(workload);
    uint64_t size = driver_info().simulated ? 256 * mib : 4096 * mib;
    workload.tell("alloc dlsym " + std::to_string(size));
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    uint64_t mapped = gpu_info().free_bytes;
    OK(gpusnap_target_release(target.get()));
    uint64_t released = gpu_info().free_bytes;
    CHECK(released >= mapped + size);
    OK(gpusnap_target_remap(target.get()));
    CHECK(gpu_info().free_bytes + size <= released);
    OK(gpusnap_target_resume(target.get()));
}

TEST("the gate stops a thread at its next copy and lets it go on after") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("copy-start 0");
    while (workload.number("copy-count") < 10) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    uint64_t stopped = workload.number("copy-count");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CHECK_EQUAL(workload.number("copy-count"), stopped);
    Pool pool(16 * mib);
    Phases phases;
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.save(target);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK_EQUAL(workload.number("copy-count"), stopped);
    remap_and_fill(target, pool, phases);
    while (workload.number("copy-count") < stopped + 10) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    workload.tell("copy-stop");
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("threads that ask and wait all the time live through the driver's checkpoint") {
    if (!driver_info().has_checkpoint) {
        skip("this driver has no checkpoint API");
    }
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("fill 0 1");
    workload.tell("ask-start");
    // The fewest rounds of any of the threads, and those of all.
    auto asked = [&] {
        uint64_t fewest = 0;
        uint64_t sum = 0;
        std::istringstream(workload.ask("asked").substr(3)) >> fewest >> sum;
        return std::pair(fewest, sum);
    };
    auto all_ask = [&](uint64_t rounds) {
        while (asked().first < rounds) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    };
    all_ask(10);
    Pool pool(16 * mib);
    Phases phases;
    save_and_release(target, pool, phases);
    OK(gpusnap_process_lock(workload.pid(), 10'000));
    OK(gpusnap_process_checkpoint(workload.pid()));
    uint64_t stopped = asked().second;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK_EQUAL(asked().second, stopped);
    uint64_t before = asked().first;
    OK(gpusnap_process_restore(workload.pid(), nullptr, 0));
    OK(gpusnap_process_unlock(workload.pid()));
    remap_and_fill(target, pool, phases);
    all_ask(before + 10);
    CHECK_EQUAL(workload.ask("ask-stop"), std::string("ok all succeeded"));
    CHECK_EQUAL(workload.number("differs 0 1"), 0u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("threads that allocate and free are frozen again and again without harm") {
    Workload workload;
    Target target(workload);
    workload.send("churn 4 120");
    int cycles = 0;
    while (!workload.answers_within(0)) {
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        auto all = target.allocations();
        uint64_t bytes = 0;
        for (const auto& allocation : all) {
            bytes += (allocation.size_bytes + 4 * mib - 1) / (4 * mib) * 4 * mib;
        }
        if (bytes > 0) {
            Pool pool(bytes);
            OK(gpusnap_target_import(target.get(), nullptr));
            pool.save(target);
            OK(gpusnap_target_unimport(target.get()));
            OK(gpusnap_target_release(target.get()));
            OK(gpusnap_target_remap(target.get()));
            OK(gpusnap_target_import(target.get(), nullptr));
            pool.fill(target);
            OK(gpusnap_target_unimport(target.get()));
        }
        OK(gpusnap_target_resume(target.get()));
        cycles++;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK_EQUAL(workload.receive(), std::string("ok 0"));
    CHECK(cycles > 0);
    note(std::to_string(cycles) + " cycles");
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("work that does not end in time leaves the process running") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("stream");
    workload.tell("hold 0");
    workload.tell("memset-on 0 1 0");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 300), GPUSNAP_E_TIMEOUT);
    CHECK(last_error().find("still at work") != std::string::npos);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    workload.tell("memset 0 2");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 300), GPUSNAP_E_STATE);
    workload.tell("let-go");
    workload.tell("synchronize");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}

TEST("a graph that is being recorded is not frozen") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("stream");
    workload.tell("capture-begin 0");
    workload.tell("memset-on 0 1 0");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 2'000), GPUSNAP_E_STATE);
    CHECK(last_error().find("recording a graph") != std::string::npos);
    workload.tell("capture-end 0");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}

TEST("memory freed while a graph is recorded is freed after it") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("alloc dlsym 5000000");
    workload.tell("stream");
    workload.tell("capture-begin 0");
    workload.tell("memset-on 1 1 0");
    workload.tell("free 0");
    workload.tell("capture-end 0");
    workload.tell("alloc dlsym 5000000");
    CHECK_EQUAL(target.status().allocation_count, 2u);
}

TEST("a copy of memory that is no longer imported fails with the driver's words") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    Pool pool(8 * mib);
    gpusnap_copy_item item{target.allocations().at(0).local_address, pool.base(), 4096};
    OK(gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, &item, 1, nullptr));
    OK(gpusnap_fill_zero(0, item.device_address, 5000000));
    OK(gpusnap_target_unimport(target.get()));
    CHECK_EQUAL(target.allocations().at(0).local_address, 0u);
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.number("first-byte 0"), 0u);
    if (driver_info().simulated) {
        skip("the simulated driver does not check the address of a copy (the rest of this test has passed)");
    }
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, &item, 1, nullptr), GPUSNAP_E_DRIVER);
    CHECK(last_error().find("CUDA_ERROR_") != std::string::npos);
}

TEST("memory arrives a few allocations at a time, at addresses that are known before") {
    Workload workload;
    Target target(workload);
    const uint64_t large = 300 * mib;
    for (int i = 0; i < 3; i++) {
        workload.tell("alloc dlsym " + std::to_string(large));
        workload.tell("fill " + std::to_string(i) + " " + std::to_string(i + 1));
    }
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    size_t left = 0;
    // Room first.
    OK(gpusnap_target_import(target.get(), &left));
    CHECK_EQUAL(left, 3u);
    const auto allocations = target.allocations();
    std::vector<gpusnap_span> last;
    std::vector<gpusnap_digest> digests(3);
    for (const auto& allocation : allocations) {
        CHECK(allocation.local_address != 0);
        last.push_back({allocation.local_address, 4 * mib});
    }
    CHECK_EQUAL(gpusnap_target_import(target.get(), nullptr), GPUSNAP_E_STATE);
    // Then the first of them, which can be used while the others are not there.
    OK(gpusnap_target_import(target.get(), &left));
    CHECK(left > 0 && left < 3);
    OK(gpusnap_digest_device(0, last.data(), 3 - left, digests.data()));
    CHECK_EQUAL(gpusnap_digest_device(0, last.data(), 3, digests.data()), GPUSNAP_E_INVALID);
    while (left > 0) {
        OK(gpusnap_target_import(target.get(), &left));
    }
    OK(gpusnap_digest_device(0, last.data(), 3, digests.data()));
    CHECK_EQUAL(gpusnap_target_import(target.get(), &left), GPUSNAP_E_STATE);
    for (size_t i = 0; i < allocations.size(); i++) {
        CHECK_EQUAL(target.allocations().at(i).local_address, allocations[i].local_address);
    }
    OK(gpusnap_target_unimport(target.get()));
    // What is given up half-way leaves nothing behind.
    OK(gpusnap_target_import(target.get(), &left));
    OK(gpusnap_target_import(target.get(), &left));
    OK(gpusnap_target_unimport(target.get()));
    CHECK_EQUAL(target.allocations().at(0).local_address, 0u);
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
}

TEST("steps out of order are refused and change nothing") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    CHECK_EQUAL(gpusnap_target_import(target.get(), nullptr), GPUSNAP_E_STATE);
    CHECK_EQUAL(gpusnap_target_release(target.get()), GPUSNAP_E_STATE);
    CHECK_EQUAL(gpusnap_target_remap(target.get()), GPUSNAP_E_STATE);
    CHECK_EQUAL(gpusnap_target_resume(target.get()), GPUSNAP_E_STATE);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_STATE);
    CHECK(last_error().find("QUIESCED") != std::string::npos);
    OK(gpusnap_target_import(target.get(), nullptr));
    CHECK_EQUAL(gpusnap_target_release(target.get()), GPUSNAP_E_STATE);
    CHECK(last_error().find("unimport first") != std::string::npos);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    CHECK_EQUAL(gpusnap_target_resume(target.get()), GPUSNAP_E_STATE);
    CHECK_EQUAL(gpusnap_target_import(target.get(), nullptr), GPUSNAP_E_STATE);
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_resume(target.get()));
}

TEST("memory that was mapped again and could not be filled is given back, and filled another time") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("fill 0 1");
    Pool pool(16 * mib);
    Phases phases;
    save_and_release(target, pool, phases);
    uint64_t released = gpu_info().free_bytes;
    OK(gpusnap_target_remap(target.get()));
    CHECK(gpu_info().free_bytes < released);
    OK(gpusnap_target_release(target.get()));
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    CHECK_EQUAL(gpu_info().free_bytes, released);
    remap_and_fill(target, pool, phases);
    CHECK_EQUAL(workload.number("differs 0 1"), 0u);
}

TEST("without room on the GPU the process stays released, and comes back once there is room") {
    Workload workload;
    Workload hog;
    Target target(workload);
    uint64_t size = driver_info().simulated ? 128 * mib : 8192 * mib;
    workload.tell("alloc dlsym " + std::to_string(size));
    workload.tell("fill 0 1");
    Pool pool(size);
    Phases phases;
    save_and_release(target, pool, phases);
    uint64_t taken = hog.number("free-bytes") - size / 2;
    hog.tell("alloc dlsym " + std::to_string(taken));
    CHECK_EQUAL(gpusnap_target_remap(target.get()), GPUSNAP_E_NO_DEVICE_MEMORY);
    CHECK(last_error().find("CUDA_ERROR_OUT_OF_MEMORY") != std::string::npos);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    hog.tell("free 0");
    remap_and_fill(target, pool, phases);
    CHECK_EQUAL(workload.number("differs 0 1"), 0u);
}
