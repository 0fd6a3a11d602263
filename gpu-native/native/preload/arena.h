// Device memory of one pool in one context, cut for stream-ordered allocation.
//
// The memory comes in pieces, each a block of our own, mapped side by side into large reserved ranges: what is free on both sides
// of a piece's border can be handed out as one. The first is as large as it must be, later ones as large as all before, up to
// 32 MiB. A piece in which all is free can go back to the driver by itself.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "cuda_abi.h"
#include "preload/freeing_stream.h"
#include "preload/ranges.h"

namespace gpusnap::preload {

class Arena {
public:
    Arena(CUcontext context, CUdevice device) : context_(context), device_(device) {}

    CUcontext context() const { return context_; }
    CUdevice device() const { return device_; }

    CUresult allocate(size_t asked, const StreamKey& stream, const std::vector<CUmemAccessDesc>& access, Range** range);
    void free(Range* range, const StreamKey& stream);
    // Nobody works with it any more.
    void give_back(Range* range) { ranges_.give(range, anyone, 0); }

    // Pieces in which nothing is used or still to be passed by a stream go back to the driver, until at least so many bytes did.
    // Returns how many did.
    size_t trim(size_t at_least);
    // The device has come to rest: every free is over.
    void all_passed();
    void stream_ends(CUstream stream);
    CUresult set_access(const CUmemAccessDesc* map, size_t count);
    // Gives everything back, also what is used.
    void drop();

    // Whether a stream has still to pass a free.
    bool waits() const;

    size_t free_bytes() const { return ranges_.free_bytes(); }
    std::vector<Ranges::Region> free_ranges() const { return ranges_.free_ranges(); }

private:
    struct Piece {
        size_t size;
        uint64_t block;
    };

    FreeingStream& of(const StreamKey& stream);
    // All but `asking` may be forgotten.
    void ask_streams(const FreeingStream* asking);
    CUresult grow(size_t size, OwnerId owner, size_t least, const std::vector<CUmemAccessDesc>& access);
    CUresult reserve(size_t size, size_t granularity);
    Range* take_after_waiting(size_t size, const FreeingStream& stream);
    void free_addresses(const std::vector<Ranges::Region>& regions);

    CUcontext context_;
    CUdevice device_;
    Ranges ranges_;
    std::map<CUdeviceptr, Piece> pieces_;
    std::vector<std::unique_ptr<FreeingStream>> streams_;
    size_t last_stream_ = 0;  // where it was found last
    OwnerId last_id_ = anyone;
    size_t reserved_bytes_ = 0;  // addresses
};

}  // namespace gpusnap::preload
