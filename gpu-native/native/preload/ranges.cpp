#include "preload/ranges.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gpusnap::preload {

Ranges::~Ranges() {
    for (auto& [address, region] : regions_) {
        for (Range* at = region.second; at != nullptr;) {
            delete std::exchange(at, at->after);
        }
    }
}

void Ranges::add(Region region) {
    auto* bare = new Range;
    bare->address = region.address;
    bare->size = region.size;
    regions_[region.address] = {region.size, bare};
}

std::vector<Ranges::Region> Ranges::take_bare_regions() {
    std::vector<Region> taken;
    for (auto at = regions_.begin(); at != regions_.end();) {
        auto [size, first] = at->second;
        if (first->kind == Range::Kind::bare && first->size == size) {
            taken.push_back({at->first, size});
            delete first;
            at = regions_.erase(at);
        } else {
            ++at;
        }
    }
    return taken;
}

std::vector<Ranges::Region> Ranges::regions() const {
    std::vector<Region> all;
    for (const auto& [address, region] : regions_) {
        all.push_back({address, region.first});
    }
    return all;
}

void Ranges::enlist(Range* range) {
    free_[range->owner].insert(range);
    free_bytes_ += range->size;
}

void Ranges::delist(Range* range) {
    auto found = free_.find(range->owner);
    found->second.erase(range);
    if (found->second.empty() && range->owner != anyone) {
        free_.erase(found);
    }
    free_bytes_ -= range->size;
}

Range* Ranges::at_least(OwnerId owner, size_t size) const {
    auto found = free_.find(owner);
    if (found == free_.end()) {
        return nullptr;
    }
    Range wanted;
    wanted.size = size;
    auto smallest = found->second.lower_bound(&wanted);
    return smallest == found->second.end() ? nullptr : *smallest;
}

Range* Ranges::take(size_t size, OwnerId owner) {
    Range* own = at_least(owner, size);
    Range* anyones = at_least(anyone, size);
    bool prefer_own = own != nullptr && (anyones == nullptr || own->size <= anyones->size);
    Range* best = prefer_own ? own : anyones;
    return best == nullptr ? nullptr : take_from(best, size);
}

Range* Ranges::of_others(size_t size, OwnerId owner) const {
    Range* best = nullptr;
    for (const auto& [other, index] : free_) {
        Range* candidate = other == owner || other == anyone ? nullptr : at_least(other, size);
        if (candidate != nullptr && (best == nullptr || candidate->size < best->size)) {
            best = candidate;
        }
    }
    return best;
}

Range* Ranges::take_from(Range* free, size_t size) {
    delist(free);
    if (free->size > size) {
        enlist(cut(free, size));
    }
    free->kind = Range::Kind::used;
    used_bytes_ += size;
    return free;
}

// What is beyond a size becomes a range of its own, of the same kind and in no list.
Range* Ranges::cut(Range* range, size_t size) {
    auto* rest = new Range(*range);
    rest->address += size;
    rest->size -= size;
    rest->before = range;
    if (rest->after != nullptr) {
        rest->after->before = rest;
    }
    range->size = size;
    range->after = rest;
    return rest;
}

// Neither may be in a list.
void Ranges::absorb_after(Range* range) {
    Range* gone = range->after;
    range->size += gone->size;
    range->after = gone->after;
    if (range->after != nullptr) {
        range->after->before = range;
    }
    delete gone;
}

// A range that is in no list becomes a free one, and one with those neighbours that are free for the same.
void Ranges::settle(Range* range, OwnerId owner, uint64_t time, bool with_anyones) {
    range->kind = Range::Kind::free;
    range->owner = owner;
    range->freed_at = time;
    auto joins = [&](const Range* neighbour) {
        return neighbour != nullptr && neighbour->kind == Range::Kind::free &&
               (neighbour->owner == owner || (with_anyones && neighbour->owner == anyone));
    };
    if (joins(range->after)) {
        delist(range->after);
        range->freed_at = std::max(range->freed_at, range->after->freed_at);
        absorb_after(range);
    }
    if (joins(range->before)) {
        Range* front = range->before;
        delist(front);
        front->owner = owner;
        front->freed_at = std::max(range->freed_at, front->freed_at);
        absorb_after(front);
        range = front;
    }
    enlist(range);
}

