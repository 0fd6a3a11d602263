// The preload's listening socket and its connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "preload/descriptor.h"
#include "preload_protocol.h"

namespace gpusnap::preload {

// <directory>/<pid>.sock, private to the user; -1 with a log line when it cannot be opened.
int open_listener(const std::string& directory, std::string* path);
// -1 when nothing waits or the peer is neither root nor the same user.
int accept_peer(int listener);
// One request and the descriptors that came with it; false when the peer is gone or talks nonsense.
bool receive_request(int connection, gpusnap_wire_header* request, std::vector<Descriptor>* descriptors);
// False when the peer is gone.
bool send_reply(int connection, const gpusnap_wire_header& request, uint32_t status, const std::vector<char>& payload,
                const std::vector<Descriptor>& descriptors);

}  // namespace gpusnap::preload
