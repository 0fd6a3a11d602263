// File descriptors that go along with a message over a Unix socket (SCM_RIGHTS, unix(7)). Part of both sides of the wire.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <span>

namespace gpusnap {

// Room for them beside a message; the message may use it as long as this object lives.
class PassedDescriptors {
public:
    // The kernel's own limit (SCM_MAX_FD).
    static constexpr size_t most = 253;

    // The descriptors go with the message, at most `most`; they stay the sender's.
    void attach(msghdr* message, std::span<const int> descriptors) {
        if (descriptors.empty()) {
            return;
        }
        message->msg_control = control_;
        message->msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* entry = CMSG_FIRSTHDR(message);
        entry->cmsg_level = SOL_SOCKET;
        entry->cmsg_type = SCM_RIGHTS;
        entry->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(entry), descriptors.data(), descriptors.size_bytes());
    }

    // Makes room for what may come with the message.
    void expect(msghdr* message) {
        message->msg_control = control_;
        message->msg_controllen = sizeof control_;
    }

    // take(int) owns each one that came, in order. Where the process may open no more files, the kernel leaves out the last ones
    // (MSG_CTRUNC).
    template <typename Take>
    static void take_from(msghdr* message, Take&& take) {
        for (cmsghdr* entry = CMSG_FIRSTHDR(message); entry != nullptr; entry = CMSG_NXTHDR(message, entry)) {
            if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) {
                continue;
            }
            size_t count = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < count; i++) {
                int descriptor = -1;
                std::memcpy(&descriptor, CMSG_DATA(entry) + i * sizeof descriptor, sizeof descriptor);
                take(descriptor);
            }
        }
    }

private:
    alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int) * most)] = {};
};

}  // namespace gpusnap
