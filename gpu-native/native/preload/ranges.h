// Addresses that are cut into ranges and joined again. Nothing in here knows the driver.
//
// A range is bare (no memory behind it), free or used. A free one belongs to the stream that freed it last, which may have it
// again at once, or to anyone. Of what may be had, the smallest range that suffices is cut. Neighbours are joined as soon as they
// are free for the same stream; what is free for anyone joins what a neighbouring stream frees, and is that stream's then too
// until it has passed its free. So a program of one stream never sees a border between two free ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "cuda_abi.h"

namespace gpusnap::preload {

using OwnerId = uint64_t;
constexpr OwnerId anyone = 0;

struct Range {
    enum class Kind : uint8_t { bare, free, used };

    CUdeviceptr address = 0;
    size_t size = 0;
    Kind kind = Kind::bare;
    OwnerId owner = anyone;  // of a free one
    uint64_t freed_at = 0;   // in the owner's own time
    Range* before = nullptr;
    Range* after = nullptr;

    CUdeviceptr end() const { return address + size; }
};

class Ranges {
public:
    struct Region {
        CUdeviceptr address;
        size_t size;
    };

    Ranges() = default;
    ~Ranges();
    Ranges(const Ranges&) = delete;
    Ranges& operator=(const Ranges&) = delete;

    // More addresses, bare ones. Regions are never joined.
    void add(Region region);
    // The regions with nothing in them leave.
    std::vector<Region> take_bare_regions();
    std::vector<Region> regions() const;

    // Null when nothing that `owner` may have is large enough. The range lives until it is given back.
    Range* take(size_t size, OwnerId owner);
    // The smallest free range of another owner that is large enough, null when there is none.
    Range* of_others(size_t size, OwnerId owner) const;
    // The beginning of a free range, whoever's it is.
    Range* take_from(Range* free, size_t size);
    void give(Range* used, OwnerId owner, uint64_t now);
    // What an owner freed until then is for anyone.
    void passed(OwnerId owner, uint64_t until);
    bool rests(OwnerId owner) const;

    // Where memory is missing so that `owner` can take so much: as little as possible, but `least` where there is room for it. None:
    // more addresses are needed. All sizes of bare ranges are multiples of the granularity.
    std::optional<Region> missing(size_t size, OwnerId owner, size_t least, size_t granularity) const;
    // There is memory behind bare addresses now, for `owner` first.
    void back(Region region, OwnerId owner);
    // There is none any more; all of it must be free.
    void strip(Region region);

    // By address.
    std::vector<Region> free_ranges() const;
    // Those of at least a size that are free for anyone, by address; without a look at the others.
    std::vector<Region> free_for_anyone(size_t least) const;
    size_t used_bytes() const { return used_bytes_; }
    size_t free_bytes() const { return free_bytes_; }

private:
    struct BySize {
        bool operator()(const Range* a, const Range* b) const {
            return a->size != b->size ? a->size < b->size : a->address < b->address;
        }
    };
    using Index = std::set<Range*, BySize>;

    Range* at_least(OwnerId owner, size_t size) const;
    Range* cut(Range* range, size_t size);
    void absorb_after(Range* range);
    void settle(Range* range, OwnerId owner, uint64_t time, bool with_anyones);
    Range* at(CUdeviceptr address) const;
    Range* isolate(Region region);
    void enlist(Range* range);
    void delist(Range* range);

    std::map<CUdeviceptr, std::pair<size_t, Range*>> regions_;  // size, first range
    std::unordered_map<OwnerId, Index> free_;
    size_t used_bytes_ = 0;
    size_t free_bytes_ = 0;
};

}  // namespace gpusnap::preload
