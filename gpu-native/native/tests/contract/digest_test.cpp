// Digests of device memory, and what a copy does with items that continue.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <optional>

#include "contract/device_memory.h"
#include "contract/fixture.h"
#include "contract/harness.h"
#include "contract/tree_digest.h"

using namespace contract;

namespace {

Bytes counting(size_t size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = static_cast<unsigned char>(i % 251);
    }
    return bytes;
}

std::vector<gpusnap_digest> digests_of(const std::vector<gpusnap_span>& spans) {
    std::vector<gpusnap_digest> digests(spans.size());
    OK(gpusnap_digest_device(0, spans.data(), spans.size(), digests.data()));
    return digests;
}

// Spans of an allocation that holds `content`.
void check_digests(const std::vector<gpusnap_span>& spans, uint64_t address, const Bytes& content) {
    auto digests = digests_of(spans);
    for (size_t i = 0; i < spans.size(); i++) {
        const unsigned char* bytes = &content[spans[i].device_address - address];
        CHECK_EQUAL(hex(digests[i]), tree_digest(bytes, spans[i].size_bytes));
        bool zero = std::all_of(bytes, bytes + spans[i].size_bytes, [](unsigned char byte) { return byte == 0; });
        CHECK_EQUAL(digests[i].zero != 0, zero);
    }
}

// Many spans of all sorts inside one allocation, each beginning where the rule for addresses allows it.
std::vector<gpusnap_span> many_spans(uint64_t address, uint64_t size, size_t count) {
    std::vector<gpusnap_span> spans;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = i * 7919 * 16 % (size - 3 * 4096) / 16 * 16;
        spans.push_back({address + offset, 1 + i * 37 % (3 * 4096)});
    }
    return spans;
}

void refused(const std::vector<gpusnap_span>& spans, const char* reason) {
    std::vector<gpusnap_digest> digests(spans.size());
    CHECK_EQUAL(gpusnap_digest_device(0, spans.data(), spans.size(), digests.data()), GPUSNAP_E_INVALID);
    CHECK(last_error().find(reason) != std::string::npos);
}

}  // namespace

TEST("the digests of the test vectors are those of docs/formats.md") {
    struct Vector {
        uint64_t size;
        const char* digest;
    };
    const std::vector<Vector> vectors = {
        {4096, "848eb1ae67312dbe55f4751dfd0da669e0a532ee704ddbee62ce3e1025295888"},
        {4097, "128baa53a2f93a7134128dfb8dc43f96b1dfec0d36b04eca09e8bd6474b6c0b9"},
        {8192, "7db02e28e6806099171f75e293ac2d971d14c4687cf6c232ee7ca888ce2db0b7"},
        {131072, "974317c1555402a0129757b78fd924bc4ee5ba38d391427b63424f3938c12a72"},
        {1048577, "b20be1b7b47d15b642ca73885b1989c84ff4b122777bad29a4761bedcb1e12eb"},
        {4194304, "f6b6ac0726e23f47f143f20cb0d2fc527532c70b223e8e62f7817c168f2a5ecf"}};
    Imported memory(chunk_bytes);
    Bytes content = counting(chunk_bytes);
    to_device(memory.address(), content);
    std::vector<gpusnap_span> spans;
    for (const Vector& vector : vectors) {
        spans.push_back({memory.address(), vector.size});
        CHECK_EQUAL(tree_digest(content.data(), vector.size), std::string(vector.digest));
    }
    auto digests = digests_of(spans);
    for (size_t i = 0; i < vectors.size(); i++) {
        CHECK_EQUAL(hex(digests[i]), std::string(vectors[i].digest));
        CHECK_EQUAL(static_cast<int>(digests[i].zero), 0);
    }
    // Alone, too: a group of one is launched differently.
    CHECK_EQUAL(hex(digests_of({spans[4]})[0]), std::string(vectors[4].digest));
}

TEST("digests are right for every size around the ends of blocks and leaves") {
    Imported memory(chunk_bytes);
    Bytes content = noise(chunk_bytes, 1);
    to_device(memory.address(), content);
    std::vector<gpusnap_span> spans;
    auto add = [&](uint64_t size) { spans.push_back({memory.address() + spans.size() * 48 % mib, size}); };
    for (uint64_t size = 1; size <= 200; size++) {
        add(size);
    }
    for (uint64_t around : {4096ull, 8192ull, 131072ull, 2097152ull}) {
        for (int64_t away : {-65, -64, -63, -9, -8, -1, 0, 1, 8, 9, 55, 56, 57, 63, 64, 65}) {
            add(around + away);
        }
    }
    check_digests(spans, memory.address(), content);
}

