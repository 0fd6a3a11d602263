// What the ranks of a communicator hold on a host: a connection, a segment of shared memory, device memory of each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda_abi.h"

namespace ranks {

// One rank's end. Both ends are made, used and ended together; each call waits for the other side.
class Link {
public:
    static constexpr size_t bytes = 2 << 20;

    // `folder`: where the two find each other; `generation`: of this link, the same on both sides; `gpu`: whose memory is
    // shared, none when negative.
    Link(int rank, const std::string& folder, uint64_t generation, int gpu);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // Waits for the other side, as NCCL does when a communicator is destroyed. Nothing is shared afterwards.
    void end();

    // Sums of both sides' values, on both sides the same.
    std::vector<uint64_t> all_reduce(const std::vector<uint64_t>& mine);

private:
    struct Block {
        CUmemGenericAllocationHandle handle = 0;
        CUdeviceptr address = 0;
    };

    void connect(const std::string& path);
    void map_segment(uint64_t generation);
    void share_device();
    void meet();
    Block mapped(CUmemGenericAllocationHandle handle) const;
    static void drop(const Block& block);

    const int rank_;
    const int gpu_;
    int connection_ = -1;
    uint64_t* segment_ = nullptr;
    Block mine_;
    Block theirs_;
};

}  // namespace ranks
