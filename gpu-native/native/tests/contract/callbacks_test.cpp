// The application's own steps before a freeze and after it.
#include <chrono>
#include <cstdint>
#include <thread>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

std::string events(Workload& workload) {
    std::string text;
    for (const std::string& event : workload.tell("events")) {
        text += (text.empty() ? "" : " ") + event;
    }
    return text;
}

// Resume callbacks run after the reply.
void await_events(Workload& workload, const std::string& expected) {
    for (int i = 0; i < 2000 && events(workload) != expected; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK_EQUAL(events(workload), expected);
}

void register_callbacks(Workload& workload, const std::string& name, const std::string& way = "") {
    for (const std::string& answer : workload.tell("callbacks " + name + " " + way)) {
        CHECK_EQUAL(answer, std::string("0"));
    }
}

void quiesce_in(std::thread& thread, gpusnap_target* target, uint32_t timeout_ms, gpusnap_status* status,
                std::string* error) {
    thread = std::thread([=] {
        *status = gpusnap_target_quiesce(target, timeout_ms);
        *error = last_error();
    });
}

struct Joined {
    std::thread thread;
    ~Joined() {
        if (thread.joinable()) {
            thread.join();
        }
    }
};

}  // namespace

TEST("callbacks run in their order before a freeze and in the reverse one after it") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    register_callbacks(workload, "a");
    register_callbacks(workload, "b", "use-device");
    register_callbacks(workload, "c");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    CHECK_EQUAL(events(workload), std::string("quiesce:a quiesce:b quiesce:c"));
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_QUIESCED));
    CHECK_EQUAL(target.status().allocation_count, 1u);
    OK(gpusnap_target_resume(target.get()));
    await_events(workload, "quiesce:a quiesce:b quiesce:c c:resumed b:resumed a:resumed");
    CHECK_EQUAL(workload.stderr_text(), std::string());
}

TEST("after memory was given back, resume callbacks are told that it is a thaw") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    register_callbacks(workload, "a", "use-device");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_release(target.get()));
    OK(gpusnap_target_remap(target.get()));
    CHECK_EQUAL(events(workload), std::string("quiesce:a"));
    OK(gpusnap_target_resume(target.get()));
    await_events(workload, "quiesce:a a:thawed");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    await_events(workload, "quiesce:a a:thawed quiesce:a a:resumed");
}

TEST("a callback that refuses fails the quiesce with its reason, and those before it are resumed") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    register_callbacks(workload, "a");
    register_callbacks(workload, "b", "refuse");
    register_callbacks(workload, "c");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_REFUSED);
    CHECK(last_error().find("b is busy, time is left") != std::string::npos);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    workload.tell("memset 0 1");  // the gate is open
    await_events(workload, "quiesce:a quiesce:b a:given-up");
    for (const std::string& answer : workload.tell("callbacks-off b")) {
        CHECK_EQUAL(answer, std::string("0"));
    }
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    await_events(workload, "quiesce:a quiesce:b a:given-up quiesce:a quiesce:c c:resumed a:resumed");
}

TEST("a callback that refuses without a word is told by its number") {
    Workload workload;
    Target target(workload);
    register_callbacks(workload, "a", "refuse-silently");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_REFUSED);
    CHECK(last_error().find("it answered 42") != std::string::npos);
}

TEST("a late callback is a time-out, and the process goes on without waiting for it") {
    Workload workload;
    Target target(workload);
    Target watcher(workload);
    workload.tell("alloc dlsym 5000000");
    register_callbacks(workload, "a");
    register_callbacks(workload, "b", "hang");
    register_callbacks(workload, "c");
    gpusnap_status status = GPUSNAP_OK;
    std::string error;
    {
        Joined waiting;
        quiesce_in(waiting.thread, target.get(), 3'000, &status, &error);
        await_events(workload, "quiesce:a quiesce:b");
        // Meanwhile the process answers as it is: running.
        CHECK_EQUAL(watcher.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
        CHECK_EQUAL(watcher.allocations().size(), 1u);
        CHECK_EQUAL(watcher.hints().size(), 0u);
        CHECK_EQUAL(gpusnap_target_quiesce(watcher.get(), 1'000), GPUSNAP_E_STATE);
        CHECK(last_error().find("another connection is about to freeze") != std::string::npos);
        CHECK_EQUAL(gpusnap_target_release(watcher.get()), GPUSNAP_E_STATE);
        workload.tell("memset 0 1");
    }
    CHECK_EQUAL(status, GPUSNAP_E_TIMEOUT);
    CHECK(error.find("quiesce callback 2 of 3") != std::string::npos);
    await_events(workload, "quiesce:a quiesce:b a:given-up");
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 200), GPUSNAP_E_TIMEOUT);
    CHECK(last_error().find("earlier quiesce or resume") != std::string::npos);
    workload.tell("callback-let-go b");
    await_events(workload, "quiesce:a quiesce:b a:given-up b:given-up");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    await_events(workload, "quiesce:a quiesce:b a:given-up b:given-up quiesce:a quiesce:b quiesce:c c:resumed b:resumed a:resumed");
}

TEST("a quiesce waits for the resume callbacks of the one before") {
    Workload workload;
    Target target(workload);
    register_callbacks(workload, "a", "hang-after");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 200), GPUSNAP_E_TIMEOUT);
    gpusnap_status status = GPUSNAP_OK;
    std::string error;
    {
        Joined waiting;
        quiesce_in(waiting.thread, target.get(), 30'000, &status, &error);
        workload.tell("callback-let-go a");
    }
    CHECK_EQUAL(status, GPUSNAP_OK);
    CHECK_EQUAL(events(workload), std::string("quiesce:a a:resumed quiesce:a"));
    OK(gpusnap_target_resume(target.get()));
}

TEST("a quiesce that fails after the callbacks is given up for them too") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("stream");
    workload.tell("capture-begin 0");
    workload.tell("memset-on 0 1 0");
    register_callbacks(workload, "a");
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 10'000), GPUSNAP_E_STATE);
    CHECK(last_error().find("recording a graph") != std::string::npos);
    await_events(workload, "quiesce:a a:given-up");
    workload.tell("capture-end 0");
}

TEST("a daemon that is gone while callbacks run leaves the process running") {
    Workload workload;
    workload.tell("alloc dlsym 5000000");
    register_callbacks(workload, "a");
    register_callbacks(workload, "b", "hang");
    gpusnap_status status = GPUSNAP_OK;
    Target target(workload);
    pid_t daemon = start_role({"--quiesce", std::to_string(workload.pid())});
    await_events(workload, "quiesce:a quiesce:b");
    end_role(daemon);
    // Refused, not forgotten: the callback may still be at it.
    do {
        status = gpusnap_target_quiesce(target.get(), 1'000);
    } while (last_error().find("another connection") != std::string::npos);
    CHECK_EQUAL(status, GPUSNAP_E_STATE);
    CHECK(last_error().find("connection is closed") != std::string::npos);
    workload.tell("callback-let-go b");
    await_events(workload, "quiesce:a quiesce:b b:given-up a:given-up");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}

TEST("a daemon that is gone from a quiesced process resumes the callbacks") {
    Workload workload;
    register_callbacks(workload, "a");
    {
        Target target(workload);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
    }
    await_events(workload, "quiesce:a a:resumed");
}
