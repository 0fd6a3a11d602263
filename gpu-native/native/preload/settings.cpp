#include "preload/settings.h"

#include <cerrno>
#include <cstdlib>

#include "preload/log.h"
#include "preload_protocol.h"

namespace gpusnap::preload {
namespace {

constexpr size_t default_min_managed_bytes = 2 << 20;

size_t read_min_managed_bytes() {
    const char* text = getenv("GPUSNAP_MIN_MANAGED_BYTES");
    if (text == nullptr || *text == '\0') {
        return default_min_managed_bytes;
    }
    char* end = nullptr;
    errno = 0;
    unsigned long long value = std::strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || *text == '-') {
        log(Level::error, "GPUSNAP_MIN_MANAGED_BYTES is no number of bytes: %s; using %zu", text, default_min_managed_bytes);
        return default_min_managed_bytes;
    }
    return value > 0 ? static_cast<size_t>(value) : 1;
}

}  // namespace

const Settings& Settings::get() {
    static const Settings* only = [] {
        const char* directory = getenv("GPUSNAP_SOCKET_DIR");
        return new Settings{read_min_managed_bytes(), directory != nullptr && *directory != '\0'
                                                          ? directory
                                                          : GPUSNAP_WIRE_DEFAULT_SOCKET_DIR};
    }();
    return *only;
}

}  // namespace gpusnap::preload
