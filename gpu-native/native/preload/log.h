// Lines on stderr, off the program's own streams; only above the level that GPUSNAP_PRELOAD_LOG asks for.
#pragma once

namespace gpusnap::preload {

enum class Level { error = 0, info = 1, debug = 2 };

// The default level is error, and errors are only about a process that uses CUDA.
__attribute__((format(printf, 2, 3))) void log(Level level, const char* format, ...);

}  // namespace gpusnap::preload
