// Ranges against a list of single units, in random order.
#include "preload/ranges.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "contract/harness.h"

using gpusnap::preload::anyone;
using gpusnap::preload::OwnerId;
using gpusnap::preload::Range;
using gpusnap::preload::Ranges;

namespace {

constexpr CUdeviceptr base = 1 << 20;

struct Fixture {
    Fixture() { ranges.add({base, 1000}); }
    Range* take(size_t size, OwnerId owner) {
        Range* range = ranges.take(size, owner);
        CHECK(range != nullptr);
        CHECK_EQUAL(range->size, size);
        return range;
    }
    Ranges ranges;
};

// What is behind each address, and who freed it when.
struct Unit {
    enum class State { bare, free, used } state = State::bare;
    OwnerId owner = anyone;
    uint64_t freed_at = 0;
};

class Model {
public:
    Model(std::vector<Ranges::Region> regions, uint64_t seed) : regions_(std::move(regions)), random_(seed) {
        for (const Ranges::Region& region : regions_) {
            ranges_.add(region);
            for (CUdeviceptr at = region.address; at < region.address + region.size; at++) {
                units_[at] = {};
            }
        }
    }

    void step() {
        switch (random_() % 8) {
            case 0:
            case 1:
            case 2:
                take();
                break;
            case 3:
            case 4:
            case 5:
                give();
                break;
            case 6:
                pass();
                break;
            default:
                strip();
                break;
        }
    }

    void check() {
        size_t used = 0;
        size_t free = 0;
        for (const auto& [at, unit] : units_) {
            used += unit.state == Unit::State::used;
            free += unit.state == Unit::State::free;
        }
        CHECK_EQUAL(ranges_.used_bytes(), used);
        CHECK_EQUAL(ranges_.free_bytes(), free);
        size_t listed = 0;
        for (const Ranges::Region& region : ranges_.free_ranges()) {
            for (CUdeviceptr at = region.address; at < region.address + region.size; at++) {
                CHECK(units_.at(at).state == Unit::State::free);
            }
            listed += region.size;
        }
        CHECK_EQUAL(listed, free);
        for (const Ranges::Region& region : ranges_.free_for_anyone(1)) {
            for (CUdeviceptr at = region.address; at < region.address + region.size; at++) {
                CHECK(passed(units_.at(at)));
            }
        }
    }

private:
    static constexpr size_t granularity = 16;

    bool passed(const Unit& unit) { return unit.owner == anyone || unit.freed_at <= passed_[unit.owner]; }

    void take() {
        OwnerId owner = 1 + random_() % 3;
        size_t size = 1 + random_() % 60;
        Range* range = ranges_.take(size, owner);
        if (range == nullptr) {
            // Not one run that is this owner's alone is long enough.
            CHECK(longest_run(owner) < size);
            auto missing = ranges_.missing(size, owner, 2 * granularity, granularity);
            if (!missing) {
                return;
            }
            CHECK_EQUAL(missing->size % granularity, 0u);
            set(missing->address, missing->size, Unit::State::bare, {Unit::State::free, anyone, 0});
            ranges_.back(*missing, owner);
            range = ranges_.take(size, owner);
            CHECK(range != nullptr);
        }
        CHECK_EQUAL(range->size, size);
        for (CUdeviceptr at = range->address; at < range->end(); at++) {
            const Unit& unit = units_.at(at);
            CHECK(unit.state == Unit::State::free);
            CHECK(unit.owner == owner || passed(unit));
        }
        set(range->address, size, Unit::State::free, {Unit::State::used, anyone, 0});
        used_.push_back(range);
    }

    void give() {
        if (used_.empty()) {
            return;
        }
        std::swap(used_[random_() % used_.size()], used_.back());
        Range* range = used_.back();
        used_.pop_back();
        OwnerId owner = random_() % 4;
        uint64_t now = owner == anyone ? 0 : ++now_[owner];
        set(range->address, range->size, Unit::State::used, {Unit::State::free, owner, now});
        ranges_.give(range, owner, now);
    }

    void pass() {
        OwnerId owner = 1 + random_() % 3;
        passed_[owner] = std::max(passed_[owner], now_[owner] - std::min<uint64_t>(now_[owner], random_() % 3));
        ranges_.passed(owner, passed_[owner]);
    }

    // Whole granules that are free for anyone lose what is behind them.
    void strip() {
        auto free = ranges_.free_for_anyone(1);
        if (free.empty()) {
            return;
        }
        Ranges::Region region = free[random_() % free.size()];
        CUdeviceptr first = (region.address + granularity - 1) / granularity * granularity;
        CUdeviceptr end = (region.address + region.size) / granularity * granularity;
        if (first < end) {
            set(first, end - first, Unit::State::free, {});
            ranges_.strip({first, end - first});
        }
    }

    void set(CUdeviceptr address, size_t size, Unit::State before, Unit after) {
        for (CUdeviceptr at = address; at < address + size; at++) {
            Unit& unit = units_.at(at);
            CHECK(unit.state == before);
            unit = after;
        }
    }

