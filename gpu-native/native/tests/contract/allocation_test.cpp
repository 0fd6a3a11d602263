// The preload while nothing is frozen: what it manages, what it leaves alone, what programs see of it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

bool listed(const Target& target, uint64_t address, uint64_t at_least) {
    auto all = target.allocations();
    return std::any_of(all.begin(), all.end(), [&](const gpusnap_allocation& allocation) {
        return allocation.address == address && allocation.size_bytes >= at_least && allocation.gpu_ordinal == 0;
    });
}

void check_way(const std::string& way) {
    Workload workload;
    Target target(workload);
    uint64_t size = 5 * mib + 12345;
    auto answer = workload.tell("alloc " + way + " " + std::to_string(size));
    uint64_t address = std::stoull(answer[1]);
    CHECK_EQUAL(target.status().allocation_count, 1u);
    CHECK(target.status().managed_bytes >= size);
    CHECK(listed(target, address, size));
    workload.tell("fill 0 7");
    CHECK_EQUAL(workload.number("differs 0 7"), 0u);
    workload.tell("free 0");
    workload.tell("synchronize");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(target.status().managed_bytes, 0u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

}  // namespace

TEST("a process that never uses CUDA has no socket, no thread and no word of the preload") {
    Workload workload(Environment{}, true, false);
    CHECK_EQUAL(workload.tell("threads").at(0), std::string("gpusnap-workloa"));
    CHECK(access(workload.socket_path().c_str(), F_OK) != 0);
    CHECK_EQUAL(workload.tell("driver-symbol cuInit").at(0), std::string("hidden"));
    CHECK_EQUAL(workload.stderr_text(), std::string());
    gpusnap_target* target = nullptr;
    driver_info();
    CHECK_EQUAL(gpusnap_target_open(workload.pid(), nullptr, 1000, &target), GPUSNAP_E_NOT_MANAGED);
    CHECK(last_error().find("no preload answers") != std::string::npos);
    CHECK_EQUAL(workload.finish(), 0);
}

TEST("dlsym's special handles mean the same as without the preload") {
    Workload with(Environment{}, true, false);
    Workload without(Environment{}, false, false);
    CHECK(with.tell("special-lookups") == without.tell("special-lookups"));
    CHECK_EQUAL(with.tell("special-lookups").at(0), std::string("libc"));
}

TEST("the first use of CUDA opens a private socket, and the end removes it") {
    Workload workload;
    CHECK_EQUAL(access(workload.socket_path().c_str(), F_OK), 0);
    auto names = workload.tell("threads").at(0);
    CHECK(names.find("gpusnap-ctl") != std::string::npos);
    Target target(workload);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    CHECK_EQUAL(target.status().refusals, 0u);
    CHECK_EQUAL(target.status().protocol_version, 1u);
    CHECK_EQUAL(std::string(target.status().preload_version), std::string(gpusnap_version_string()));
    CHECK_EQUAL(workload.finish(), 0);
    CHECK(access(workload.socket_path().c_str(), F_OK) != 0);
}

TEST("no process, or one without the preload, is told apart from a managed one") {
    driver_info();
    gpusnap_target* target = nullptr;
    CHECK_EQUAL(gpusnap_target_open(0x3fffff0, nullptr, 1000, &target), GPUSNAP_E_PEER_GONE);
    Workload plain(Environment{}, false);
    CHECK_EQUAL(gpusnap_target_open(plain.pid(), nullptr, 1000, &target), GPUSNAP_E_NOT_MANAGED);
}

TEST("memory is managed when the program is linked against the driver") {
    check_way("symbol");
}

TEST("memory is managed when the program finds the driver by dlsym") {
    check_way("dlsym");
}

TEST("memory is managed through cuGetProcAddress, first version") {
    check_way("proc1");
}

TEST("memory is managed through cuGetProcAddress, second version") {
    check_way("proc2");
}

TEST("memory is managed when it is allocated in stream order") {
    check_way("async");
}

TEST("memory is managed when it comes from a pool of the application") {
    check_way("pool");
}

TEST("pitched memory is managed with the driver's own pitch") {
    Workload plain(Environment{}, false);
    Workload workload;
    Target target(workload);
    auto expected = plain.tell("alloc-pitched 10001 1000");
    auto answer = workload.tell("alloc-pitched 10001 1000");
    CHECK_EQUAL(answer[3], expected[3]);
    CHECK(listed(target, std::stoull(answer[1]), std::stoull(answer[2])));
    workload.tell("fill 0 3");
    CHECK_EQUAL(workload.number("differs 0 3"), 0u);
}

TEST("small allocations stay with the driver and are counted there") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 65536");
    workload.tell("alloc async 65536");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(target.status().driver_bytes, 131072u);
    workload.tell("fill 0 5");
    CHECK_EQUAL(workload.number("differs 0 5"), 0u);
    workload.tell("free 0");
    workload.tell("free 1");
    CHECK_EQUAL(target.status().driver_bytes, 0u);
}

