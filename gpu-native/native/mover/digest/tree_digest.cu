// Digests of device memory, computed where it is: sha256-tree-4k as docs/formats.md defines it. nvcc makes tree_digest.ptx
// of this file (scripts/build-kernels.sh); the PTX is kept beside it, so that building gpusnap takes no CUDA toolkit.
//
// Two passes. A thread hashes one leaf of 4 KiB: a chunk of 4 MiB keeps 1024 threads busy, and leaves are read at the speed
// at which SHA-256 consumes them. Then a thread hashes the leaf digests of one chunk.

struct Span {  // as gpusnap_span
    unsigned long long address;  // a multiple of 16
    unsigned long long size;     // 1 byte to 4 MiB
};

constexpr unsigned leaf_bytes = 4096;
constexpr unsigned leaves_per_span = 1024;
constexpr unsigned block_bytes = 64;
constexpr unsigned block_words = 16;
constexpr unsigned digest_words = 8;

__constant__ unsigned round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct Sha256 {
    unsigned h[8];

    __device__ Sha256()
        : h{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

    static __device__ unsigned rotate(unsigned x, unsigned n) { return __funnelshift_r(x, x, n); }

    // w: the block as big-endian words; used up.
    __device__ void block(unsigned (&w)[block_words]) {
        unsigned a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
#pragma unroll
        for (int i = 0; i < 64; i++) {
            unsigned word;
            if (i < 16) {
                word = w[i];
            } else {
                unsigned x = w[(i + 1) & 15], y = w[(i + 14) & 15];
                word = w[i & 15] += (rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)) + w[(i + 9) & 15] +
                                    (rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10));
            }
            unsigned t = k + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + round_constants[i] + word;
            unsigned u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            k = g;
            g = f;
            f = e;
            e = d + t;
            d = c;
            c = b;
            b = a;
            a = t + u;
        }
        h[0] += a;
        h[1] += b;
        h[2] += c;
        h[3] += d;
        h[4] += e;
        h[5] += f;
        h[6] += g;
        h[7] += k;
    }
};

__device__ unsigned swap(unsigned x) {
    return __byte_perm(x, 0, 0x0123);
}

// SHA-256 of a message, as eight words in memory order; returns the OR of its bytes. Called, not inlined: both kernels share
// one body, which keeps the PTX small, and the call costs nothing beside the blocks.
__device__ __noinline__ unsigned sha256(const unsigned char* message, unsigned size, unsigned* digest) {
    Sha256 sha;
    unsigned seen = 0;
    unsigned done = 0;
    bool marked = false;
    for (bool ended = false; !ended;) {
        unsigned w[block_words];
        unsigned left = size - done;
        if (left >= block_bytes) {
            const uint4* from = reinterpret_cast<const uint4*>(message + done);
#pragma unroll
            for (unsigned i = 0; i < block_words / 4; i++) {
                uint4 x = from[i];
                w[4 * i] = swap(x.x);
                w[4 * i + 1] = swap(x.y);
                w[4 * i + 2] = swap(x.z);
                w[4 * i + 3] = swap(x.w);
                seen |= x.x | x.y | x.z | x.w;
            }
            done += block_bytes;
        } else {
            ended = left <= block_bytes - 9;  // else there is no room for the length, and a block of zeros follows
#pragma unroll
            for (unsigned i = 0; i < block_words; i++) {
                w[i] = 0;
            }
            for (unsigned position = 0; position <= left; position++) {
                unsigned value = 0x80;
                if (position < left) {
                    value = message[done + position];
                    seen |= value;
                } else if (marked) {
                    value = 0;
                }
#pragma unroll
                for (unsigned i = 0; i < block_words; i++) {  // no indexing, which would put the block into memory
                    if (i == position / 4) {
                        w[i] |= value << (24 - 8 * (position % 4));
                    }
                }
            }
            marked = true;
            done = size;
            if (ended) {
                w[block_words - 1] = size * 8;
            }
        }
        sha.block(w);
    }
#pragma unroll
    for (unsigned i = 0; i < 8; i++) {
        digest[i] = swap(sha.h[i]);
    }
    return seen;
}

// leaves: 1024 digests a span. flags: one word a span, 0 before; not 0 after when the span holds a byte that is not zero.
extern "C" __global__ void __launch_bounds__(128)
    gpusnap_leaf_digests(const Span* spans, unsigned* leaves, unsigned* flags) {
    unsigned leaf = blockIdx.x * blockDim.x + threadIdx.x;
    Span span = spans[blockIdx.y];
    unsigned long long offset = static_cast<unsigned long long>(leaf) * leaf_bytes;
    if (offset >= span.size) {
        return;
    }
    unsigned size = span.size - offset < leaf_bytes ? static_cast<unsigned>(span.size - offset) : leaf_bytes;
    unsigned* digest = leaves + (static_cast<size_t>(blockIdx.y) * leaves_per_span + leaf) * digest_words;
    if (sha256(reinterpret_cast<const unsigned char*>(span.address + offset), size, digest) != 0) {
        flags[blockIdx.y] = 1;  // every writer writes the same
    }
}

// results: nine words a span, eight of the digest and one that is not 0 when the span holds a byte that is not zero.
extern "C" __global__ void gpusnap_span_digests(const Span* spans, unsigned count, const unsigned* leaves, const unsigned* flags,
                                                unsigned* results) {
    unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index < count) {
        unsigned size = static_cast<unsigned>((spans[index].size + leaf_bytes - 1) / leaf_bytes) * digest_words * 4;
        const unsigned* from = leaves + static_cast<size_t>(index) * leaves_per_span * digest_words;
        unsigned* result = results + index * (digest_words + 1);
        sha256(reinterpret_cast<const unsigned char*>(from), size, result);
        result[digest_words] = flags[index];
    }
}