    // Of what this owner has freed and not passed yet.
    size_t longest_run(OwnerId owner) {
        size_t longest = 0;
        size_t run = 0;
        CUdeviceptr next = 0;
        for (const auto& [at, unit] : units_) {
            bool counts = unit.state == Unit::State::free && unit.owner == owner && !passed(unit);
            run = !counts ? 0 : at == next ? run + 1 : 1;
            next = at + 1;
            longest = std::max(longest, run);
        }
        return longest;
    }

    std::vector<Ranges::Region> regions_;
    std::mt19937_64 random_;
    Ranges ranges_;
    std::map<CUdeviceptr, Unit> units_;
    std::map<OwnerId, uint64_t> now_;
    std::map<OwnerId, uint64_t> passed_;
    std::vector<Range*> used_;
};

}  // namespace

TEST("the smallest free range that suffices is cut, and joined again") {
    Fixture f;
    f.ranges.back({base, 1000}, anyone);
    Range* first = f.take(100, 1);
    Range* second = f.take(300, 1);
    Range* third = f.take(200, 1);
    CHECK_EQUAL(second->address, base + 100);
    f.ranges.give(second, 1, 1);
    CHECK_EQUAL(f.take(250, 1)->address, base + 100);
    CHECK_EQUAL(f.take(300, 1)->address, base + 600);
    CHECK_EQUAL(f.take(50, 1)->address, base + 350);
    CHECK(f.ranges.take(101, 1) == nullptr);
    f.ranges.give(first, 1, 2);
    f.ranges.give(third, 1, 3);
    CHECK_EQUAL(f.ranges.free_ranges().size(), 3u);
    CHECK_EQUAL(f.ranges.used_bytes(), 600u);
    CHECK_EQUAL(f.ranges.free_bytes(), 400u);
}

TEST("what a stream frees is nobody else's until it has passed the free") {
    Fixture f;
    f.ranges.back({base, 1000}, anyone);
    Range* all = f.take(1000, 1);
    f.ranges.give(all, 1, 7);
    CHECK(f.ranges.take(10, 2) == nullptr);
    CHECK(f.ranges.rests(1));
    f.ranges.passed(1, 6);
    CHECK(f.ranges.take(10, 2) == nullptr);
    f.ranges.passed(1, 7);
    CHECK(!f.ranges.rests(1));
    CHECK(f.ranges.take(1000, 2) != nullptr);
}

TEST("a stream that waits gets the smallest range of another one") {
    Fixture f;
    f.ranges.back({base, 1000}, anyone);
    Range* first = f.take(100, 1);
    Range* second = f.take(300, 1);
    f.ranges.give(f.take(600, 1), 3, 1);
    f.ranges.give(first, 2, 1);
    CHECK(f.ranges.of_others(601, 1) == nullptr);
    CHECK_EQUAL(f.ranges.of_others(200, 1)->address, base + 400);
    CHECK_EQUAL(f.ranges.of_others(100, 1), first);
    CHECK_EQUAL(f.ranges.take_from(first, 40)->address, base);
    CHECK_EQUAL(second->address, base + 100);
}

TEST("memory is missing where the least of it is needed, and not less than the least piece") {
    Ranges ranges;
    ranges.add({base, 1024});
    auto missing = ranges.missing(100, 1, 256, 64);
    CHECK(missing.has_value());
    CHECK_EQUAL(missing->address, base);
    CHECK_EQUAL(missing->size, 256u);
    ranges.back(*missing, 1);
    CHECK(ranges.take(200, 1) != nullptr);
    missing = ranges.missing(300, 1, 64, 64);  // 56 are there
    CHECK_EQUAL(missing->address, base + 256);
    CHECK_EQUAL(missing->size, 256u);
    CHECK_EQUAL(ranges.missing(300, 2, 64, 64)->size, 320u);  // but they are not the other's
    CHECK(!ranges.missing(1000, 1, 64, 64).has_value());
    CHECK_EQUAL(ranges.missing(700, 1, 4096, 64)->size, 768u);
}

TEST("a region leaves when nothing is in it") {
    Ranges ranges;
    ranges.add({base, 256});
    ranges.add({base + 4096, 256});
    ranges.back({base, 128}, 1);
    CHECK_EQUAL(ranges.take_bare_regions().size(), 1u);
    ranges.passed(1, 0);
    ranges.strip({base, 128});
    CHECK_EQUAL(ranges.take_bare_regions().size(), 1u);
    CHECK_EQUAL(ranges.regions().size(), 0u);
}

TEST("whatever the order, no two have one address, and nobody gets what another stream still uses") {
    for (uint64_t seed = 0; seed < 40; seed++) {
        Model model({{1024, 640}, {4096, 320}}, seed);
        for (int step = 0; step < 500; step++) {
            model.step();
            if (step % 10 == 0) {
                model.check();
            }
        }
    }
}