void Ranges::give(Range* used, OwnerId owner, uint64_t now) {
    used_bytes_ -= used->size;
    settle(used, owner, now, true);
}

void Ranges::passed(OwnerId owner, uint64_t until) {
    auto found = free_.find(owner);
    if (owner == anyone || found == free_.end()) {
        return;
    }
    std::vector<Range*> over;
    for (Range* range : found->second) {
        if (range->freed_at <= until) {
            over.push_back(range);
        }
    }
    // Two of one owner are never neighbours, so none of these goes when another one is settled.
    for (Range* range : over) {
        delist(range);
        settle(range, anyone, 0, false);
    }
}

bool Ranges::rests(OwnerId owner) const {
    auto found = free_.find(owner);
    return found != free_.end() && !found->second.empty();
}

std::optional<Ranges::Region> Ranges::missing(size_t size, OwnerId owner, size_t least, size_t granularity) const {
    std::optional<Region> best;
    size_t best_need = 0;
    for (const auto& [address, region] : regions_) {
        for (const Range* at = region.second; at != nullptr; at = at->after) {
            if (at->kind != Range::Kind::bare) {
                continue;
            }
            const Range* front = at->before;
            bool helps = front != nullptr && front->kind == Range::Kind::free && front->size < size &&
                         (front->owner == owner || front->owner == anyone);
            size_t need = size - (helps ? front->size : 0);
            need = (need + granularity - 1) / granularity * granularity;
            if (need <= at->size && (!best || need < best_need)) {
                best_need = need;
                best = Region{at->address, std::min(std::max(need, least), at->size)};
            }
        }
    }
    return best;
}

Range* Ranges::at(CUdeviceptr address) const {
    Range* range = std::prev(regions_.upper_bound(address))->second.second;
    while (range->end() <= address) {
        range = range->after;
    }
    return range;
}

// A range that lies in no list, with exactly these borders.
Range* Ranges::isolate(Region region) {
    Range* range = at(region.address);
    bool listed = range->kind == Range::Kind::free;
    if (listed) {
        delist(range);
    }
    auto leave = [&](Range* part) {
        if (listed) {
            enlist(part);
        }
    };
    if (range->address < region.address) {
        Range* rest = cut(range, region.address - range->address);
        leave(range);
        range = rest;
    }
    if (range->size > region.size) {
        leave(cut(range, region.size));
    }
    return range;
}

void Ranges::back(Region region, OwnerId owner) {
    settle(isolate(region), owner, 0, true);
}

void Ranges::strip(Region region) {
    Range* range = isolate(region);
    range->kind = Range::Kind::bare;
    if (range->after != nullptr && range->after->kind == Range::Kind::bare) {
        absorb_after(range);
    }
    if (range->before != nullptr && range->before->kind == Range::Kind::bare) {
        absorb_after(range->before);
    }
}

std::vector<Ranges::Region> Ranges::free_ranges() const {
    std::vector<Region> all;
    for (const auto& [address, region] : regions_) {
        for (const Range* at = region.second; at != nullptr; at = at->after) {
            if (at->kind == Range::Kind::free) {
                all.push_back({at->address, at->size});
            }
        }
    }
    return all;
}

std::vector<Ranges::Region> Ranges::free_for_anyone(size_t least) const {
    std::vector<Region> all;
    if (auto found = free_.find(anyone); found != free_.end()) {
        Range wanted;
        wanted.size = least;
        for (auto at = found->second.lower_bound(&wanted); at != found->second.end(); ++at) {
            all.push_back({(*at)->address, (*at)->size});
        }
    }
    std::sort(all.begin(), all.end(), [](const Region& a, const Region& b) { return a.address < b.address; });
    return all;
}

}  // namespace gpusnap::preload
