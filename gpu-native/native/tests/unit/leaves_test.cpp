// The leaves of host memory against the contract suite's own SHA-256.
#include "gpusnap_leaves.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "contract/harness.h"
#include "contract/tree_digest.h"

namespace {

constexpr size_t leaf = 4096;

std::vector<unsigned char> content(size_t size) {
    std::vector<unsigned char> bytes(size);
    uint64_t x = 88172645463325252ull;
    for (auto& byte : bytes) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        byte = static_cast<unsigned char>(x);
    }
    return bytes;
}

struct Leaves {
    std::vector<uint8_t> digests;
    std::vector<uint8_t> zeros;

    Leaves(const unsigned char* data, size_t size)
        : digests((size + leaf - 1) / leaf * 32 + 1, 0xee), zeros((size + leaf - 1) / leaf + 1, 0xee) {
        gpusnap_leaves(data, size, digests.data(), zeros.data());
    }
    // Of the tree that a root over the leaves makes.
    std::string root() const { return contract::sha256(digests.data(), digests.size() - 1); }
    std::string zero_marks() const {
        std::string text;
        for (size_t i = 0; i + 1 < zeros.size(); i++) {
            text += static_cast<char>('0' + zeros[i]);
        }
        return text;
    }
    bool nothing_else_written() const { return digests.back() == 0xee && zeros.back() == 0xee; }
};

void need_support() {
    if (gpusnap_leaves_supported() != 1) {
        contract::skip("this processor has no SHA extensions");
    }
}

}  // namespace

TEST("leaves of every size and alignment are digested as the plain SHA-256 does it") {
    need_support();
    const auto bytes = content(9 * leaf + 64);
    for (size_t size : {size_t{1}, size_t{55}, size_t{56}, size_t{63}, size_t{64}, size_t{65}, size_t{119}, size_t{4095}, leaf, leaf + 1,
                        2 * leaf, 3 * leaf, 3 * leaf + 4040, 8 * leaf, 9 * leaf + 1}) {
        for (size_t offset : {size_t{0}, size_t{1}, size_t{33}}) {
            const Leaves leaves(bytes.data() + offset, size);
            CHECK_EQUAL(leaves.root(), contract::tree_digest(bytes.data() + offset, size));
            CHECK(leaves.nothing_else_written());
        }
    }
}

TEST("leaves of zeros are marked, one byte that differs is seen anywhere") {
    need_support();
    std::vector<unsigned char> bytes(7 * leaf + 10);
    for (size_t at : {size_t{0}, leaf - 1, leaf + 2000, 4 * leaf, 7 * leaf, 7 * leaf + 9}) {
        bytes.assign(bytes.size(), 0);
        bytes[at] = 1;
        std::string marks(8, '1');
        marks[at / leaf] = '0';
        const Leaves leaves(bytes.data(), bytes.size());
        CHECK_EQUAL(leaves.zero_marks(), marks);
        CHECK_EQUAL(leaves.root(), contract::tree_digest(bytes.data(), bytes.size()));
    }
}

TEST("leaves between leaves of zeros keep their places") {
    need_support();
    auto bytes = content(6 * leaf);
    std::fill_n(bytes.begin() + leaf, leaf, 0);
    std::fill_n(bytes.begin() + 4 * leaf, leaf, 0);
    const Leaves leaves(bytes.data(), bytes.size());
    CHECK_EQUAL(leaves.zero_marks(), std::string("010010"));
    CHECK_EQUAL(leaves.root(), contract::tree_digest(bytes.data(), bytes.size()));
}
