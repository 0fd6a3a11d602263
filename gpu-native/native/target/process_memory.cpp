// The memory of another process, through the kernel: without a trace, and as fast as memory is.
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "driver/failure.h"

using namespace gpusnap;

namespace {

using Move = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long);

gpusnap_status status_of(int error_number) {
    switch (error_number) {
        case ESRCH:
            return GPUSNAP_E_PEER_GONE;
        case EPERM:
            return GPUSNAP_E_PERMISSION;
        case ENOMEM:
            return GPUSNAP_E_NO_HOST_MEMORY;
        default:
            return GPUSNAP_E_IO;
    }
}

std::string described(const char* verb, int32_t pid, uint64_t address, uint64_t size_bytes) {
    char text[128];
    std::snprintf(text, sizeof text, "cannot %s %llu bytes at 0x%llx of process %d", verb,
                  static_cast<unsigned long long>(size_bytes), static_cast<unsigned long long>(address), pid);
    return text;
}

// A call moves 2 GiB at most, and stops early at the first page that it cannot reach.
void move_all(Move move, const char* verb, int32_t pid, uint64_t address, void* local, uint64_t size_bytes) {
    require(pid > 0, "pid is not positive");
    require(local != nullptr || size_bytes == 0, "the local address is NULL but size_bytes is not 0");
    for (uint64_t done = 0; done < size_bytes;) {
        iovec here{static_cast<char*>(local) + done, size_bytes - done};
        iovec there{reinterpret_cast<void*>(address + done), size_bytes - done};
        ssize_t moved = move(pid, &here, 1, &there, 1, 0);
        if (moved < 0 && errno == EINTR) {
            continue;
        }
        if (moved <= 0) {
            int error_number = moved < 0 ? errno : EIO;
            throw io_failure(status_of(error_number), described(verb, pid, address + done, size_bytes - done), error_number);
        }
        done += static_cast<uint64_t>(moved);
    }
}

}  // namespace

gpusnap_status gpusnap_process_write(int32_t pid, uint64_t address, const void* from, uint64_t size_bytes) {
    return guarded([&] { move_all(process_vm_writev, "write", pid, address, const_cast<void*>(from), size_bytes); });
}

gpusnap_status gpusnap_process_read(int32_t pid, uint64_t address, void* to, uint64_t size_bytes) {
    return guarded([&] { move_all(process_vm_readv, "read", pid, address, to, size_bytes); });
}
