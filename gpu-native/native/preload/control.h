// The control thread: answers the daemon on a Unix socket (see preload_protocol.h).
#pragma once

namespace gpusnap::preload {

// Opens the socket and starts the thread, once a process; what fails is logged and leaves the process unmanaged.
void start_control();

}  // namespace gpusnap::preload
