#include "contract/cycle.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "contract/device_memory.h"
#include "contract/fixture.h"
#include "contract/harness.h"

namespace contract {
namespace {

constexpr uint64_t pool_bytes = 3 * chunk_bytes;  // a slot an allocation
constexpr uint64_t span_bytes = 64 << 10;

struct StepFailed {
    std::string step;
    gpusnap_status status;
    std::string text;
};

void step(const char* name, gpusnap_status status) {
    if (status != GPUSNAP_OK) {
        throw StepFailed{name, status, last_error()};
    }
}

struct PoolClosing {
    void operator()(gpusnap_pool* pool) const { gpusnap_pool_close(pool); }
};
struct AheadClosing {
    void operator()(gpusnap_ahead* ahead) const { gpusnap_ahead_close(ahead); }
};
struct TargetClosing {
    void operator()(gpusnap_target* target) const { gpusnap_target_close(target); }
};

class Cycle {
public:
    Cycle(pid_t pid, std::string pool_path) : pid_(pid), pool_path_(std::move(pool_path)) {}

    // before_thaw() is called when all is saved and nothing has come back.
    void run(const std::function<void()>& before_thaw) {
        start();
        save();
        before_thaw();
        make_ahead();
        restore();
        fill();
        step("close", gpusnap_ahead_close(ahead_.release()));
        pool_.reset();
    }