TEST("the threshold is a setting") {
    Workload workload(Environment{{"GPUSNAP_MIN_MANAGED_BYTES", "16777216"}});
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    workload.tell("alloc dlsym 16777216");
    CHECK_EQUAL(target.status().allocation_count, 1u);
}

TEST("a pointer's attributes are those of an allocation") {
    Workload workload;
    auto answer = workload.tell("alloc dlsym 3000000");
    auto found = workload.tell("pointer 0 2999999");
    CHECK_EQUAL(found[0], answer[1]);
    CHECK_EQUAL(found[1], std::string("3000000"));
    CHECK_EQUAL(found[2], answer[1]);
    CHECK_EQUAL(found[3], std::string("3000000"));
    CHECK_EQUAL(found[4], std::string("context"));
    CHECK_EQUAL(found[5], std::string("2"));
    workload.tell("alloc dlsym 3000000");
    CHECK(workload.tell("pointer 1 0").at(6) != found[6]);
}

TEST("the application's own virtual memory keeps its handles and properties") {
    Workload workload;
    Target target(workload);
    auto answer = workload.tell("create-twice 4000000");
    CHECK_EQUAL(target.status().allocation_count, 1u);
    CHECK_EQUAL(target.status().managed_bytes, std::stoull(answer[4]));
    auto seen = workload.tell("inspect-twice");
    CHECK_EQUAL(seen[0], std::string("0"));
    CHECK_EQUAL(seen[1], std::string("same"));
    CHECK_EQUAL(seen[2], std::string("3"));
    workload.tell("fill 0 9");
    workload.tell("fill 1 10");
    CHECK_EQUAL(workload.number("differs 1 10"), 0u);
    CHECK(workload.number("differs 0 9") > 0);
    workload.tell("release-twice");
    CHECK_EQUAL(target.status().allocation_count, 1u);
    CHECK_EQUAL(workload.number("differs 1 10"), 0u);
    workload.tell("drop-twice");
    CHECK_EQUAL(target.status().allocation_count, 0u);
}

TEST("a segment that grows and shrinks in one range is followed") {
    Workload workload;
    Target target(workload);
    auto answer = workload.tell("create-segment 3");
    CHECK_EQUAL(target.status().allocation_count, 3u);
    workload.tell("fill 0 11");
    workload.tell("shrink-segment 0 " + answer[3]);
    CHECK_EQUAL(target.status().allocation_count, 2u);
    CHECK_EQUAL(workload.number("differs 0 11"), 0u);
}

TEST("a reset of the context frees its memory") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 33554432");
    workload.tell("alloc async 33554432");
    CHECK_EQUAL(target.status().allocation_count, 2u);
    workload.tell("reset");
    CHECK_EQUAL(target.status().allocation_count, 0u);
}

TEST("stream-ordered memory is reused at once in its stream, in another only after the free") {
    Workload workload;
    workload.tell("pool-threshold 1000000000");
    workload.tell("stream");
    workload.tell("stream");
    uint64_t first = workload.number("alloc-on 33554432 0", 1);
    workload.tell("hold 0");
    workload.tell("memset-on 0 17 0");
    workload.tell("free 0");
    uint64_t other = workload.number("alloc-on 33554432 1", 1);
    CHECK(other != first);
    uint64_t same = workload.number("alloc-on 33554432 0", 1);
    CHECK_EQUAL(same, first);
    workload.tell("memset-on 2 34 0");
    workload.tell("memset-on 1 51 1");
    workload.tell("stream-sync 1");
    workload.tell("let-go");
    workload.tell("stream-sync 0");
    CHECK_EQUAL(workload.number("first-byte 1"), 51u);
    CHECK_EQUAL(workload.number("first-byte 2"), 34u);
    workload.tell("free 2");
    workload.tell("stream-sync 0");
    CHECK_EQUAL(workload.number("alloc-on 33554432 1", 1), first);
}

