#include "contract/tree_digest.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace contract {
namespace {

using Digest = std::array<unsigned char, 32>;
using State = std::array<uint32_t, 8>;

// The first 32 bits of the fractional part of a root of the n-th prime: where SHA-256 has its constants from.
uint32_t fraction_of_root(unsigned n, long double exponent) {
    unsigned prime = 2;
    for (unsigned found = 0;; prime++) {
        bool divisible = false;
        for (unsigned d = 2; d * d <= prime; d++) {
            divisible |= prime % d == 0;
        }
        if (!divisible && found++ == n) {
            break;
        }
    }
    long double root = std::pow(static_cast<long double>(prime), exponent);
    return static_cast<uint32_t>(std::floor((root - std::floor(root)) * 4294967296.0L));
}

template <size_t Count>
std::array<uint32_t, Count> fractions(long double exponent) {
    std::array<uint32_t, Count> all{};
    for (unsigned n = 0; n < Count; n++) {
        all[n] = fraction_of_root(n, exponent);
    }
    return all;
}

uint32_t rotate(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

void take_block(State& state, const unsigned char* block) {
    static const auto constants = fractions<64>(1.0L / 3.0L);
    std::array<uint32_t, 64> w{};
    for (int i = 0; i < 16; i++) {
        const unsigned char* at = block + 4 * i;
        w[i] = static_cast<uint32_t>(at[0]) << 24 | at[1] << 16 | at[2] << 8 | at[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const State after{a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) {
        state[i] += after[i];
    }
}

Digest digest_of(const unsigned char* data, size_t size) {
    static const auto start = fractions<8>(0.5L);
    State state = start;
    size_t done = 0;
    for (; size - done >= 64; done += 64) {
        take_block(state, data + done);
    }
    std::vector<unsigned char> rest(data + done, data + size);
    rest.push_back(0x80);
    while (rest.size() % 64 != 56) {
        rest.push_back(0);
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        rest.push_back(static_cast<unsigned char>(static_cast<uint64_t>(size) * 8 >> shift));
    }
    for (size_t at = 0; at < rest.size(); at += 64) {
        take_block(state, &rest[at]);
    }
    Digest digest{};
    for (int i = 0; i < 32; i++) {
        digest[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
}

std::string hex_of(const unsigned char* bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (size_t i = 0; i < count; i++) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

}  // namespace

std::string sha256(const unsigned char* data, size_t size) {
    Digest digest = digest_of(data, size);
    return hex_of(digest.data(), digest.size());
}

std::string tree_digest(const unsigned char* data, size_t size) {
    std::vector<unsigned char> leaves;
    for (size_t at = 0; at < size; at += 4096) {
        Digest leaf = digest_of(data + at, size - at < 4096 ? size - at : 4096);
        leaves.insert(leaves.end(), leaf.begin(), leaf.end());
    }
    return sha256(leaves.data(), leaves.size());
}

std::string hex(const gpusnap_digest& digest) {
    return hex_of(digest.sha256_tree, sizeof digest.sha256_tree);
}

}  // namespace contract
