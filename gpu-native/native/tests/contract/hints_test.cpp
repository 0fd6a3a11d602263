// Memory that the application says it can rebuild: what is listed, and when a hint ends.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>

#include "contract/fixture.h"
#include "contract/harness.h"
#include "gpusnap_hints.h"
#include "preload_protocol.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

std::string hint(Workload& workload, int index, uint64_t offset, uint64_t size, const std::string& tag) {
    return workload
        .tell("hint " + std::to_string(index) + " " + std::to_string(offset) + " " + std::to_string(size) + " " + tag)
        .at(0);
}

std::string code(gpusnap_hint_answer answer) {
    return std::to_string(static_cast<int>(answer));
}

// Answers STATUS, and every other verb as a preload does that does not know it.
void serve_as_an_older_preload(int listener, int requests) {
    int connection = accept(listener, nullptr, nullptr);
    for (int i = 0; i < requests; i++) {
        gpusnap_wire_header request{};
        if (recv(connection, &request, sizeof request, 0) != sizeof request) {
            break;
        }
        std::string payload = "unknown request " + std::to_string(request.verb);
        bool known = request.verb == GPUSNAP_WIRE_STATUS;
        if (known) {
            gpusnap_wire_status status{};
            payload.assign(reinterpret_cast<const char*>(&status), sizeof status);
        }
        request.status = known ? GPUSNAP_OK : GPUSNAP_E_PROTOCOL;
        request.payload_size = static_cast<uint32_t>(payload.size());
        std::string message(reinterpret_cast<const char*>(&request), sizeof request);
        message += payload;
        if (send(connection, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    close(connection);
}

}  // namespace

TEST("a hint is listed with its tag and its place in the allocation") {
    Workload workload;
    Target target(workload);
    CHECK_EQUAL(target.hints().size(), 0u);
    workload.tell("alloc dlsym 20971520");
    CHECK_EQUAL(hint(workload, 0, 4 * mib, 8 * mib, "kv-cache"), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(hint(workload, 0, 6 * mib, 8 * mib, "scratch"), code(GPUSNAP_HINT_OK));
    gpusnap_allocation allocation = target.allocations().at(0);
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), 2u);
    CHECK_EQUAL(hints[0].address, allocation.address + 4 * mib);
    CHECK_EQUAL(hints[0].allocation_id, allocation.id);
    CHECK_EQUAL(hints[0].offset_bytes, 4 * mib);
    CHECK_EQUAL(hints[0].size_bytes, 8 * mib);
    CHECK_EQUAL(std::string(hints[0].tag), std::string("kv-cache"));
    CHECK_EQUAL(hints[1].offset_bytes, 6 * mib);
    CHECK_EQUAL(std::string(hints[1].tag), std::string("scratch"));
    CHECK_EQUAL(hint(workload, 0, 4 * mib, mib, "less"), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(target.hints().at(0).size_bytes, mib);
    CHECK_EQUAL(workload.tell("keep 0 4194304").at(0), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(workload.tell("keep 0 4194304").at(0), code(GPUSNAP_HINT_UNKNOWN));
    CHECK_EQUAL(target.hints().size(), 1u);
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("a hint over all of an allocation covers what the block has behind it") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("alloc async 5000000");
    CHECK_EQUAL(hint(workload, 0, 0, 5000000, "kv"), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(hint(workload, 1, 4096, 5000000 - 4096, "kv"), code(GPUSNAP_HINT_OK));
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), 3u);
    const gpusnap_hint& left = hints.back();  // of the pool's memory, behind the allocation
    CHECK_EQUAL(std::string(left.tag), std::string(GPUSNAP_WIRE_FREE_TAG));
    for (const gpusnap_hint& listed : hints) {
        auto all = target.allocations();
        auto owner = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id == listed.allocation_id; });
        CHECK(owner != all.end());
        bool in_a_pool = listed.allocation_id == left.allocation_id && listed.address != left.address;
        CHECK_EQUAL(listed.offset_bytes + listed.size_bytes, in_a_pool ? left.offset_bytes : owner->size_bytes);
    }
}

TEST("a hint that makes no sense is refused, and one for memory of the driver's own is told so") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    workload.tell("alloc dlsym 65536");
    for (const char* tag : {"", "a,b", "0123456789012345678901234567890z"}) {
        CHECK_EQUAL(hint(workload, 0, 0, 4096, tag), code(GPUSNAP_HINT_INVALID));
    }
    CHECK_EQUAL(hint(workload, 0, 0, 4096, "0123456789012345678901234567890"), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(std::string(target.hints().at(0).tag), std::string("0123456789012345678901234567890"));
    CHECK_EQUAL(hint(workload, 0, 0, 0, "kv"), code(GPUSNAP_HINT_INVALID));
    for (const std::string& answer : workload.tell("hint-null")) {
        CHECK_EQUAL(answer, code(GPUSNAP_HINT_INVALID));
    }
    CHECK_EQUAL(hint(workload, 0, 0, 64 * mib, "kv"), code(GPUSNAP_HINT_NOT_MANAGED));
    CHECK_EQUAL(hint(workload, 1, 0, 65536, "kv"), code(GPUSNAP_HINT_NOT_MANAGED));
    CHECK_EQUAL(target.hints().size(), 1u);
}

