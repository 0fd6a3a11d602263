// What a caller of cuCheckpointProcess* and the driver inside the target say to each other, over a Unix stream socket
// <state dir>/process-<pid in its own namespace>.sock: one request, one reply, then the connection ends.
#pragma once

#include <cuda_abi.h>

#include <cstdint>
#include <string>

namespace gpusnap::simulated {

enum class Verb : uint32_t { kState, kLock, kCheckpoint, kRestore, kUnlock };

constexpr uint32_t kMostPairs = 64;

struct Request {
  Verb verb;
  uint32_t timeout_ms;
  uint32_t pair_count;  // that many CUcheckpointGpuPair follow
};

struct Reply {
  int32_t result;  // CUresult
  int32_t value;   // state
};

// Whole or not at all; false when the peer is gone.
bool send_all(int socket, const void* data, size_t size);
bool receive_all(int socket, void* data, size_t size);

std::string socket_name(int pid);  // without the directory

// Name of the thread in which the driver answers.
inline constexpr char kRestoreThread[] = "sim-restore";

}  // namespace gpusnap::simulated
