#include "preload/callbacks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "preload/log.h"
#include "preload/threads.h"

namespace gpusnap::preload {
namespace {

uint32_t milliseconds_until(std::chrono::steady_clock::time_point deadline) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    return left > 0 ? static_cast<uint32_t>(std::min<int64_t>(left, UINT32_MAX)) : 0;
}

}  // namespace

Callbacks& Callbacks::get() {
    static Callbacks* only = new Callbacks();  // threads may outlive static destruction
    return *only;
}

void Callbacks::add(QuiesceCallback quiesce, ResumeCallback resume, void* user) {
    auto callback = std::make_shared<Callback>();
    callback->quiesce = quiesce;
    callback->resume = resume;
    callback->user = user;
    Lock lock(mutex_);
    registered_.push_back(std::move(callback));
}

bool Callbacks::remove(QuiesceCallback quiesce, ResumeCallback resume, void* user) {
    Lock lock(mutex_);
    auto found = std::find_if(registered_.rbegin(), registered_.rend(), [&](const auto& callback) {
        return callback->quiesce == quiesce && callback->resume == resume && callback->user == user;
    });
    if (found == registered_.rend()) {
        return false;
    }
    std::shared_ptr<Callback> callback = *found;
    callback->removed = true;  // runs that are under way know it by this
    registered_.erase(std::next(found).base());
    changed_.wait(lock, [&] { return !callback->running || pthread_equal(callback->thread, pthread_self()) != 0; });
    return true;
}

bool Callbacks::concern_a_quiesce() {
    Lock lock(mutex_);
    return !registered_.empty() || threads_ > 0;
}

bool Callbacks::any_before_a_freeze() {
    Lock lock(mutex_);
    return std::any_of(registered_.begin(), registered_.end(), [](const auto& one) { return one->quiesce != nullptr; });
}

std::vector<Callbacks::Group> Callbacks::groups() const {
    std::vector<Group> all;
    for (const auto& callback : registered_) {
        if (callback->quiesce != nullptr || all.empty()) {
            all.emplace_back();
        }
        if (callback->quiesce != nullptr) {
            all.back().quiesce = callback;
        } else {
            all.back().resumes.push_back(callback);
        }
    }
    return all;
}

Callbacks::RunPointer Callbacks::start_quiesce(Clock::time_point deadline, std::function<void()> at_end) {
    auto run = std::make_shared<Run>();
    run->deadline = deadline;
    run->at_end = std::move(at_end);
    Lock lock(mutex_);
    return start_thread([this, run] { run_quiesce(run); }) ? run : nullptr;
}

void Callbacks::run_quiesce(const RunPointer& run) {
    Lock lock(mutex_);
    Outcome outcome = call_all(lock, *run);
    bool undo = !outcome.ok() && !run->given_up;
    if (!run->given_up) {
        run->outcome = std::move(outcome);
        run->ended = true;
        run->at_end();
    }
    if (undo) {
        run->groups.resize(run->passed);
        call_resumes(lock, run->groups, GPUSNAP_HINT_GIVEN_UP);
    }
    thread_ends(lock);
}

Outcome Callbacks::call_all(Lock& lock, Run& run) {
    if (!changed_.wait_until(lock, run.deadline, [&] { return threads_ == 1; })) {
        return {GPUSNAP_E_TIMEOUT, "a callback of an earlier quiesce or resume has not returned yet"};
    }
    run.groups = groups();
    while (run.passed < run.groups.size() && !run.given_up) {
        const Group group = run.groups[run.passed];
        if (group.quiesce != nullptr && !group.quiesce->removed) {
            Outcome outcome = call_quiesce(lock, *group.quiesce, run.deadline);
            if (!outcome.ok()) {
                return outcome;
            }
        }
        if (run.given_up) {
            call_resumes(lock, {group}, GPUSNAP_HINT_GIVEN_UP);
            break;
        }
        run.passed++;
    }
    return {};
}

