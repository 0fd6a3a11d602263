#pragma once

#include <csignal>

// What the node's daemon and the placeholder in a container say to each other. No socket and no file: a signal reaches a
// container whatever its file system is like, and only whoever is outside of its PID namespace sends one that has no sender.
namespace gpusnap::container {

// SIGRTMIN is a function call; both programs are built with the same C library, and 36 is no glibc or musl signal of its own.
constexpr int claim_signal = 36;  // a thaw into this container begins, or goes on: do not start cold meanwhile
constexpr int cold_signal = 37;   // there will be no thaw: end what is half made, and start the command
constexpr int serve_signal = 38;  // the process whose pid comes with the signal is the workload now

// The state is the process's name, which nobody else can write.
constexpr const char* waiting_name = "gpusnap:waiting";
constexpr const char* claimed_name = "gpusnap:claimed";
constexpr const char* running_name = "gpusnap:running";

}  // namespace gpusnap::container