TEST("stream-ordered memory is cut and joined as the requests come") {
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    workload.tell("stream");
    uint64_t large = workload.number("alloc-on 33554432 0", 1);
    workload.tell("free 0");
    for (int i = 1; i <= 4; i++) {
        uint64_t part = workload.number("alloc-on 7340032 0", 1);
        CHECK_EQUAL(part, large + static_cast<uint64_t>(i - 1) * 7340032);
        workload.tell("fill " + std::to_string(i) + " " + std::to_string(i));
    }
    CHECK_EQUAL(target.status().allocation_count, 1u);
    auto inside = workload.tell("pointer 3 7340031");
    CHECK_EQUAL(inside[0], std::to_string(large + 2 * 7340032));
    CHECK_EQUAL(inside[1], std::string("7340032"));
    CHECK_EQUAL(inside[3], std::string("7340032"));
    for (int i = 1; i <= 4; i++) {
        CHECK_EQUAL(workload.number("differs " + std::to_string(i) + " " + std::to_string(i)), 0u);
        workload.tell("free " + std::to_string(i));
    }
    CHECK_EQUAL(workload.number("alloc-on 33554432 0", 1), large);
    // What is missing is put behind what is there, and the allocation lies in both.
    workload.tell("free 5");
    uint64_t larger = workload.number("alloc-on 50331648 0", 1);
    CHECK_EQUAL(larger, large);
    CHECK_EQUAL(target.status().allocation_count, 2u);
    workload.tell("fill 6 6");
    CHECK_EQUAL(workload.number("differs 6 6"), 0u);
    workload.tell("free 6");
    workload.tell("pool-trim 0");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("stream-ordered memory that cuMemFree frees goes back to its pool, and with its context, also while a graph is recorded") {
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    workload.tell("stream");
    workload.tell("alloc async 8388608");
    workload.tell("free-now 0");
    CHECK_EQUAL(target.status().allocation_count, 1u);
    CHECK_EQUAL(workload.number("pool-attribute 7"), 0u);
    uint64_t second = workload.number("alloc async 8388608", 1);
    workload.tell("capture-begin 0");
    workload.tell("free-now 1");
    CHECK(workload.number("alloc async 8388608", 1) != second);
    CHECK_EQUAL(workload.number("pool-attribute 7"), 2 * 8388608u);
    workload.tell("reset");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("pool attributes and trimming cover what the preload keeps") {
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    uint64_t used_before = workload.number("pool-attribute 7");
    workload.tell("alloc async 33554432");
    CHECK_EQUAL(workload.number("pool-attribute 7") - used_before, 33554432u);
    workload.tell("free 0");
    workload.tell("synchronize");
    CHECK_EQUAL(workload.number("pool-attribute 7"), used_before);
    CHECK(workload.number("pool-attribute 5") >= 33554432u);
    CHECK_EQUAL(target.status().allocation_count, 1u);
    workload.tell("pool-trim 0");
    CHECK_EQUAL(target.status().allocation_count, 0u);
}

TEST("threads with a stream each allocate and free in its order, and none gets what another still uses") {
    Workload workload;
    Target target(workload);
    for (const char* threshold : {"1000000000", "0"}) {
        workload.tell(std::string("pool-threshold ") + threshold);
        CHECK_EQUAL(workload.number("churn-on-streams 6 80"), 0u);
        // The streams are gone, but what they had queued still runs.
        for (int patience = 500; patience > 0 && target.status().allocation_count > 0; patience--) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            workload.tell("pool-trim 0");
        }
        CHECK_EQUAL(target.status().allocation_count, 0u);
    }
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("many threads allocate, use and free at once") {
    Workload workload;
    Target target(workload);
    CHECK_EQUAL(workload.number("churn 8 60"), 0u);
    workload.tell("synchronize");
    CHECK_EQUAL(target.status().allocation_count, 0u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}