    // As the daemon does: whatever failed, the state tells what is left to do.
    void undo() {
        if (target_ == nullptr) {
            return;
        }
        gpusnap_target_unimport(target_.get());
        ahead_.reset();
        int32_t state = -1;
        OK(gpusnap_process_query(pid_, &state));
        if (state == GPUSNAP_PROCESS_CHECKPOINTED) {
            OK(gpusnap_process_restore(pid_, nullptr, 0));
        }
        if (state != GPUSNAP_PROCESS_RUNNING) {
            OK(gpusnap_process_unlock(pid_));
        }
        switch (target_state()) {
            case GPUSNAP_TARGET_RUNNING:
                return;
            case GPUSNAP_TARGET_QUIESCED:
                OK(gpusnap_target_resume(target_.get()));
                return;
            default:
                fill();
        }
    }

private:
    void start() {
        gpusnap_init_args init{sizeof init, GPUSNAP_ABI_VERSION, nullptr};
        step("init", gpusnap_init(&init));
        gpusnap_driver_info driver{};
        driver.struct_size = sizeof driver;
        step("driver", gpusnap_driver_query(&driver));
        for (uint32_t ordinal = 0; ordinal < driver.gpu_count; ordinal++) {
            gpusnap_gpu_info gpu{};
            gpu.struct_size = sizeof gpu;
            step("inventory", gpusnap_gpu_query(ordinal, &gpu));
        }
        step("kernels", gpusnap_digest_device(0, nullptr, 0, nullptr));
        gpusnap_pool_args args{sizeof args, 0, pool_path_.c_str(), pool_bytes};
        gpusnap_pool* pool = nullptr;
        step("pool", gpusnap_pool_open(&args, &pool));
        pool_.reset(pool);
        if (target_ == nullptr) {
            gpusnap_target* target = nullptr;
            step("open", gpusnap_target_open(pid_, nullptr, 10'000, &target));
            target_.reset(target);
        }
    }

    void save() {
        step("quiesce", gpusnap_target_quiesce(target_.get(), 10'000));
        import();
        std::vector<gpusnap_span> spans;
        for (const gpusnap_copy_item& item : items_) {
            spans.push_back({item.device_address, span_bytes});
        }
        std::vector<gpusnap_digest> digests(spans.size());
        step("digest", gpusnap_digest_device(0, spans.data(), spans.size(), digests.data()));
        step("save", gpusnap_copy(0, GPUSNAP_DEVICE_TO_HOST, items_.data(), items_.size(), nullptr));
        step("unimport", gpusnap_target_unimport(target_.get()));
        step("release", gpusnap_target_release(target_.get()));
        step("lock", gpusnap_process_lock(pid_, 10'000));
        step("checkpoint", gpusnap_process_checkpoint(pid_));
    }

    // The first of the allocations; the other one comes fresh.
    void make_ahead() {
        gpusnap_ahead_item item{first_.id, first_.size_bytes, 0, first_.gpu_ordinal, 0};
        gpusnap_ahead* ahead = nullptr;
        step("ahead", gpusnap_ahead_open(&item, 1, &ahead));
        ahead_.reset(ahead);
        size_t left = 0;
        step("make", gpusnap_ahead_make_next(ahead, &left));
        CHECK_EQUAL(left, 0u);
    }

    void restore() {
        int32_t state = -1;
        step("state", gpusnap_process_query(pid_, &state));
        CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_CHECKPOINTED));
        ::kill(pid_, SIGSTOP);
        gpusnap_still* still = nullptr;
        gpusnap_status stilled = gpusnap_process_still(pid_, &still);
        ::kill(pid_, SIGCONT);
        step("still", stilled);
        gpusnap_status restored = gpusnap_process_restore(pid_, nullptr, 0);
        gpusnap_still_end(still);
        step("restore", restored);
        step("unlock", gpusnap_process_unlock(pid_));
        step("state", gpusnap_process_query(pid_, &state));
        CHECK_EQUAL(state, static_cast<int32_t>(GPUSNAP_PROCESS_RUNNING));
    }

    // RELEASED or REMAPPED to RUNNING.
    void fill() {
        if (target_state() == GPUSNAP_TARGET_RELEASED) {
            if (ahead_ != nullptr) {
                step("give", gpusnap_target_give_ahead(target_.get(), ahead_.get()));
            }
            step("remap", gpusnap_target_remap(target_.get()));
        }
        import();
        for (const gpusnap_copy_item& item : items_) {
            step("zero", gpusnap_fill_zero(0, item.device_address, item.size_bytes));
        }
        std::vector<gpusnap_digest> digests(items_.size());
        step("fill", gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, items_.data(), items_.size(), digests.data()));
        step("unimport", gpusnap_target_unimport(target_.get()));
        step("resume", gpusnap_target_resume(target_.get()));
    }

    void import() {
        step("import", gpusnap_target_import(target_.get(), nullptr));
        size_t count = 0;
        step("list", gpusnap_target_allocations(target_.get(), nullptr, 0, &count));
        std::vector<gpusnap_allocation> all(count);
        step("list", gpusnap_target_allocations(target_.get(), all.data(), all.size(), &count));
        first_ = all.at(0);
        items_.clear();
        char* host = static_cast<char*>(gpusnap_pool_base(pool_.get()));
        for (const gpusnap_allocation& allocation : all) {
            CHECK(allocation.size_bytes <= chunk_bytes && (items_.size() + 1) * chunk_bytes <= pool_bytes);
            items_.push_back({allocation.local_address, host + items_.size() * chunk_bytes, allocation.size_bytes});
        }
    }

    uint32_t target_state() const {
        gpusnap_target_status status{};
        status.struct_size = sizeof status;
        OK(gpusnap_target_query(target_.get(), &status));
        return status.state;
    }

    pid_t pid_;
    std::string pool_path_;
    std::unique_ptr<gpusnap_pool, PoolClosing> pool_;
    std::unique_ptr<gpusnap_target, TargetClosing> target_;
    std::unique_ptr<gpusnap_ahead, AheadClosing> ahead_;
    gpusnap_allocation first_{};
    std::vector<gpusnap_copy_item> items_;
};

}  // namespace

CycleReport CycleReport::read(const std::string& path) {
    std::ifstream file(path);
    CycleReport report;
    file >> report.step >> report.status >> report.free_bytes;
    std::getline(file >> std::ws, report.text);
    if (report.step.empty()) {
        throw Failed("the daemon's role has left no report");
    }
    return report;
}

int cycle_with_a_failure(char** arguments) {
    const pid_t pid = std::atoi(arguments[0]);
    const std::string rule = arguments[1];
    const std::string when = arguments[2];
    const std::string whose = arguments[3];
    const std::string report = arguments[4];
    const pid_t failing = whose == of_the_daemon ? getpid() : pid;
    std::optional<Failures> failures;
    if (when == from_the_start) {
        failures.emplace(rule, failing);
    }
    Cycle cycle(pid, report + ".pool");
    StepFailed failed{"-", GPUSNAP_OK, ""};
    try {
        cycle.run([&] {
            if (when == from_the_thaw) {
                failures.emplace(rule, failing);
            }
        });
    } catch (const StepFailed& failure) {
        failed = failure;
    }
    failures.reset();
    const std::string fired = std::string(getenv("GPUSNAP_SIM_STATE_DIR")) + "/failed-" + std::to_string(failing);
    try {
        if (access(fired.c_str(), F_OK) == 0) {
            cycle.undo();
            cycle.run([] {});
        }
    } catch (const StepFailed& failure) {
        throw Failed("after " + failed.step + ": " + failure.step + ": " + failure.text);
    }
    std::ofstream(report) << failed.step << ' ' << failed.status << ' ' << gpu_info().free_bytes << '\n'
                          << failed.text << '\n';
    return 0;
}

}  // namespace contract