TEST("a span is called zero when it has no other byte, and has its digest all the same") {
    Imported memory(3 * chunk_bytes);
    Bytes content(3 * chunk_bytes);
    for (size_t i : {size_t(0), size_t(chunk_bytes) - 1, size_t(chunk_bytes) + 4096}) {
        content[i] = 1;
        to_device(memory.address(), content);
        check_digests({{memory.address(), chunk_bytes},
                       {memory.address() + chunk_bytes, chunk_bytes},
                       {memory.address() + 2 * chunk_bytes, chunk_bytes},
                       {memory.address() + 16, 4096},
                       {memory.address() + chunk_bytes - 4096, 4095},
                       {memory.address() + chunk_bytes - 4096, 4096},
                       {memory.address() + 2 * chunk_bytes, 1}},
                      memory.address(), content);
        content[i] = 0;
    }
}

TEST("thousands of spans are digested in one call") {
    Imported memory(8 * mib);
    Bytes content = noise(8 * mib, 2);
    to_device(memory.address(), content);
    check_digests(many_spans(memory.address(), content.size(), 5000), memory.address(), content);
    check_digests(many_spans(memory.address(), content.size(), 2048), memory.address(), content);
}

TEST("threads digest and copy at the same time") {
    uint64_t free = gpu_info().free_bytes;
    std::optional<Imported> memory(std::in_place, 8 * mib);
    uint64_t address = memory->address();
    Bytes content = noise(8 * mib, 3);
    to_device(address, content);
    std::vector<std::string> problems(4);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < problems.size(); t++) {
        threads.emplace_back([&, t] {
            try {
                for (int round = 0; round < 10; round++) {
                    check_digests(many_spans(address + t * 16, 4 * mib, 40 + 50 * t), address, content);
                    CHECK(from_device(address, 1000 + t) == Bytes(content.begin(), content.begin() + 1000 + t));
                }
            } catch (const std::exception& problem) {
                problems[t] = problem.what();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const std::string& problem : problems) {
        CHECK_EQUAL(problem, std::string());
    }
    if (driver_info().simulated) {
        memory.reset();  // until then scratch memory is kept for the next call
        CHECK_EQUAL(gpu_info().free_bytes, free);
    }
}

TEST("a copy to the device digests what the device then holds") {
    Imported memory(16 * mib);
    Pool pool(16 * mib);
    Bytes content = noise(16 * mib, 4);
    std::memcpy(pool.base(), content.data(), content.size());
    // Some continue, some do not, some are short.
    std::vector<gpusnap_copy_item> items = {{memory.address(), pool.base(), chunk_bytes},
                                            {memory.address() + chunk_bytes, pool.base() + chunk_bytes, chunk_bytes},
                                            {memory.address() + 2 * chunk_bytes, pool.base() + 3 * chunk_bytes, 1000},
                                            {memory.address() + 3 * chunk_bytes, pool.base() + 2 * chunk_bytes, chunk_bytes}};
    std::vector<gpusnap_digest> digests(items.size());
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, items.data(), items.size(), digests.data()));
    for (size_t i = 0; i < items.size(); i++) {
        const auto* sent = static_cast<const unsigned char*>(items[i].host_address);
        CHECK_EQUAL(hex(digests[i]), tree_digest(sent, items[i].size_bytes));
        CHECK(from_device(items[i].device_address, items[i].size_bytes) == Bytes(sent, sent + items[i].size_bytes));
    }
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, nullptr, 0, digests.data()));
}

TEST("copies of items that continue are right across allocations and pinned regions") {
    Imported memory(chunk_bytes, 4);
    std::vector<std::unique_ptr<Pool>> pools;
    for (int i = 0; i < 4; i++) {
        pools.push_back(std::make_unique<Pool>(2 * chunk_bytes));
    }
    std::sort(pools.begin(), pools.end(), [](const auto& a, const auto& b) { return a->base() < b->base(); });
    size_t neighbours = 0;
    for (size_t i = 0; i + 1 < pools.size(); i++) {
        neighbours += pools[i]->base() + 2 * chunk_bytes == pools[i + 1]->base();
    }
    note(std::to_string(neighbours) + " of 3 pinned regions lie right behind another");
    // Quarters of chunks, over the four allocations in the order of their addresses, from the second half of one pool on.
    std::vector<gpusnap_copy_item> items;
    Bytes sent;
    for (uint64_t offset = 0; offset < 4 * chunk_bytes; offset += mib) {
        uint64_t host = offset + chunk_bytes;
        char* from = pools.at(host / (2 * chunk_bytes))->base() + host % (2 * chunk_bytes);
        Bytes part = noise(mib, offset);
        std::memcpy(from, part.data(), part.size());
        sent.insert(sent.end(), part.begin(), part.end());
        items.push_back({memory.address(offset / chunk_bytes) + offset % chunk_bytes, from, mib});
    }
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, items.data(), items.size(), nullptr));
    for (size_t i = 0; i < 4; i++) {
        Bytes expected(sent.begin() + i * chunk_bytes, sent.begin() + (i + 1) * chunk_bytes);
        CHECK(from_device(memory.address(i), chunk_bytes) == expected);
    }
    for (const gpusnap_copy_item& item : items) {
        std::memset(item.host_address, 0, item.size_bytes);
    }
    OK(gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, items.data(), items.size(), nullptr));
    for (size_t i = 0; i < items.size(); i++) {
        CHECK(std::memcmp(items[i].host_address, &sent[i * mib], mib) == 0);
    }
}

