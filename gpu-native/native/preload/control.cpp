#include "preload/control.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "preload/blocks.h"
#include "preload/callbacks.h"
#include "preload/freeze.h"
#include "preload/gate.h"
#include "preload/log.h"
#include "preload/settings.h"
#include "preload/socket.h"
#include "preload/threads.h"

namespace gpusnap::preload {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t max_connections = 16;
constexpr uint64_t max_timeout_ms = 24 * 3600 * 1000;

// A QUIESCE whose reply waits for the application's callbacks.
struct PendingQuiesce {
    int connection;  // -1 once it is closed
    gpusnap_wire_header request;
    Clock::time_point deadline;
    Callbacks::RunPointer run;
};

class Control {
public:
    Control(int listener, int callbacks_ended, std::string path)
        : listener_(listener), callbacks_ended_(callbacks_ended), path_(std::move(path)) {}
    [[noreturn]] void run();
    void close_in_child();
    const std::string& path() const { return path_; }

private:
    int patience() const;
    void serve(size_t index);
    void hang_up(size_t index);
    // Nothing: the reply comes later.
    std::optional<Outcome> handle(int connection, const gpusnap_wire_header& request, std::vector<Descriptor> received,
                                  std::vector<char>* payload, std::vector<Descriptor>* descriptors);
    bool reply(int connection, const gpusnap_wire_header& request, const Outcome& outcome, std::vector<char> payload,
               const std::vector<Descriptor>& descriptors);
    std::optional<Outcome> begin_quiesce(int connection, const gpusnap_wire_header& request);
    void go_on_quiescing();
    Outcome step(int connection, const gpusnap_wire_header& request);
    Outcome take_over(int connection);
    Outcome records(const gpusnap_wire_header& request, bool with_descriptors, std::vector<char>* payload,
                    std::vector<Descriptor>* descriptors);
    void hints(const gpusnap_wire_header& request, std::vector<char>* payload);
    Outcome gpus(const gpusnap_wire_header& request, std::vector<char>* payload);

