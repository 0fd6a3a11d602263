#include "preload/arena.h"

#include <algorithm>

#include "preload/allocations.h"
#include "preload/blocks.h"
#include "preload/contexts.h"
#include "preload/hooks.h"
#include "preload/log.h"

namespace gpusnap::preload {
namespace {

// A piece takes about as long as it is short: fewer of them, but not for a program that needs little.
constexpr size_t least_piece = 32 << 20;
constexpr size_t least_region = 4ull << 30;
constexpr size_t most_bytes = 1ull << 46;

// Borders of small ranges are where the driver has them. Those of large ones are farther apart: lengths that hardly differ can
// take each other's place then.
constexpr size_t rounded(size_t asked) {
    size_t unit = asked < (1 << 20) ? 512 : 64 << 10;
    return (asked + unit - 1) / unit * unit;
}

// To ask a stream that records a graph would spoil that. None begins to while the pools are locked: see capture_begins().
bool streams_can_be_asked() {
    return !Captures::get().begun();
}

}  // namespace

FreeingStream& Arena::of(const StreamKey& stream) {
    if (last_stream_ < streams_.size() && streams_[last_stream_]->key() == stream) {
        return *streams_[last_stream_];
    }
    auto found = std::find_if(streams_.begin(), streams_.end(), [&](const auto& known) { return known->key() == stream; });
    last_stream_ = static_cast<size_t>(found - streams_.begin());
    if (found == streams_.end()) {
        streams_.push_back(std::make_unique<FreeingStream>(++last_id_, stream));
    }
    return *streams_[last_stream_];
}

CUresult Arena::allocate(size_t asked, const StreamKey& key, const std::vector<CUmemAccessDesc>& access, Range** range) {
    if (asked > most_bytes) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    size_t size = rounded(asked);
    const FreeingStream& stream = of(key);
    OwnerId owner = stream.id();
    *range = ranges_.take(size, owner);
    if (*range != nullptr) {
        return CUDA_SUCCESS;
    }
    RelaxedCapture relaxed;
    CurrentContext scope(context_);
    ask_streams(&stream);
    *range = ranges_.take(size, owner);
    if (*range != nullptr) {
        return CUDA_SUCCESS;
    }
    CUresult result = grow(size, owner, std::min(least_piece, ranges_.used_bytes() + ranges_.free_bytes()), access);
    if (result == CUDA_ERROR_OUT_OF_MEMORY) {
        result = grow(size, owner, 0, access);
    }
    *range = result == CUDA_ERROR_OUT_OF_MEMORY ? take_after_waiting(size, stream) : ranges_.take(size, owner);
    return *range != nullptr ? CUDA_SUCCESS : result;
}

// When the driver has no more, waiting in stream order is better than failing.
Range* Arena::take_after_waiting(size_t size, const FreeingStream& stream) {
    Range* free = ranges_.of_others(size, stream.id());
    if (free == nullptr) {
        return nullptr;
    }
    auto owner = std::find_if(streams_.begin(), streams_.end(), [&](const auto& known) { return known->id() == free->owner; });
    bool waits = (*owner)->let_wait(stream.key().stream, free->freed_at, streams_can_be_asked());
    return waits ? ranges_.take_from(free, size) : nullptr;
}

CUresult Arena::grow(size_t size, OwnerId owner, size_t least, const std::vector<CUmemAccessDesc>& access) {
    size_t granularity = Allocations::granularity_of(device_);
    if (granularity == 0) {
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    auto missing = ranges_.missing(size, owner, least, granularity);
    if (!missing) {
        CUresult result = reserve(size, granularity);
        if (result != CUDA_SUCCESS) {
            return result;
        }
        missing = ranges_.missing(size, owner, least, granularity);
    }
    uint64_t block = 0;
    CUresult result = Allocations::back(missing->address, missing->size, device_, access, &block);
    if (result == CUDA_SUCCESS) {
        pieces_[missing->address] = Piece{missing->size, block};
        ranges_.back(*missing, owner);
    }
    return result;
}

// Addresses cost next to nothing: as many again as there are.
CUresult Arena::reserve(size_t size, size_t granularity) {
    Ranges::Region region{0, std::max({least_region, reserved_bytes_, (size + granularity - 1) / granularity * granularity})};
    CUresult result = real::cuMemAddressReserve(&region.address, region.size, 0, 0, 0);
    if (result == CUDA_SUCCESS) {
        reserved_bytes_ += region.size;
        ranges_.add(region);
    }
    return result;
}

void Arena::free(Range* range, const StreamKey& key) {
    FreeingStream& stream = of(key);
    uint64_t now = stream.freed(streams_.size() > 1);
    ranges_.give(range, stream.id(), now);
}

void Arena::ask_streams(const FreeingStream* asking) {
    bool ask = streams_can_be_asked();
    for (const auto& stream : streams_) {
        if (ranges_.rests(stream->id())) {
            ranges_.passed(stream->id(), stream->passed(ask));
        }
    }
    // Those of threads that ended, too: nobody tells of that.
    std::erase_if(streams_, [&](const auto& stream) {
        return stream.get() != asking && (stream->gone() || stream->key().thread != 0) && !ranges_.rests(stream->id());
    });
}

bool Arena::waits() const {
    return std::any_of(streams_.begin(), streams_.end(), [&](const auto& stream) { return ranges_.rests(stream->id()); });
}

void Arena::all_passed() {
    for (const auto& stream : streams_) {
        stream->all_passed();
        ranges_.passed(stream->id(), stream->now());
    }
}

size_t Arena::trim(size_t at_least) {
    RelaxedCapture relaxed;
    CurrentContext scope(context_);
    ask_streams(nullptr);
    size_t trimmed = 0;
    for (const Ranges::Region& free : ranges_.free_for_anyone(Allocations::granularity_of(device_))) {
        auto piece = pieces_.lower_bound(free.address);
        while (trimmed < at_least && piece != pieces_.end() &&
               piece->first + piece->second.size <= free.address + free.size) {
            auto [address, content] = *piece;
            CUresult result = Allocations::unback(address, content.size, content.block);
            if (result != CUDA_SUCCESS) {
                log(Level::error, "freed memory of %zu bytes could not be returned: CUDA error %d", content.size, result);
            }
            if (BlockTable::get().block_at(address) != 0) {
                ++piece;  // still there
                continue;
            }
            ranges_.strip({address, content.size});
            piece = pieces_.erase(piece);
            trimmed += content.size;
        }
    }
    free_addresses(ranges_.take_bare_regions());
    return trimmed;
}

void Arena::free_addresses(const std::vector<Ranges::Region>& regions) {
    for (const Ranges::Region& region : regions) {
        reserved_bytes_ -= region.size;
        CUresult result = real::cuMemAddressFree(region.address, region.size);
        if (result != CUDA_SUCCESS) {
            log(Level::error, "addresses of freed memory could not be returned: CUDA error %d", result);
        }
    }
}

void Arena::stream_ends(CUstream stream) {
    for (const auto& known : streams_) {
        if (known->key().stream == stream) {
            RelaxedCapture relaxed;
            known->ends();
        }
    }
}

CUresult Arena::set_access(const CUmemAccessDesc* map, size_t count) {
    for (const auto& [address, piece] : pieces_) {
        CUresult result = BlockTable::get().set_access(address, piece.size, map, count);
        if (result != CUDA_SUCCESS) {
            return result;
        }
    }
    return CUDA_SUCCESS;
}

void Arena::drop() {
    RelaxedCapture relaxed;
    CUresult failed = CUDA_SUCCESS;
    for (const auto& [address, piece] : pieces_) {
        CUresult result = Allocations::unback(address, piece.size, piece.block);
        failed = failed != CUDA_SUCCESS ? failed : result;
    }
    pieces_.clear();
    if (failed != CUDA_SUCCESS) {
        log(Level::error, "memory of a destroyed context could not be freed: CUDA error %d", failed);
        return;  // some is still mapped: its addresses must not be given away
    }
    free_addresses(ranges_.regions());
}

}  // namespace gpusnap::preload