Outcome Callbacks::call_quiesce(Lock& lock, Callback& callback, Clock::time_point deadline) {
    char reason[GPUSNAP_HINT_REASON_BYTES] = {};
    int answer = 0;
    call_unlocked(lock, callback, [&] { answer = callback.quiesce(callback.user, milliseconds_until(deadline), reason); });
    if (answer == 0) {
        return {};
    }
    reason[sizeof reason - 1] = '\0';
    return {GPUSNAP_E_REFUSED, "a quiesce callback of the application refused: " +
                                   (reason[0] != '\0' ? std::string(reason) : "it answered " + std::to_string(answer))};
}

void Callbacks::call_resumes(Lock& lock, const std::vector<Group>& groups, gpusnap_hint_resume_reason reason) {
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        for (auto at = group->resumes.rbegin(); at != group->resumes.rend(); ++at) {
            Callback& callback = **at;
            if (!callback.removed) {
                call_unlocked(lock, callback, [&] { callback.resume(callback.user, reason); });
            }
        }
    }
}

template <typename Call>
void Callbacks::call_unlocked(Lock& lock, Callback& callback, Call&& call) {
    callback.running = true;
    callback.thread = pthread_self();
    lock.unlock();
    call();
    lock.lock();
    callback.running = false;
    changed_.notify_all();
}

bool Callbacks::collect(const RunPointer& run, Outcome* outcome) {
    Lock lock(mutex_);
    if (!run->ended) {
        return false;
    }
    *outcome = run->outcome;
    if (outcome->ok()) {
        quiesced_ = std::move(run->groups);
    }
    return true;
}

// "quiesce callback 2 of 3": they have no names.
std::string Callbacks::late_callback(const std::vector<Group>& groups, size_t passed) {
    if (passed >= groups.size()) {
        return "a callback of an earlier quiesce or resume of the application";
    }
    auto has_quiesce = [](const Group& group) { return group.quiesce != nullptr; };
    auto late = groups.begin() + static_cast<ptrdiff_t>(passed);
    return "quiesce callback " + std::to_string(std::count_if(groups.begin(), late + 1, has_quiesce)) + " of " +
           std::to_string(std::count_if(groups.begin(), groups.end(), has_quiesce)) + " of the application";
}

Outcome Callbacks::give_up(const RunPointer& run) {
    Lock lock(mutex_);
    if (run->ended && !run->outcome.ok()) {
        return run->outcome;  // at the last moment; its thread resumes
    }
    run->given_up = true;
    auto first_late = run->groups.begin() + static_cast<ptrdiff_t>(run->passed);
    std::string text = run->ended ? "the application's callbacks took all of the time"
                                  : late_callback(run->groups, run->passed) + " has not returned in time";
    start_resumes(lock, {run->groups.begin(), first_late}, GPUSNAP_HINT_GIVEN_UP);
    return {GPUSNAP_E_TIMEOUT, text};
}

void Callbacks::resume(gpusnap_hint_resume_reason reason) {
    Lock lock(mutex_);
    start_resumes(lock, std::exchange(quiesced_, {}), reason);
}

void Callbacks::start_resumes(Lock& lock, std::vector<Group> groups, gpusnap_hint_resume_reason reason) {
    bool any = std::any_of(groups.begin(), groups.end(), [](const Group& group) { return !group.resumes.empty(); });
    if (!any) {
        return;
    }
    bool started = start_thread([this, groups, reason] {
        Lock own(mutex_);
        call_resumes(own, groups, reason);
        thread_ends(own);
    });
    if (!started) {
        // The daemon gets its answers later, but the application does not stay stopped.
        call_resumes(lock, groups, reason);
    }
}

bool Callbacks::start_thread(std::function<void()> body) {
    BlockedSignals blocked;
    try {
        std::thread thread([body = std::move(body)] {
            pthread_setname_np(pthread_self(), "gpusnap-calls");
            body();
        });
        threads_++;
        thread.detach();
        return true;
    } catch (const std::system_error& error) {
        log(Level::error, "no thread for the application's callbacks: %s", error.what());
        return false;
    }
}

void Callbacks::thread_ends(Lock& lock) {
    threads_--;
    changed_.notify_all();
    lock.unlock();
}

}  // namespace gpusnap::preload
