#include "preload/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "passed_descriptors.h"
#include "preload/log.h"

namespace gpusnap::preload {
namespace {

constexpr int backlog = 16;
constexpr int reply_timeout_ms = 10'000;

int failed(const std::string& path, const char* what, int fd) {
    log(Level::error, "%s %s: %s; this process cannot be frozen", what, path.c_str(), std::strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

}  // namespace

int open_listener(const std::string& directory, std::string* path) {
    *path = directory + "/" + std::to_string(getpid()) + ".sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path->size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return failed(*path, "cannot use", -1);
    }
    std::memcpy(address.sun_path, path->c_str(), path->size() + 1);
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
        return failed(directory, "cannot create", -1);
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return failed(*path, "cannot create", fd);
    }
    unlink(path->c_str());  // of an earlier process with this pid
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        return failed(*path, "cannot bind", fd);
    }
    // Nobody can connect before listen, so the mode is in place in time.
    if (chmod(path->c_str(), 0600) != 0 || listen(fd, backlog) != 0) {
        return failed(*path, "cannot listen on", fd);
    }
    return fd;
}

int accept_peer(int listener) {
    int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return -1;
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != 0 && peer.uid != getuid())) {
        log(Level::error, "a connection from user %u was refused", static_cast<unsigned>(peer.uid));
        close(fd);
        return -1;
    }
    return fd;
}

bool receive_request(int connection, gpusnap_wire_header* request, std::vector<Descriptor>* descriptors) {
    iovec part{request, sizeof *request};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    PassedDescriptors passed;
    passed.expect(&message);
    ssize_t received = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) {
        return false;
    }
    PassedDescriptors::take_from(&message, [&](int descriptor) { descriptors->emplace_back(descriptor); });
    return received == sizeof *request && (message.msg_flags & MSG_TRUNC) == 0 && request->magic == GPUSNAP_WIRE_MAGIC &&
           request->payload_size == 0;
}

bool send_reply(int connection, const gpusnap_wire_header& request, uint32_t status, const std::vector<char>& payload,
                const std::vector<Descriptor>& descriptors) {
    gpusnap_wire_header header{};
    header.magic = GPUSNAP_WIRE_MAGIC;
    header.version = GPUSNAP_WIRE_VERSION;
    header.verb = request.verb;
    header.status = status;
    header.payload_size = static_cast<uint32_t>(payload.size());
    iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(payload.data()), payload.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = payload.empty() ? 1 : 2;
    std::vector<int> numbers;
    for (const Descriptor& descriptor : descriptors) {
        numbers.push_back(descriptor.get());
    }
    PassedDescriptors passed;
    passed.attach(&message, numbers);
    for (;;) {
        if (sendmsg(connection, &message, MSG_NOSIGNAL) >= 0) {
            return true;
        }
        pollfd writable{connection, POLLOUT, 0};
        if (errno != EINTR && (errno != EAGAIN || poll(&writable, 1, reply_timeout_ms) <= 0)) {
            return false;
        }
    }
}

}  // namespace gpusnap::preload