TEST("spans that a kernel must not read are refused before it starts") {
    Imported memory(chunk_bytes);
    uint64_t end = memory.address() + memory.size_bytes();
    refused({{memory.address(), 16}, {memory.address() + 8, 16}}, "span 1");
    refused({{memory.address(), 0}}, "1 byte to 4 MiB");
    refused({{memory.address(), chunk_bytes + 1}}, "1 byte to 4 MiB");
    refused({{0, 16}}, "multiple of 16");
    refused({{4096, 4096}}, "does not lie in one allocation");
    refused({{end - 16, 17}}, "does not lie in one allocation");
    gpusnap_digest digest{};
    gpusnap_span span{memory.address(), 16};
    CHECK_EQUAL(gpusnap_digest_device(0, nullptr, 1, &digest), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_digest_device(0, &span, 1, nullptr), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_digest_device(4711, &span, 1, &digest), GPUSNAP_E_INVALID);
    OK(gpusnap_digest_device(0, nullptr, 0, nullptr));

    Bytes host(8 * mib);
    gpusnap_copy_item item{memory.address(), host.data(), 4096};
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, &item, 1, &digest), GPUSNAP_E_INVALID);
    CHECK(last_error().find("to the device only") != std::string::npos);
    item.size_bytes = 0;
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, &digest), GPUSNAP_E_INVALID);
    item.size_bytes = chunk_bytes + 1;
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, &digest), GPUSNAP_E_INVALID);
    OK(gpusnap_digest_device(0, &span, 1, &digest));  // and the context lives on
}

TEST("a GPU with little free memory digests in smaller groups") {
    Imported memory(chunk_bytes);
    Bytes content = noise(chunk_bytes, 5);
    to_device(memory.address(), content);
    OK(gpusnap_digest_device(0, nullptr, 0, nullptr));  // the kernels are loaded
    Workload hog;
    uint64_t taken = hog.number("free-bytes") / (2 * mib) * (2 * mib) - 16 * mib;
    hog.tell("alloc dlsym " + std::to_string(taken));
    check_digests(many_spans(memory.address(), content.size(), 2048), memory.address(), content);
}

TEST("a GPU with no free memory says so, and digests when there is some again") {
    if (!driver_info().simulated) {
        skip("a real driver keeps some for itself");
    }
    Imported memory(chunk_bytes);
    Bytes content = noise(chunk_bytes, 8);
    to_device(memory.address(), content);
    auto spans = many_spans(memory.address(), content.size(), 2048);
    OK(gpusnap_digest_device(0, nullptr, 0, nullptr));  // the kernels are loaded
    Workload hog;
    hog.tell("alloc dlsym " + std::to_string(hog.number("free-bytes") / (2 * mib) * (2 * mib) - 16 * mib));
    while (hog.number("free-bytes") >= 2 * mib) {
        hog.tell("alloc dlsym " + std::to_string(2 * mib));
    }
    std::vector<gpusnap_digest> digests(spans.size());
    CHECK_EQUAL(gpusnap_digest_device(0, spans.data(), spans.size(), digests.data()), GPUSNAP_E_NO_DEVICE_MEMORY);
    CHECK(last_error().find("scratch memory") != std::string::npos);
    hog.kill();
    check_digests(spans, memory.address(), content);
}

