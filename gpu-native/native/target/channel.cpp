#include "target/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "driver/failure.h"
#include "passed_descriptors.h"

namespace gpusnap {
namespace {

constexpr size_t max_message_bytes = 64 << 10;

// A socket address holds 107 characters, a path through /proc/<pid>/root may be longer: go by a descriptor.
sockaddr_un address_of(int directory, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    int length = std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name.c_str());
    if (length < 0 || static_cast<size_t>(length) >= sizeof address.sun_path) {
        throw Failure(GPUSNAP_E_INVALID, "the socket name is too long: " + name);
    }
    return address;
}

int connect_to(const SocketPlace& place, int32_t pid, uint32_t timeout_ms) {
    std::string path = place.directory + "/" + place.name;
    int directory = open(place.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        throw io_failure(GPUSNAP_E_NOT_MANAGED, "no preload answers in process " + std::to_string(pid) + ": " + path, errno);
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        int error = errno;
        close(directory);
        throw io_failure(GPUSNAP_E_IO, "socket", error);
    }
    // A stopped process accepts nothing; with its backlog full, connect would wait for ever.
    timeval patience{static_cast<time_t>(timeout_ms / 1000), static_cast<suseconds_t>(timeout_ms % 1000 * 1000)};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int result = -1;
    int error = 0;
    try {
        sockaddr_un address = address_of(directory, place.name);
        result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        error = errno;
    } catch (...) {
        close(directory);
        close(fd);
        throw;
    }
    close(directory);
    if (result != 0) {
        close(fd);
        if (error == EAGAIN) {
            throw Failure(GPUSNAP_E_TIMEOUT, "process " + std::to_string(pid) + " does not accept a connection");
        }
        throw io_failure(error == EACCES || error == EPERM ? GPUSNAP_E_PERMISSION : GPUSNAP_E_NOT_MANAGED,
                         "no preload answers in process " + std::to_string(pid) + ": " + path, error);
    }
    return fd;
}

}  // namespace

Descriptors::~Descriptors() {
    for (size_t i = 0; i < values_.size(); i++) {
        close_one(i);
    }
}

std::span<const int> Descriptors::part(size_t first, size_t most) const {
    return std::span(values_).subspan(first, std::min(most, values_.size() - first));
}

void Descriptors::close_one(size_t index) noexcept {
    if (values_[index] >= 0) {
        close(values_[index]);
        values_[index] = -1;
    }
}

Channel::Channel(const SocketPlace& place, int32_t pid, uint32_t timeout_ms)
    : socket_(connect_to(place, pid, timeout_ms)) {}

Channel::~Channel() {
    hang_up();
}

void Channel::hang_up() noexcept {
    if (socket_ >= 0) {
        close(socket_);
        socket_ = -1;
    }
}

Reply Channel::call(gpusnap_wire_verb verb, uint64_t argument, uint32_t timeout_ms, std::span<const int> descriptors) {
    if (socket_ < 0) {
        throw Failure(GPUSNAP_E_PEER_GONE, "the connection to the workload is closed");
    }
    Reply reply;
    gpusnap_wire_header header{};
    try {
        send(verb, argument, descriptors);
        reply = receive(verb, timeout_ms);
        std::memcpy(&header, reply.payload.data(), sizeof header);
        reply.payload.erase(reply.payload.begin(), reply.payload.begin() + sizeof header);
    } catch (...) {
        hang_up();
        throw;
    }
    if (header.status != GPUSNAP_OK) {
        throw Failure(static_cast<gpusnap_status>(header.status),
                      "workload: " + std::string(reply.payload.begin(), reply.payload.end()));
    }
    return reply;
}

void Channel::send(gpusnap_wire_verb verb, uint64_t argument, std::span<const int> descriptors) {
    gpusnap_wire_header header{};
    header.magic = GPUSNAP_WIRE_MAGIC;
    header.version = GPUSNAP_WIRE_VERSION;
    header.verb = static_cast<uint16_t>(verb);
    header.argument = argument;
    iovec part{&header, sizeof header};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    PassedDescriptors passed;
    passed.attach(&message, descriptors);
    if (sendmsg(socket_, &message, MSG_NOSIGNAL) != sizeof header) {
        throw io_failure(GPUSNAP_E_PEER_GONE, "the workload closed the connection", errno);
    }
}

void Channel::await_readable(uint32_t timeout_ms) {
    using Clock = std::chrono::steady_clock;
    auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    for (;;) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd wanted{socket_, POLLIN, 0};
        int ready = poll(&wanted, 1, left > 0 ? static_cast<int>(std::min<long long>(left, 1 << 30)) : 0);
        if (ready > 0) {
            return;
        }
        if (ready == 0 && left <= 0) {
            throw Failure(GPUSNAP_E_TIMEOUT, "the workload did not answer within " + std::to_string(timeout_ms) + " ms");
        }
        if (ready < 0 && errno != EINTR) {
            throw io_failure(GPUSNAP_E_IO, "poll", errno);
        }
    }
}

Reply Channel::receive(gpusnap_wire_verb verb, uint32_t timeout_ms) {
    await_readable(timeout_ms);
    Reply reply;
    reply.payload.resize(max_message_bytes);
    iovec data{reply.payload.data(), reply.payload.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    PassedDescriptors passed;
    passed.expect(&message);
    ssize_t received = recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
    if (received <= 0) {
        throw Failure(GPUSNAP_E_PEER_GONE, "the workload closed the connection");
    }
    PassedDescriptors::take_from(&message, [&](int descriptor) { reply.descriptors.add(descriptor); });
    gpusnap_wire_header header{};
    if (static_cast<size_t>(received) >= sizeof header) {
        std::memcpy(&header, reply.payload.data(), sizeof header);
    }
    if (header.magic != GPUSNAP_WIRE_MAGIC || header.payload_size != received - sizeof header) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload sent something that is no gpusnap message");
    }
    if (header.version != GPUSNAP_WIRE_VERSION) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload's preload speaks protocol " + std::to_string(header.version) +
                                              ", this library " + std::to_string(GPUSNAP_WIRE_VERSION));
    }
    if (header.verb != verb) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload answered another request");
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        throw Failure(GPUSNAP_E_PROTOCOL, "the workload's answer was cut: is the limit of open files too low?");
    }
    reply.payload.resize(static_cast<size_t>(received));
    return reply;
}

}  // namespace gpusnap
