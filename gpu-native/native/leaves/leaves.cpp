#include "gpusnap_leaves.h"

#include "leaves/sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>

#include <algorithm>
#include <cstring>

namespace {

using gpusnap::Sha256;
using gpusnap::sha256_blocks;

constexpr size_t leaf_bytes = 4096;
constexpr size_t digest_bytes = 32;
constexpr size_t block_bytes = 64;

bool is_zero(const uint8_t* data, size_t size) {
    // The first byte is zero and each equals the next: memcmp is the fastest loop there is.
    return data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0;
}

// What ends a message of `size` bytes, its last bytes included: one block or two.
struct Ending {
    uint8_t bytes[2 * block_bytes] = {};
    size_t blocks;

    Ending(const uint8_t* data, size_t size) {
        const size_t rest = size % block_bytes;
        blocks = rest < block_bytes - 8 ? 1 : 2;
        std::memcpy(bytes, data + size - rest, rest);
        bytes[rest] = 0x80;
        const uint64_t bits = size * 8;
        for (size_t i = 0; i < 8; i++) {
            bytes[blocks * block_bytes - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
        }
    }
};

// Messages of one size, which is one of whole blocks where they are several.
template <size_t Messages>
GPUSNAP_SHA void digest(
    const std::array<const uint8_t*, Messages>& data, size_t size, const std::array<uint8_t*, Messages>& digests) {
    std::array<Sha256, Messages> states;
    std::array<const uint8_t*, Messages> endings;
    const Ending ending(data[0], size);
    states.fill(Sha256::start());
    endings.fill(ending.bytes);
    sha256_blocks<Messages>(states, data, size / block_bytes);
    sha256_blocks<Messages>(states, endings, ending.blocks);
    for (size_t m = 0; m < Messages; m++) {
        states[m].write(digests[m]);
    }
}

// Of 4096 zero bytes.
constexpr uint8_t zero_leaf_digest[digest_bytes] = {
    0xad, 0x7f, 0xac, 0xb2, 0x58, 0x6f, 0xc6, 0xe9, 0x66, 0xc0, 0x04, 0xd7, 0xd1, 0xd1, 0x6b, 0x02,
    0x4f, 0x58, 0x05, 0xff, 0x7c, 0xb4, 0x7c, 0x7a, 0x85, 0xda, 0xbd, 0x8b, 0x48, 0x89, 0x2c, 0xa7};

}  // namespace

int32_t gpusnap_leaves_supported(void) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    const bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
    const bool shuffles = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0 && (c & bit_SSE4_1) != 0;
    return sha && shuffles ? 1 : 0;
}

void gpusnap_leaves(const void* data, uint64_t size_bytes, uint8_t* digests, uint8_t* zeros) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    const uint8_t* waiting = nullptr;  // a leaf that waits for another to be digested with
    uint8_t* waiting_digest = nullptr;
    for (uint64_t at = 0; at < size_bytes; at += leaf_bytes, digests += digest_bytes, zeros++) {
        const uint8_t* leaf = bytes + at;
        const size_t size = std::min<uint64_t>(leaf_bytes, size_bytes - at);
        *zeros = is_zero(leaf, size) ? 1 : 0;
        if (size < leaf_bytes) {
            digest<1>({leaf}, size, {digests});
        } else if (*zeros != 0) {
            std::memcpy(digests, zero_leaf_digest, digest_bytes);
        } else if (waiting == nullptr) {
            waiting = leaf;
            waiting_digest = digests;
        } else {
            digest<2>({waiting, leaf}, leaf_bytes, {waiting_digest, digests});
            waiting = nullptr;
        }
    }
    if (waiting != nullptr) {
        digest<1>({waiting}, leaf_bytes, {waiting_digest});
    }
}

#else

int32_t gpusnap_leaves_supported(void) {
    return 0;
}

void gpusnap_leaves(const void*, uint64_t, uint8_t*, uint8_t*) {}

#endif
