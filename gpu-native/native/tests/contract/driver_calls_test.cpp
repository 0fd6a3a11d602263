// Every driver call of a whole cycle fails once, on either side of the socket.
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "contract/cycle.h"
#include "contract/device_memory.h"
#include "contract/fixture.h"
#include "contract/harness.h"
#include "contract/preload_calls.h"

using namespace contract;

namespace {

const std::vector<std::string> calls_of_the_daemon = {
#define DRIVER(name, parameters) #name,
#define OPTIONAL(name, parameters) #name,
#include "driver/functions.def"
#undef DRIVER
#undef OPTIONAL
};

// Which of the daemon's functions cannot fail in a cycle, and why not.
const std::map<std::string, std::string> not_called = {
    {"cuGetErrorName", "a word for a failure, asked for where another call has failed"},
    {"cuGetErrorString", "as above"},
    {"cuMemGetAddressRange_v2", "only asked about memory that is not imported; its failure is a span that is refused"}};

// Some are only called when another has failed.
const std::map<std::string, std::string> called_after = {{"cuStreamDestroy_v2", "cuMemcpyDtoHAsync@1"},
                                                         {"cuModuleUnload", "cuModuleGetFunction@1"},
                                                         {"cuStreamWaitEvent", "cuMemCreate@2=2,cuMemCreate@3=2"}};

// What a release that fails half-way calls to put everything back.
const std::map<std::string, std::string> fails_too_on_the_way_back = {{"cuMemMap", "cuMemUnmap@2,cuMemMap@1"},
                                                                      {"cuMemSetAccess", "cuMemUnmap@2,cuMemSetAccess@1"}};

// A failure of these may cost nothing that was asked for.
const Names tolerated_in_the_daemon = {"cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2", "cuMemFree_v2", "cuMemHostUnregister"};
const Names tolerated_in_the_workload = {"cuCtxGetCurrent", "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2",
                                         "cuMemImportFromShareableHandle"};  // of memory that was given: it is made anew

// Whoever called these may have memory until it ends, because the driver does not take it back.
const Names keeps_memory = {"cuMemFree_v2", "cuMemUnmap", "cuMemRelease", "cuCtxPushCurrent_v2"};

// Of most the first two calls fail, which stand for the others. These stand before every other, also on the ways back.
const Names fails_at_every_call = {"cuCtxPushCurrent_v2"};
constexpr int most_calls = 200;

constexpr uint64_t first_bytes = 4 * 1024 * 1024;
constexpr uint64_t second_bytes = 2 * 1024 * 1024;

std::unique_ptr<Workload> started() {
    auto workload = std::make_unique<Workload>();
    workload->tell("alloc dlsym " + std::to_string(first_bytes));
    workload->tell("alloc dlsym " + std::to_string(second_bytes));
    workload->tell("fill 0 1");
    workload->tell("fill 1 2");
    return workload;
}

// Rests in its pool, and its stream is gone.
void leave_freed_memory(Workload& workload) {
    std::string stream = workload.tell("stream").at(0);
    workload.tell("free " + workload.tell("alloc-on " + std::to_string(chunk_bytes) + " " + stream).at(0));
    workload.tell("stream-destroy " + stream);
}

struct Outcome {
    bool fired;
    CycleReport report;
};

Outcome cycle(const Workload& workload, const std::string& name, const std::string& rule, const char* when,
              const char* whose) {
    static int counter = 0;
    std::string path = scratch() + "/cycle-" + std::to_string(counter++);
    pid_t role = start_role({"--cycle", std::to_string(workload.pid()), rule, when, whose, path});
    int status = 0;
    CHECK_EQUAL(waitpid(role, &status, 0), role);
    std::string failed = failed_calls(whose == std::string(of_the_daemon) ? role : workload.pid());
    if (status != 0) {
        throw Failed(std::string(whose) + " " + rule + " " + when + ": the daemon did not come to an end, status " +
                     std::to_string(status));
    }
    Outcome outcome{!name.empty() && failed.find(name) != std::string::npos, CycleReport::read(path)};
    std::filesystem::remove(path);
    std::filesystem::remove(path + ".pool");
    return outcome;
}

void check_told(const CycleReport& report, const std::string& name, bool tolerated) {
    if (tolerated && report.step == "-") {
        return;
    }
    CHECK(report.step != "-");
    CHECK_EQUAL(report.status, static_cast<int>(name == "cuInit" ? GPUSNAP_E_NO_DRIVER : GPUSNAP_E_DRIVER));
    CHECK(report.text.find("CUDA_ERROR_UNKNOWN") != std::string::npos);
}

// One side's calls fail, one after the other.
class Side {
public:
    using Preparation = std::function<void(Workload&)>;

