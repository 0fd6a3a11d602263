// The gate by itself.
#include "preload/gate.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "contract/harness.h"

using gpusnap::preload::Gate;
using gpusnap::preload::Pass;

namespace {

void await(const std::atomic<bool>& flag) {
    while (!flag) {
        std::this_thread::yield();
    }
}

}  // namespace

TEST("a closed gate lets nobody in, nested calls pass, and opening lets all in") {
    std::atomic<bool> inside{false};
    std::atomic<bool> leave{false};
    std::atomic<bool> nested{false};
    std::thread early([&] {
        Pass outer;
        inside = true;
        await(leave);
        Pass inner;  // the gate is closed by now
        nested = true;
    });
    await(inside);
    Gate::close();
    CHECK(!Gate::idle());
    std::atomic<int> entered{0};
    std::vector<std::thread> late;
    for (int i = 0; i < 4; i++) {
        late.emplace_back([&] {
            Pass pass;
            entered++;
        });
    }
    leave = true;
    await(nested);
    early.join();
    while (!Gate::idle()) {
        std::this_thread::yield();
    }
    CHECK_EQUAL(entered.load(), 0);
    Gate::open();
    for (std::thread& thread : late) {
        thread.join();
    }
    CHECK_EQUAL(entered.load(), 4);
}

TEST("a thread of ours passes a closed gate and is not waited for") {
    Gate::close();
    std::thread ours([] {
        Gate::exempt_this_thread();
        Pass pass;
    });
    ours.join();
    CHECK(Gate::idle());
    Gate::open();
}

// The one promise that counts: once close has returned and the gate is idle, no thread is inside.
TEST("no thread slips through while the gate closes and opens a thousand times") {
    std::atomic<bool> stop{false};
    std::atomic<bool> forbidden{false};
    std::atomic<int> violations{0};
    std::atomic<uint64_t> passes{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&] {
            while (!stop) {
                Pass pass;
                violations += forbidden.load() ? 1 : 0;
                passes++;
                violations += forbidden.load() ? 1 : 0;
            }
        });
    }
    for (int round = 0; round < 1000; round++) {
        Gate::close();
        while (!Gate::idle()) {
            std::this_thread::yield();
        }
        forbidden = true;
        uint64_t before = passes;
        std::this_thread::yield();
        CHECK_EQUAL(passes.load(), before);
        forbidden = false;
        Gate::open();
        while (passes == before) {
            std::this_thread::yield();
        }
    }
    stop = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK_EQUAL(violations.load(), 0);
}

TEST("threads that come and go reuse the slots of those that went") {
    for (int i = 0; i < 200; i++) {
        std::thread([] { Pass pass; }).join();
    }
    CHECK(Gate::idle());
}
