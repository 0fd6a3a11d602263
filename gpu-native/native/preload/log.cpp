#include "preload/log.h"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gpusnap::preload {
namespace {

Level configured_level() {
    static const Level level = [] {
        const char* text = getenv("GPUSNAP_PRELOAD_LOG");
        if (text != nullptr && std::strcmp(text, "debug") == 0) {
            return Level::debug;
        }
        return text != nullptr && std::strcmp(text, "info") == 0 ? Level::info : Level::error;
    }();
    return level;
}

}  // namespace

void log(Level level, const char* format, ...) {
    if (level > configured_level()) {
        return;
    }
    int saved = errno;
    char line[512];
    int start = std::snprintf(line, sizeof line, "gpusnap-preload[%d]: ", static_cast<int>(getpid()));
    va_list arguments;
    va_start(arguments, format);
    int length = std::vsnprintf(line + start, sizeof line - static_cast<size_t>(start) - 1, format, arguments);
    va_end(arguments);
    size_t total = std::strlen(line);
    if (length >= 0) {
        line[total++] = '\n';
        if (write(STDERR_FILENO, line, total) < 0) {
            // stderr is closed: there is nowhere left to say so
        }
    }
    errno = saved;
}

}  // namespace gpusnap::preload