TEST("a hint ends with its allocation, and whoever has the address next has none") {
    Workload workload;
    Target target(workload);
    auto first = workload.tell("alloc dlsym 16777216");
    hint(workload, 0, 0, 16777216, "kv");
    workload.tell("free 0");
    CHECK_EQUAL(target.hints().size(), 0u);
    // Blocks of a pool are used again as they are: the same block at the same address.
    workload.tell("pool-threshold 1000000000");
    auto before = workload.tell("alloc async 33554432");
    CHECK_EQUAL(hint(workload, 1, 0, 33554432, "kv"), code(GPUSNAP_HINT_OK));
    CHECK_EQUAL(target.hints().size(), 1u);
    workload.tell("free 1");
    CHECK_EQUAL(target.hints().size(), 1u);
    CHECK_EQUAL(std::string(target.hints().at(0).tag), std::string(GPUSNAP_WIRE_FREE_TAG));
    CHECK_EQUAL(hint(workload, 1, 0, 33554432, "late"), code(GPUSNAP_HINT_OK));  // of memory that is freed already
    auto again = workload.tell("alloc async 33554432");
    CHECK_EQUAL(again.at(1), before.at(1));
    CHECK_EQUAL(target.hints().size(), 0u);
    hint(workload, 2, 0, 4096, "kv");
    workload.tell("reset");
    CHECK_EQUAL(target.hints().size(), 0u);
}

TEST("what an application has freed is told between the memory that it uses") {
    Workload workload;
    Target target(workload);
    workload.tell("pool-threshold 1000000000");
    workload.tell("alloc async 33554432");
    workload.tell("free 0");
    workload.tell("alloc async 12582912");
    workload.tell("alloc async 8388608");
    workload.tell("alloc async 4194304");
    workload.tell("fill 1 1");
    workload.tell("fill 3 3");
    workload.tell("free 2");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    CHECK_EQUAL(target.allocations().size(), 1u);
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), 2u);
    CHECK_EQUAL(hints[0].offset_bytes, 12 * mib);
    CHECK_EQUAL(hints[0].size_bytes, 8 * mib);
    CHECK_EQUAL(std::string(hints[0].tag), std::string(GPUSNAP_WIRE_FREE_TAG));
    CHECK_EQUAL(hints[1].offset_bytes, 24 * mib);
    CHECK_EQUAL(hints[1].size_bytes, 8 * mib);
    CHECK_EQUAL(hints[1].address - hints[0].address, 12 * mib);
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.number("differs 1 1"), 0u);
    CHECK_EQUAL(workload.number("differs 3 3"), 0u);
}

TEST("a hint over memory that was mapped piece by piece is told by pieces, and ends when one of them goes") {
    Workload workload;
    Target target(workload);
    auto segment = workload.tell("create-segment 3");
    uint64_t granularity = std::stoull(segment.at(3));
    CHECK_EQUAL(hint(workload, 0, granularity / 2, 2 * granularity, "kv"), code(GPUSNAP_HINT_OK));
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), 3u);
    CHECK_EQUAL(hints[0].offset_bytes, granularity / 2);
    CHECK_EQUAL(hints[0].size_bytes, granularity / 2);
    CHECK_EQUAL(hints[1].offset_bytes, 0u);
    CHECK_EQUAL(hints[1].size_bytes, granularity);
    CHECK_EQUAL(hints[2].size_bytes, granularity / 2);
    CHECK(hints[0].allocation_id != hints[1].allocation_id && hints[1].allocation_id != hints[2].allocation_id);
    CHECK_EQUAL(hint(workload, 0, 0, 4 * granularity, "more"), code(GPUSNAP_HINT_NOT_MANAGED));
    workload.tell("shrink-segment 0 " + std::to_string(granularity));
    CHECK_EQUAL(target.hints().size(), 0u);
}