    // Each cycle is prepared anew.
    Side(const char* whose, const Names& tolerated, Preparation prepare = [](Workload&) {})
        : whose_(whose),
          in_the_workload_(whose_ == of_the_workload),
          tolerated_(tolerated),
          prepare_(std::move(prepare)),
          workload_(started()) {
        free_ = gpu_info().free_bytes;
        free_for_a_daemon_ = cycle(*workload_, "", "", from_the_start, of_the_daemon).report.free_bytes;
    }

    // Whether such a call was made at all.
    bool fail(const std::string& name, const std::string& rule, const char* when) {
        if (in_the_workload_ && keeps_memory.contains(name)) {
            // What earlier cycles gave it is somebody else's memory: where that stays, the driver makes no checkpoint of it.
            renew();
        }
        prepare_(*workload_);
        Outcome outcome = cycle(*workload_, name, rule, when, whose_.c_str());
        if (!outcome.fired) {
            return false;
        }
        failures_++;
        try {
            check(name, outcome.report);
        } catch (const Failed& problem) {
            throw Failed(whose_ + " " + rule + " " + when + ", failed in " + outcome.report.step + ": " +
                         outcome.report.text + ": " + problem.what());
        }
        return true;
    }

    int failures() const { return failures_; }

private:
    void renew() {
        workload_.reset();
        workload_ = started();
    }

    void check(const std::string& name, const CycleReport& report) {
        check_told(report, name, tolerated_.contains(name));
        CHECK_EQUAL(workload_->number("differs 0 1"), 0u);
        CHECK_EQUAL(workload_->number("differs 1 2"), 0u);
        if (!keeps_memory.contains(name)) {
            CHECK_EQUAL(report.free_bytes, free_for_a_daemon_);
        } else if (in_the_workload_) {
            renew();
        }
        CHECK_EQUAL(gpu_info().free_bytes, free_);
    }

    std::string whose_;
    bool in_the_workload_;
    const Names& tolerated_;
    Preparation prepare_;
    std::unique_ptr<Workload> workload_;
    uint64_t free_ = 0;
    uint64_t free_for_a_daemon_ = 0;
    int failures_ = 0;
};

// Two streams allocate, use and free, while some call fails: what the application is answered is kept to, and it is answered.
class InStreamOrder {
public:
    explicit InStreamOrder(const std::string& rule) : target_(workload_) {
        workload_.tell("pool-threshold 1000000000");
        workload_.tell("stream");
        workload_.tell("stream");
        Failures failures(rule, workload_.pid());
        play();
    }

    std::string failed() const { return failed_calls(workload_.pid()); }

    // Once nothing fails any more, nothing is left behind.
    void check() {
        workload_.tell("synchronize");
        workload_.tell("pool-trim 0");
        CHECK_EQUAL(target_.status().allocation_count, 0u);
        CHECK_EQUAL(target_.status().driver_bytes, 0u);
        CHECK_EQUAL(workload_.number("pool-attribute 7"), 0u);
        auto buffer = allocated(0);
        CHECK(buffer.has_value());
        fill_and_check(*buffer, 85, 0);
    }

private:
    using Index = std::optional<std::string>;

    Index allocated(int stream) {
        try {
            return workload_.tell("alloc-on 8388608 " + std::to_string(stream)).at(0);
        } catch (const Failed&) {
            return std::nullopt;
        }
    }

    // A free that fails is tried again: the failing call is over.
    void free(const Index& buffer) {
        try {
            workload_.tell("free " + *buffer);
        } catch (const Failed&) {
            workload_.tell("free " + *buffer);
        }
    }

    // Commands whose own driver call may be the failing one.
    void try_twice(const std::string& command) {
        try {
            workload_.tell(command);
        } catch (const Failed&) {
            workload_.tell(command);
        }
    }

