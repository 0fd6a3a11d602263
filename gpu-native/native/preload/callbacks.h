// The application's own steps around a freeze (see gpusnap_hints.h), on threads of their own: the control thread has to
// answer meanwhile, and a callback may hang.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gpusnap_hints.h"
#include "preload/outcome.h"

namespace gpusnap::preload {

class Callbacks {
    struct Callback {
        gpusnap_hint_quiesce_callback quiesce = nullptr;
        gpusnap_hint_resume_callback resume = nullptr;  // one of the two
        void* user = nullptr;
        bool removed = false;
        bool running = false;
        pthread_t thread{};  // that runs it
    };
    // A quiesce callback and the resume callbacks registered before the next one. The first group may lack the former.
    struct Group {
        std::shared_ptr<Callback> quiesce;
        std::vector<std::shared_ptr<Callback>> resumes;
    };

public:
    using Clock = std::chrono::steady_clock;
    using QuiesceCallback = gpusnap_hint_quiesce_callback;
    using ResumeCallback = gpusnap_hint_resume_callback;

    // The quiesce callbacks of one request under way.
    struct Run {
        Clock::time_point deadline;
        std::function<void()> at_end;  // called by the run's thread
        std::vector<Group> groups;
        size_t passed = 0;      // groups whose quiesce callback is back
        bool ended = false;     // the outcome stands
        bool given_up = false;  // nobody waits for it any more
        Outcome outcome;
    };
    using RunPointer = std::shared_ptr<Run>;

    static Callbacks& get();

    void add(QuiesceCallback quiesce, ResumeCallback resume, void* user);
    // The newest that is the same; waits until it does not run, unless it is the caller. False when there is none.
    bool remove(QuiesceCallback quiesce, ResumeCallback resume, void* user);

    // ---- for the control thread ----
    // Whether a quiesce has callbacks to run, or earlier ones to wait for.
    bool concern_a_quiesce();
    // Whether the application does something of its own before a freeze.
    bool any_before_a_freeze();
    // Null when no thread can be had.
    RunPointer start_quiesce(Clock::time_point deadline, std::function<void()> at_end);
    // False while the run goes on. When it ended well its resume callbacks are kept for the next resume().
    bool collect(const RunPointer& run, Outcome* outcome);
    // The time is up. Those that were quiesced are resumed at once, on another thread, and the late one when it is back.
    Outcome give_up(const RunPointer& run);
    // Starts the resume callbacks of the last quiesce that ended well.
    void resume(gpusnap_hint_resume_reason reason);

private:
    using Lock = std::unique_lock<std::mutex>;

    std::vector<Group> groups() const;
    static std::string late_callback(const std::vector<Group>& groups, size_t passed);
    void run_quiesce(const RunPointer& run);
    Outcome call_all(Lock& lock, Run& run);
    Outcome call_quiesce(Lock& lock, Callback& callback, Clock::time_point deadline);
    void call_resumes(Lock& lock, const std::vector<Group>& groups, gpusnap_hint_resume_reason reason);
    void start_resumes(Lock& lock, std::vector<Group> groups, gpusnap_hint_resume_reason reason);
    // Its thread counts from now on.
    bool start_thread(std::function<void()> body);
    void thread_ends(Lock& lock);
    template <typename Call>
    void call_unlocked(Lock& lock, Callback& callback, Call&& call);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<Callback>> registered_;
    std::vector<Group> quiesced_;
    int threads_ = 0;
};

}  // namespace gpusnap::preload