TEST("a digest of more spans than any before says so when there is no page-locked memory for what it finds") {
    require_failures_on_order();
    Imported memory(chunk_bytes);
    Bytes content = noise(chunk_bytes, 7);
    to_device(memory.address(), content);
    auto spans = many_spans(memory.address(), content.size(), 20'000);
    std::vector<gpusnap_digest> digests(spans.size());
    for (const auto& [rule, status] : {std::pair{"cuMemHostAlloc=2", GPUSNAP_E_NO_HOST_MEMORY},
                                       std::pair{"cuMemHostAlloc=999", GPUSNAP_E_DRIVER}}) {
        Failures failures(rule);
        CHECK_EQUAL(gpusnap_digest_device(0, spans.data(), spans.size(), digests.data()), status);
        CHECK(last_error().find("cuMemHostAlloc") != std::string::npos);
    }
    check_digests(spans, memory.address(), content);
}

TEST("whichever driver call fails, a digest says so, holds nothing, and works the next time") {
    require_failures_on_order();
    Bytes content = noise(chunk_bytes, 6);
    uint64_t free = gpu_info().free_bytes;
    struct Case {
        const char* rule;
        gpusnap_status status;
        const char* text;
    };
    const std::vector<Case> cases = {{"cuCtxPushCurrent@1=201", GPUSNAP_E_DRIVER, "cuCtxPushCurrent"},
                                     {"cuMemAlloc=2", GPUSNAP_E_NO_DEVICE_MEMORY, "cuMemAlloc"},
                                     {"cuMemAlloc=999", GPUSNAP_E_DRIVER, "cuMemAlloc"},
                                     {"cuMemAlloc@2=2", GPUSNAP_OK, ""},
                                     {"cuMemAlloc@1=2", GPUSNAP_OK, ""},
                                     {"cuMemcpyHtoDAsync=700", GPUSNAP_E_DRIVER, "cuMemcpyHtoDAsync"},
                                     {"cuMemsetD8Async=999", GPUSNAP_E_DRIVER, "cuMemsetD8Async"},
                                     {"cuLaunchKernel@1=701", GPUSNAP_E_DRIVER, "cuLaunchKernel"},
                                     {"cuLaunchKernel@2=719", GPUSNAP_E_DRIVER, "cuLaunchKernel"},
                                     {"cuStreamSynchronize@1=719", GPUSNAP_E_DRIVER, "digests of device memory"},
                                     // the stock's streams were all destroyed by now
                                     {"cuStreamCreate=2", GPUSNAP_E_NO_DEVICE_MEMORY, "cuStreamCreate"}};
    for (const Case& each : cases) {
        std::string rule = each.rule;
        bool of_streams = rule.find("cuStream") != std::string::npos;  // whatever copies before leaves one in the stock
        std::optional<Imported> memory(std::in_place, chunk_bytes);
        auto spans = many_spans(memory->address(), content.size(), 100);
        std::vector<gpusnap_digest> digests(spans.size());
        if (!of_streams) {
            to_device(memory->address(), content);
        }
        {
            Failures failures(rule);
            gpusnap_status status = gpusnap_digest_device(0, spans.data(), spans.size(), digests.data());
            CHECK_EQUAL(rule + " gives " + std::to_string(status), rule + " gives " + std::to_string(each.status));
        }
        if (each.status == GPUSNAP_OK) {
            CHECK_EQUAL(hex(digests[99]), tree_digest(&content[spans[99].device_address - memory->address()],
                                                      spans[99].size_bytes));
        } else {
            CHECK(last_error().find(each.text) != std::string::npos);
        }
        if (!of_streams) {
            check_digests(spans, memory->address(), content);
        }
        memory.reset();
        CHECK_EQUAL(gpu_info().free_bytes, free);
    }

    // Behind a copy: the copies may have been made, the digests are not there.
    for (const char* rule : {"cuMemAlloc=2", "cuLaunchKernel@2=719", "cuMemcpyHtoDAsync@1=700", "cuMemcpyHtoDAsync@2=700",
                             "cuStreamWaitEvent=999", "cuEventRecord=999"}) {
        std::optional<Imported> memory(std::in_place, chunk_bytes);
        gpusnap_copy_item item{memory->address(), content.data(), chunk_bytes};
        gpusnap_digest digest{};
        {
            Failures failures(rule);
            CHECK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, &digest) != GPUSNAP_OK);
        }
        OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, &digest));
        CHECK_EQUAL(hex(digest), tree_digest(content.data(), content.size()));
        memory.reset();
        CHECK_EQUAL(gpu_info().free_bytes, free);
    }
}

TEST("a driver that does not take the kernels is told apart, and asked again") {
    require_failures_on_order();
    Workload workload;
    workload.tell("alloc dlsym " + std::to_string(chunk_bytes));
    pid_t role = start_role({"--digest-when-kernels-are-refused", std::to_string(workload.pid())});
    int status = 0;
    CHECK_EQUAL(waitpid(role, &status, 0), role);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 0);
}
