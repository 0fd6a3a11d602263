// The control thread: answers the daemon on a Unix socket (see preload_protocol.h).
#pragma once

namespace gpusnap::preload {

// Opens the socket and starts the thread, once a process; what fails is logged and leaves the process unmanaged.
void start_control();
// Whether this is a forked child of the process that the control thread was started in: the driver does not work here.
bool in_forked_child();

}  // namespace gpusnap::preload