TEST("more hints than a reply takes come in several") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    uint64_t count = 2 * GPUSNAP_WIRE_MAX_RECORDS + 7;
    CHECK_EQUAL(workload.tell("hint-many 0 " + std::to_string(count)).at(0), code(GPUSNAP_HINT_OK));
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), count);
    for (uint64_t i = 0; i < count; i++) {
        CHECK_EQUAL(hints[i].offset_bytes, i * 4096);
        CHECK_EQUAL(std::string(hints[i].tag), "page-" + std::to_string(i));
    }
    size_t whole = 0;
    gpusnap_hint few[3];
    OK(gpusnap_target_hints(target.get(), few, 3, &whole));
    CHECK_EQUAL(whole, count);
    CHECK_EQUAL(std::string(few[2].tag), std::string("page-2"));
    CHECK_EQUAL(gpusnap_target_hints(target.get(), nullptr, 3, &whole), GPUSNAP_E_INVALID);
}

TEST("a frozen process keeps its hints, and whoever would change them waits") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    hint(workload, 0, 0, 4 * mib, "kv");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    workload.send("hint 0 4194304 4194304 more");
    CHECK(!workload.answers_within(200));
    OK(gpusnap_target_release(target.get()));
    auto hints = target.hints();
    CHECK_EQUAL(hints.size(), 1u);
    CHECK_EQUAL(hints[0].size_bytes, 4 * mib);
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(target.hints().size(), 1u);
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.receive(), std::string("ok 0"));
    CHECK_EQUAL(target.hints().size(), 2u);
}

TEST("what is not rebuildable comes back though the rest was never saved") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    workload.tell("alloc dlsym 8388608");
    workload.tell("fill 0 5");
    workload.tell("fill 1 6");
    hint(workload, 1, 0, 8388608, "kv");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_import(target.get(), nullptr));
    auto all = target.allocations();
    uint64_t rebuildable = target.hints().at(0).allocation_id;
    Pool pool(8 * mib);
    for (const auto& allocation : all) {
        if (allocation.id != rebuildable) {
            gpusnap_copy_item item{allocation.local_address, pool.base(), allocation.size_bytes};
            OK(gpusnap_copy(allocation.gpu_ordinal, GPUSNAP_DEVICE_TO_HOST, &item, 1, nullptr));
        }
    }
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_import(target.get(), nullptr));
    for (const auto& allocation : target.allocations()) {
        if (allocation.id == rebuildable) {
            OK(gpusnap_fill_zero(allocation.gpu_ordinal, allocation.local_address, allocation.size_bytes));
        } else {
            gpusnap_copy_item item{allocation.local_address, pool.base(), allocation.size_bytes};
            OK(gpusnap_copy(allocation.gpu_ordinal, GPUSNAP_HOST_TO_DEVICE, &item, 1, nullptr));
        }
    }
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.number("differs 0 5"), 0u);
    CHECK_EQUAL(workload.number("first-byte 1"), 0u);
    workload.tell("fill 1 7");  // as good as new
    CHECK_EQUAL(workload.number("differs 1 7"), 0u);
}

TEST("without the preload a hint does nothing and says so") {
    Workload workload(Environment{}, false);
    workload.tell("alloc dlsym 8388608");
    CHECK_EQUAL(hint(workload, 0, 0, 4096, "kv"), code(GPUSNAP_HINT_NO_PRELOAD));
    CHECK_EQUAL(workload.tell("keep 0 0").at(0), code(GPUSNAP_HINT_NO_PRELOAD));
    for (const std::string& answer : workload.tell("callbacks a")) {
        CHECK_EQUAL(answer, code(GPUSNAP_HINT_NO_PRELOAD));
    }
}

TEST("in a forked child a hint does nothing and says so") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 8388608");
    CHECK_EQUAL(workload.tell("hint-in-child").at(0), code(GPUSNAP_HINT_NO_PRELOAD));
    CHECK_EQUAL(target.hints().size(), 0u);
}

TEST("a preload that is older than hints has none") {
    driver_info();
    std::string path = scratch() + "/older-preload.sock";
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    CHECK_EQUAL(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    CHECK_EQUAL(listen(listener, 1), 0);
    std::thread older(serve_as_an_older_preload, listener, 3);
    gpusnap_target* target = nullptr;
    gpusnap_status opened = gpusnap_target_open(getpid(), path.c_str(), 10'000, &target);
    size_t count = 99;
    gpusnap_status asked = opened == GPUSNAP_OK ? gpusnap_target_hints(target, nullptr, 0, &count) : opened;
    gpusnap_status refused = asked == GPUSNAP_OK ? gpusnap_target_allocations(target, nullptr, 0, &count) : asked;
    size_t of_hints = count;
    gpusnap_target_close(target);
    older.join();
    close(listener);
    CHECK_EQUAL(asked, GPUSNAP_OK);
    CHECK_EQUAL(of_hints, 0u);
    CHECK_EQUAL(refused, GPUSNAP_E_PROTOCOL);
}
