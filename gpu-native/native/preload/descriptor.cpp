#include "preload/descriptor.h"

#include <sys/resource.h>

#include <algorithm>

namespace gpusnap::preload {
namespace {

// The kernel's table of descriptors is as long as its highest number: half a megabyte for this one.
constexpr rlim_t highest_floor = 65'536;

}  // namespace

Descriptor moved_out_of_the_way(Descriptor from) {
    rlimit limit{};
    if (!from.valid() || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return {};
    }
    auto floor = static_cast<int>(std::min(limit.rlim_cur / 2, highest_floor));
    return Descriptor(fcntl(from.get(), F_DUPFD_CLOEXEC, floor));
}

}  // namespace gpusnap::preload
