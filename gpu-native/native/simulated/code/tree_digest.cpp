#include "code/tree_digest.h"

#include <algorithm>
#include <cstring>

#include "code/sha256.h"

namespace gpusnap::simulated {
namespace {

constexpr uint64_t kLeafBytes = 4096;
constexpr uint64_t kLeavesPerSpan = 1024;
constexpr uint64_t kDigestBytes = sizeof(Sha256Digest);

bool all_zero(const unsigned char* bytes, uint64_t size) {
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

}  // namespace

void leaf_digests(const gpusnap_sim_launch& launch, const DigestSpan* spans, unsigned char* leaves, uint32_t* flags) {
  const uint64_t columns = static_cast<uint64_t>(launch.grid[0]) * launch.block[0];
  for (uint64_t row = 0; row < launch.grid[1]; ++row) {
    const DigestSpan& span = spans[row];
    for (uint64_t leaf = 0; leaf < columns && leaf * kLeafBytes < span.size; ++leaf) {
      const unsigned char* const from = span.address + leaf * kLeafBytes;
      const uint64_t size = std::min(kLeafBytes, span.size - leaf * kLeafBytes);
      const Sha256Digest digest = sha256(from, size);
      std::memcpy(leaves + (row * kLeavesPerSpan + leaf) * kDigestBytes, digest.bytes, kDigestBytes);
      if (!all_zero(from, size)) flags[row] = 1;
    }
  }
}

void span_digests(const gpusnap_sim_launch&, const DigestSpan* spans, uint32_t count, const unsigned char* leaves,
                  const uint32_t* flags, DigestResult* results) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t size = (spans[i].size + kLeafBytes - 1) / kLeafBytes * kDigestBytes;
    const Sha256Digest digest = sha256(leaves + i * kLeavesPerSpan * kDigestBytes, size);
    std::memcpy(results[i].digest, digest.bytes, kDigestBytes);
    results[i].not_zero = flags[i];
  }
}

GPUSNAP_SIM_KERNEL(gpusnap_leaf_digests, leaf_digests)
GPUSNAP_SIM_KERNEL(gpusnap_span_digests, span_digests)

}  // namespace gpusnap::simulated