    int listener_;
    int callbacks_ended_;  // an eventfd
    std::string path_;
    std::vector<int> connections_;
    int owner_ = -1;  // the connection that froze this process, or is about to
    std::optional<PendingQuiesce> pending_;
    Freeze freeze_;
};

Control* control = nullptr;
std::atomic<pid_t> control_pid{0};

template <typename Record>
void page(const std::vector<Record>& batch, size_t total, std::vector<char>* payload) {
    gpusnap_wire_records counts{static_cast<uint32_t>(total), static_cast<uint32_t>(batch.size())};
    payload->resize(sizeof counts + batch.size() * sizeof(Record));
    std::memcpy(payload->data(), &counts, sizeof counts);
    if (!batch.empty()) {
        std::memcpy(payload->data() + sizeof counts, batch.data(), batch.size() * sizeof(Record));
    }
}

// The records from an index on, as many as a reply takes.
template <typename Record>
std::vector<Record> batch_from(const std::vector<Record>& all, uint64_t first) {
    size_t start = static_cast<size_t>(std::min<uint64_t>(first, all.size()));
    size_t end = std::min(all.size(), start + GPUSNAP_WIRE_MAX_RECORDS);
    return {all.begin() + static_cast<ptrdiff_t>(start), all.begin() + static_cast<ptrdiff_t>(end)};
}

void Control::run() {
    for (;;) {
        std::vector<pollfd> waiting;
        // A full house is not polled for more; callers wait in the backlog.
        waiting.push_back({connections_.size() < max_connections ? listener_ : -1, POLLIN, 0});
        waiting.push_back({callbacks_ended_, POLLIN, 0});
        for (int connection : connections_) {
            // One that waits for its reply has nothing to say, but it may hang up.
            bool silent = pending_ && pending_->connection == connection;
            waiting.push_back({connection, static_cast<short>(silent ? 0 : POLLIN), 0});
        }
        int ready = poll(waiting.data(), waiting.size(), patience());
        if (pending_) {
            go_on_quiescing();
        }
        if (ready <= 0) {
            continue;  // late callbacks, or interrupted, by a dump and restore for one
        }
        if (waiting[1].revents != 0) {
            eventfd_t ignored = 0;
            eventfd_read(callbacks_ended_, &ignored);
        }
        for (size_t i = waiting.size() - 1; i > 1; i--) {
            if (waiting[i].revents != 0 && i - 2 < connections_.size() && connections_[i - 2] == waiting[i].fd) {
                serve(i - 2);
            }
        }
        if (waiting[0].revents != 0) {
            int connection = accept_peer(listener_);
            if (connection >= 0) {
                connections_.push_back(connection);
            }
        }
    }
}

// Milliseconds until the callbacks are late, -1 while there are none.
int Control::patience() const {
    if (!pending_) {
        return -1;
    }
    auto left = std::chrono::ceil<std::chrono::milliseconds>(pending_->deadline - Clock::now()).count();
    return static_cast<int>(std::max<int64_t>(left, 0));
}

void Control::hang_up(size_t index) {
    int connection = connections_[index];
    connections_.erase(connections_.begin() + static_cast<ptrdiff_t>(index));
    if (pending_ && pending_->connection == connection) {
        pending_->connection = -1;
    }
    if (owner_ == connection) {
        owner_ = -1;
        freeze_.owner_lost();
    }
    close(connection);
}

void Control::serve(size_t index) {
    int connection = connections_[index];
    gpusnap_wire_header request{};
    std::vector<Descriptor> received;
    if ((pending_ && pending_->connection == connection) || !receive_request(connection, &request, &received)) {
        hang_up(index);
        return;
    }
    std::vector<char> payload;
    std::vector<Descriptor> descriptors;
    std::optional<Outcome> outcome = handle(connection, request, std::move(received), &payload, &descriptors);
    if (outcome && !reply(connection, request, *outcome, std::move(payload), descriptors)) {
        hang_up(index);
    }
}

bool Control::reply(int connection, const gpusnap_wire_header& request, const Outcome& outcome, std::vector<char> payload,
                    const std::vector<Descriptor>& descriptors) {
    if (outcome.ok()) {
        return send_reply(connection, request, outcome.status, payload, descriptors);
    }
    log(Level::info, "request %u refused: %s", request.verb, outcome.text.c_str());
    payload.assign(outcome.text.begin(), outcome.text.end());
    return send_reply(connection, request, outcome.status, payload, {});
}

std::optional<Outcome> Control::handle(int connection, const gpusnap_wire_header& request, std::vector<Descriptor> received,
                                       std::vector<char>* payload, std::vector<Descriptor>* descriptors) {
    if (request.version != GPUSNAP_WIRE_VERSION) {
        return Outcome{GPUSNAP_E_PROTOCOL, "this preload speaks protocol " + std::to_string(GPUSNAP_WIRE_VERSION) +
                                               ", not " + std::to_string(request.version)};
    }
    switch (request.verb) {
        case GPUSNAP_WIRE_STATUS: {
            gpusnap_wire_status status = freeze_.describe();
            payload->resize(sizeof status);
            std::memcpy(payload->data(), &status, sizeof status);
            return Outcome{};
        }
        case GPUSNAP_WIRE_LIST:
            return records(request, false, payload, descriptors);
        case GPUSNAP_WIRE_HINTS:
            hints(request, payload);
            return Outcome{};
        case GPUSNAP_WIRE_GPUS:
            return gpus(request, payload);
        case GPUSNAP_WIRE_EXPORT:
        case GPUSNAP_WIRE_QUIESCE:
        case GPUSNAP_WIRE_RELEASE:
        case GPUSNAP_WIRE_GIVE_BACK:
        case GPUSNAP_WIRE_GIVE_AHEAD:
        case GPUSNAP_WIRE_REMAP:
        case GPUSNAP_WIRE_RESUME: {
            Outcome outcome = take_over(connection);
            if (!outcome.ok()) {
                return outcome;
            }
            return request.verb == GPUSNAP_WIRE_EXPORT    ? records(request, true, payload, descriptors)
                   : request.verb == GPUSNAP_WIRE_QUIESCE ? begin_quiesce(connection, request)
                   : request.verb == GPUSNAP_WIRE_GIVE_BACK
                       ? freeze_.give_back(static_cast<size_t>(request.argument), std::move(received))
                   : request.verb == GPUSNAP_WIRE_GIVE_AHEAD
                       ? freeze_.give_ahead(static_cast<size_t>(request.argument), std::move(received))
                       : step(connection, request);
        }
        default:
            return Outcome{GPUSNAP_E_PROTOCOL, "unknown request " + std::to_string(request.verb)};
    }
}

// A freeze that lost its daemon waits for the next one.
Outcome Control::take_over(int connection) {
    if (owner_ >= 0 && owner_ != connection) {
        return {GPUSNAP_E_STATE, pending_ ? "another connection is about to freeze this process"
                                          : "another connection holds this process frozen"};
    }
    if (freeze_.state() != GPUSNAP_TARGET_RUNNING) {
        owner_ = connection;
    }
    return {};
}

std::optional<Outcome> Control::begin_quiesce(int connection, const gpusnap_wire_header& request) {
    Outcome outcome = freeze_.may_quiesce();
    if (!outcome.ok()) {
        return outcome;
    }
    if (pending_) {
        return Outcome{GPUSNAP_E_STATE, "callbacks of the application still run for a quiesce whose connection is closed"};
    }
    auto deadline = Clock::now() + std::chrono::milliseconds(std::min(request.argument, max_timeout_ms));
    if (Callbacks::get().concern_a_quiesce()) {
        int wake = callbacks_ended_;
        auto run = Callbacks::get().start_quiesce(deadline, [wake] { eventfd_write(wake, 1); });
        if (run == nullptr) {
            return Outcome{GPUSNAP_E_NO_HOST_MEMORY, "no thread can be started for the application's callbacks"};
        }
        pending_ = PendingQuiesce{connection, request, deadline, run};
        owner_ = connection;
        return std::nullopt;
    }
    outcome = freeze_.quiesce(deadline);
    owner_ = freeze_.state() == GPUSNAP_TARGET_RUNNING ? -1 : connection;
    return outcome;
}

// The callbacks are back, or late, or still at it.
void Control::go_on_quiescing() {
    Outcome outcome;
    bool back = Callbacks::get().collect(pending_->run, &outcome);
    if (!back && Clock::now() < pending_->deadline) {
        return;
    }
    PendingQuiesce quiesce = *std::exchange(pending_, std::nullopt);
    if (!back) {
        outcome = Callbacks::get().give_up(quiesce.run);
    } else if (outcome.ok() && quiesce.connection >= 0) {
        outcome = freeze_.quiesce(quiesce.deadline);
    }
    bool frozen = freeze_.state() != GPUSNAP_TARGET_RUNNING;
    if (!frozen) {
        Callbacks::get().resume(GPUSNAP_HINT_GIVEN_UP);
    }
    owner_ = frozen ? quiesce.connection : -1;
    if (quiesce.connection >= 0 && !reply(quiesce.connection, quiesce.request, outcome, {}, {})) {
        auto at = std::find(connections_.begin(), connections_.end(), quiesce.connection);
        hang_up(static_cast<size_t>(at - connections_.begin()));
    }
}

Outcome Control::step(int connection, const gpusnap_wire_header& request) {
    Outcome outcome;
    switch (request.verb) {
        case GPUSNAP_WIRE_RELEASE:
            outcome = freeze_.release();
            break;
        case GPUSNAP_WIRE_REMAP:
            outcome = freeze_.remap();
            break;
        default:
            outcome = freeze_.resume();
            break;
    }
    owner_ = freeze_.state() == GPUSNAP_TARGET_RUNNING ? -1 : connection;
    return outcome;
}

Outcome Control::records(const gpusnap_wire_header& request, bool with_descriptors, std::vector<char>* payload,
                         std::vector<Descriptor>* descriptors) {
    std::vector<gpusnap_wire_record> batch;
    size_t total = 0;
    Outcome outcome;
    if (with_descriptors) {
        outcome = freeze_.export_memory(request.argument, &batch, descriptors, &total);
    } else {
        std::vector<gpusnap_wire_record> all;
        outcome = freeze_.list(&all);
        total = all.size();
        batch = batch_from(all, request.argument);
    }
    page(batch, total, payload);
    return outcome;
}

void Control::hints(const gpusnap_wire_header& request, std::vector<char>* payload) {
    std::vector<gpusnap_wire_hint> all;
    freeze_.hints(&all);
    page(batch_from(all, request.argument), all.size(), payload);
}

Outcome Control::gpus(const gpusnap_wire_header& request, std::vector<char>* payload) {
    std::vector<gpusnap_wire_gpu> all;
    Outcome outcome = freeze_.gpus(&all);
    page(batch_from(all, request.argument), all.size(), payload);
    return outcome;
}

void Control::close_in_child() {
    close(listener_);
    close(callbacks_ended_);
    for (int connection : connections_) {
        close(connection);
    }
}

// The driver does not work in a forked child and the control thread is not there: leave the parent's socket alone.
void after_fork_in_child() {
    BlockTable::get().after_fork_in_child();
    Gate::abandon();
    if (control != nullptr) {
        control->close_in_child();
    }
}

void remove_socket_at_exit() {
    if (control != nullptr && getpid() == control_pid) {
        unlink(control->path().c_str());
    }
}

void* control_thread(void* argument) {
    Gate::exempt_this_thread();
    static_cast<Control*>(argument)->run();
}

void start() {
    std::string path;
    int listener = open_listener(Settings::get().socket_directory, &path);
    if (listener < 0) {
        return;
    }
    int callbacks_ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (callbacks_ended < 0) {
        log(Level::error, "eventfd: %s; this process cannot be frozen", std::strerror(errno));
        unlink(path.c_str());
        close(listener);
        return;
    }
    control = new Control(listener, callbacks_ended, path);
    control_pid = getpid();
    pthread_atfork([] { BlockTable::get().before_fork(); }, [] { BlockTable::get().after_fork_in_parent(); },
                   after_fork_in_child);
    std::atexit(remove_socket_at_exit);
    BlockedSignals blocked;
    pthread_t thread{};
    int error = pthread_create(&thread, nullptr, control_thread, control);
    if (error != 0) {
        log(Level::error, "cannot start the control thread: %s; this process cannot be frozen", std::strerror(error));
        return;
    }
    pthread_setname_np(thread, "gpusnap-ctl");
    pthread_detach(thread);
    log(Level::info, "listening on %s", path.c_str());
}

}  // namespace

bool in_forked_child() {
    pid_t owner = control_pid;
    return owner != 0 && owner != getpid();
}

void start_control() {
    static std::once_flag once;
    std::call_once(once, start);
}

}  // namespace gpusnap::preload
