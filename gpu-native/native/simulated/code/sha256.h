// SHA-256 on the host, with the CPU's own instructions where it has them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpusnap::simulated {

struct Sha256Digest {
  unsigned char bytes[32];
};

Sha256Digest sha256(const void* message, size_t size);

namespace sha256_ways {
// Takes `blocks` blocks of 64 bytes into the state.
using Compress = void (*)(uint32_t state[8], const unsigned char* data, size_t blocks);
void portable(uint32_t state[8], const unsigned char* data, size_t blocks);
// Null where the CPU has no such instructions.
Compress of_the_cpu();
Sha256Digest digest(Compress compress, const void* message, size_t size);
}  // namespace sha256_ways

}  // namespace gpusnap::simulated