    void fill_and_check(const std::string& buffer, uint64_t value, int stream) {
        workload_.tell("memset-on " + buffer + " " + std::to_string(value) + " " + std::to_string(stream));
        workload_.tell("stream-sync " + std::to_string(stream));
        CHECK_EQUAL(workload_.number("first-byte " + buffer), value);
        free(buffer);
    }

    void play() {
        Index first = allocated(0);
        workload_.tell("hold 0");
        if (first) {
            workload_.tell("memset-on " + *first + " 17 0");
            free(first);
        }
        Index second = allocated(1);  // while the first stream has not passed its free
        if (second) {
            workload_.tell("memset-on " + *second + " 34 1");
        }
        workload_.tell("let-go");
        workload_.tell("stream-sync 1");
        workload_.tell("stream-sync 0");
        Index third = allocated(1);  // and now that it has
        if (third) {
            fill_and_check(*third, 51, 1);
        }
        if (second) {
            CHECK_EQUAL(workload_.number("first-byte " + *second), 34u);
            free(second);
        }
        try_twice("stream-destroy 1");
        Index fourth = allocated(0);
        if (fourth) {
            fill_and_check(*fourth, 68, 0);
        }
        try_twice("pool-trim 0");
    }

    Workload workload_;
    Target target_;
};

void fail_each(Side& side, const std::vector<std::string>& names) {
    std::string untried;
    for (const std::string& name : names) {
        auto cause = called_after.find(name);
        std::string before = cause != called_after.end() ? cause->second + "," : "";
        bool tried = false;
        for (const char* when : {from_the_start, from_the_thaw}) {
            bool made = true;
            const int most = fails_at_every_call.contains(name) ? most_calls : 2;
            for (int nth = 1; nth <= most && made; nth++) {
                made = side.fail(name, before + name + "@" + std::to_string(nth), when);
                tried = tried || made;
            }
        }
        bool expected = !not_called.contains(name);
        untried += tried == expected ? "" : name + " ";
    }
    CHECK_EQUAL(untried, std::string());
    note(std::to_string(side.failures()) + " failures");
}

}  // namespace

TEST("whichever driver call of the library fails in a cycle, it says so, lets go of everything, and the next cycle works") {
    require_failures_on_order();
    Side daemon(of_the_daemon, tolerated_in_the_daemon);
    fail_each(daemon, calls_of_the_daemon);
}

TEST("whichever driver call of the workload fails in a cycle, the daemon is told, and the workload keeps what it had") {
    require_failures_on_order();
    Side preload(of_the_workload, tolerated_in_the_workload);
    fail_each(preload, calls_of_the_workload);
    for (const auto& [name, rule] : fails_too_on_the_way_back) {
        CHECK(preload.fail(name, rule, from_the_start));
    }
}

TEST("whichever driver call fails while freed memory is given back before a freeze, the freeze goes on") {
    require_failures_on_order();
    Side preload(of_the_workload, calls_for_freed_memory, leave_freed_memory);
    for (const std::string& name : calls_for_freed_memory) {
        CHECK(preload.fail(name, name + "@1", from_the_start));
    }
}

TEST("whichever driver call fails in stream-ordered allocation, no memory has two owners, and none is lost") {
    require_failures_on_order();
    std::string untried;
    for (const std::string& name : calls_in_stream_order) {
        auto cause = called_after.find(name);
        std::string before = cause != called_after.end() ? cause->second + "," : "";
        bool tried = false;
        for (int nth = 1; nth <= 2; nth++) {
            std::string rule = before + name + "@" + std::to_string(nth);
            try {
                InStreamOrder played(rule);
                tried = tried || played.failed().find(name) != std::string::npos;
                played.check();
            } catch (const Failed& problem) {
                throw Failed(rule + ": " + problem.what());
            }
        }
        untried += tried ? "" : name + " ";
    }
    CHECK_EQUAL(untried, std::string());
    InStreamOrder waited(called_after.at("cuStreamWaitEvent"));  // memory of the other stream, in its order
    waited.check();
}

TEST("a driver that does not let the preload into a context is not taken for an idle device") {
    require_failures_on_order();
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    workload.tell("stream");
    workload.tell("hold 0");
    workload.tell("memset-on 0 1 0");
    {
        Failures failures("cuCtxPushCurrent", workload.pid());
        CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 1'000), GPUSNAP_E_DRIVER);
    }
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
    workload.tell("let-go");
    workload.tell("synchronize");
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}
