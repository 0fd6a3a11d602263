// Finds the preload's socket of a process that may live in other pid and mount namespaces.
#pragma once

#include <cstdint>
#include <string>

namespace gpusnap {

struct SocketPlace {
    std::string directory;  // reachable from here, through /proc/<pid>/root
    std::string name;
};

// Throws GPUSNAP_E_PEER_GONE when there is no such process.
SocketPlace locate_socket(int32_t pid);
// The directory and file of an explicit path.
SocketPlace split_socket_path(const std::string& path);

}  // namespace gpusnap
