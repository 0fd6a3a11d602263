#include "preload/control.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "preload/freeze.h"
#include "preload/gate.h"
#include "preload/log.h"
#include "preload/settings.h"
#include "preload/socket.h"
#include "preload/threads.h"

namespace gpusnap::preload {
namespace {

constexpr size_t max_connections = 16;

// Descriptors of a batch are closed once they are sent or not.
struct DescriptorBatch {
    std::vector<int> values;
    ~DescriptorBatch() {
        for (int value : values) {
            close(value);
        }
    }
};

class Control {
public:
    explicit Control(int listener, std::string path) : listener_(listener), path_(std::move(path)) {}
    [[noreturn]] void run();
    void close_in_child();
    const std::string& path() const { return path_; }

private:
    void serve(size_t index);
    void hang_up(size_t index);
    Outcome handle(int connection, const gpusnap_wire_header& request, std::vector<char>* payload,
                   DescriptorBatch* descriptors);
    Outcome step(int connection, const gpusnap_wire_header& request);
    Outcome take_over(int connection);
    Outcome records(const gpusnap_wire_header& request, bool with_descriptors, std::vector<char>* payload,
                    DescriptorBatch* descriptors);

    int listener_;
    std::string path_;
    std::vector<int> connections_;
    int owner_ = -1;  // the connection that froze this process
    Freeze freeze_;
};

Control* control = nullptr;
pid_t control_pid = 0;

void Control::run() {
    for (;;) {
        std::vector<pollfd> waiting;
        // A full house is not polled for more; callers wait in the backlog.
        waiting.push_back({connections_.size() < max_connections ? listener_ : -1, POLLIN, 0});
        for (int connection : connections_) {
            waiting.push_back({connection, POLLIN, 0});
        }
        if (poll(waiting.data(), waiting.size(), -1) < 0) {
            continue;  // interrupted, by a dump and restore for one
        }
        for (size_t i = waiting.size() - 1; i > 0; i--) {
            if (waiting[i].revents != 0) {
                serve(i - 1);
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

void Control::hang_up(size_t index) {
    int connection = connections_[index];
    connections_.erase(connections_.begin() + static_cast<ptrdiff_t>(index));
    if (owner_ == connection) {
        owner_ = -1;
        freeze_.owner_lost();
    }
    close(connection);
}

void Control::serve(size_t index) {
    int connection = connections_[index];
    gpusnap_wire_header request{};
    if (!receive_request(connection, &request)) {
        hang_up(index);
        return;
    }
    std::vector<char> payload;
    DescriptorBatch descriptors;
    Outcome outcome = handle(connection, request, &payload, &descriptors);
    if (!outcome.ok()) {
        payload.assign(outcome.text.begin(), outcome.text.end());
        log(Level::info, "request %u refused: %s", request.verb, outcome.text.c_str());
    }
    if (!send_reply(connection, request, outcome.status, payload, outcome.ok() ? descriptors.values : std::vector<int>{})) {
        hang_up(index);
    }
}

Outcome Control::handle(int connection, const gpusnap_wire_header& request, std::vector<char>* payload,
                        DescriptorBatch* descriptors) {
    if (request.version != GPUSNAP_WIRE_VERSION) {
        return {GPUSNAP_E_PROTOCOL, "this preload speaks protocol " + std::to_string(GPUSNAP_WIRE_VERSION) + ", not " +
                                        std::to_string(request.version)};
    }
    switch (request.verb) {
        case GPUSNAP_WIRE_STATUS: {
            gpusnap_wire_status status = freeze_.describe();
            payload->resize(sizeof status);
            std::memcpy(payload->data(), &status, sizeof status);
            return {};
        }
        case GPUSNAP_WIRE_LIST:
            return records(request, false, payload, descriptors);
        case GPUSNAP_WIRE_EXPORT:
        case GPUSNAP_WIRE_QUIESCE:
        case GPUSNAP_WIRE_RELEASE:
        case GPUSNAP_WIRE_REMAP:
        case GPUSNAP_WIRE_RESUME: {
            Outcome outcome = take_over(connection);
            if (!outcome.ok()) {
                return outcome;
            }
            return request.verb == GPUSNAP_WIRE_EXPORT ? records(request, true, payload, descriptors)
                                                       : step(connection, request);
        }
        default:
            return {GPUSNAP_E_PROTOCOL, "unknown request " + std::to_string(request.verb)};
    }
}

// A freeze that lost its daemon waits for the next one.
Outcome Control::take_over(int connection) {
    if (owner_ >= 0 && owner_ != connection) {
        return {GPUSNAP_E_STATE, "another connection holds this process frozen"};
    }
    if (freeze_.state() != GPUSNAP_TARGET_RUNNING) {
        owner_ = connection;
    }
    return {};
}

Outcome Control::step(int connection, const gpusnap_wire_header& request) {
    Outcome outcome;
    switch (request.verb) {
        case GPUSNAP_WIRE_QUIESCE:
            outcome = freeze_.quiesce(request.argument);
            break;
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
                         DescriptorBatch* descriptors) {
    std::vector<gpusnap_wire_record> batch;
    size_t total = 0;
    Outcome outcome;
    if (with_descriptors) {
        outcome = freeze_.export_memory(request.argument, &batch, &descriptors->values, &total);
    } else {
        std::vector<gpusnap_wire_record> all;
        outcome = freeze_.list(&all);
        total = all.size();
        for (size_t i = request.argument; i < all.size() && batch.size() < GPUSNAP_WIRE_MAX_RECORDS; i++) {
            batch.push_back(all[i]);
        }
    }
    gpusnap_wire_records counts{static_cast<uint32_t>(total), static_cast<uint32_t>(batch.size())};
    payload->resize(sizeof counts + batch.size() * sizeof(gpusnap_wire_record));
    std::memcpy(payload->data(), &counts, sizeof counts);
    if (!batch.empty()) {
        std::memcpy(payload->data() + sizeof counts, batch.data(), batch.size() * sizeof(gpusnap_wire_record));
    }
    return outcome;
}

void Control::close_in_child() {
    close(listener_);
    for (int connection : connections_) {
        close(connection);
    }
}

// The driver does not work in a forked child and the control thread is not there: leave the parent's socket alone.
void after_fork_in_child() {
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
    control = new Control(listener, path);
    control_pid = getpid();
    pthread_atfork(nullptr, nullptr, after_fork_in_child);
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

void start_control() {
    static std::once_flag once;
    std::call_once(once, start);
}

}  // namespace gpusnap::preload
