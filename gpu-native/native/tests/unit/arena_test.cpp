// Stream-ordered memory against a driver whose streams go on when they are told to.
#include "preload/arena.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "contract/harness.h"
#include "preload/blocks.h"
#include "preload/contexts.h"
#include "unit/fake_driver.h"

using namespace unit;
using gpusnap::preload::Arena;
using gpusnap::preload::BlockTable;
using gpusnap::preload::Captures;
using gpusnap::preload::Range;
using gpusnap::preload::StreamKey;

namespace {

constexpr size_t mib = 1 << 20;
const auto context = reinterpret_cast<CUcontext>(uintptr_t{0x900});

StreamKey stream(uintptr_t handle, uint64_t thread = 0) {
    return {reinterpret_cast<CUstream>(handle), context, thread};
}

const StreamKey first = stream(0x101);
const StreamKey second = stream(0x102);
const StreamKey legacy = stream(0x1);
const StreamKey of_another_thread = stream(0x2, 1ull << 40);

uint64_t number_of(const StreamKey& key) {
    return reinterpret_cast<uintptr_t>(key.stream);
}

void work_in(const StreamKey& key) {
    fake().streams[number_of(key)].issued++;
}

void finish(const StreamKey& key) {
    FakeStream& stream = fake().streams[number_of(key)];
    stream.done = stream.issued;
}

// How often something was called with just these arguments; count() takes all that begins so.
int exactly(const std::string& call) {
    return static_cast<int>(std::count(fake().calls.begin(), fake().calls.end(), call));
}

struct Fixture {
    Fixture() {
        install_fake_driver();
        fake() = FakeDriver();
        blocks_before = BlockTable::get().count();
    }
    ~Fixture() {
        fake().fail_at.clear();
        fake().memory_left = ~0ull >> 1;
        arena.drop();
    }
    Range* allocate(size_t size, const StreamKey& key) {
        Range* range = nullptr;
        CHECK_EQUAL(arena.allocate(size, key, {}, &range), CUDA_SUCCESS);
        work_in(key);
        return range;
    }
    void free(Range* range, const StreamKey& key) {
        work_in(key);
        arena.free(range, key);
    }
    uint64_t blocks() { return BlockTable::get().count() - blocks_before; }

    Arena arena{context, 0};
    uint64_t blocks_before;
};

// Who freed an address when, and whether it has an owner.
class Schedule {
public:
    explicit Schedule(uint64_t seed) : random_(seed) { fake().memory_left = 320 * mib; }

    void step() {
        switch (random_() % 10) {
            case 0:
                work_in(any_stream());
                break;
            case 1:
                go_on(any_stream());
                break;
            case 2:
                if (random_() % 8 == 0) {
                    f_.arena.trim(random_() % 2 == 0 ? ~size_t{0} : 40 * mib);
                    forget_unmapped();
                }
                break;
            case 3:
            case 4:
            case 5:
            case 6:
                allocate();
                break;
            default:
                free();
                break;
        }
        // Only who frees in it may put anything into a default stream.
        CHECK_EQUAL(exactly("record 1") + exactly("record 2") + exactly("query 2"), default_records_);
        fake().calls.clear();
        default_records_ = 0;
    }

private:
    struct Free {
        size_t size;
        StreamKey stream;
        uint64_t place;
    };

    const StreamKey& any_stream() {
        static const std::vector<StreamKey> all{first, second, stream(0x103), legacy, of_another_thread};
        return all[random_() % all.size()];
    }

    void go_on(const StreamKey& key) {
        FakeStream& stream = fake().streams[number_of(key)];
        stream.done += stream.issued == stream.done ? 0 : 1 + random_() % (stream.issued - stream.done);
    }

    void allocate() {
        const StreamKey& key = any_stream();
        Range* range = nullptr;
        size_t size = random_() % 3 == 0 ? 1 + random_() % mib : 1 + random_() % (48 * mib);
        CUresult result = f_.arena.allocate(size, key, {}, &range);
        if (result != CUDA_SUCCESS) {
            CHECK_EQUAL(result, CUDA_ERROR_OUT_OF_MEMORY);
            return;
        }
        CHECK(range->size >= size);
        work_in(key);
        auto after = used_.lower_bound(range->address);
        CHECK(after == used_.end() || after->first >= range->end());
        CHECK(after == used_.begin() || std::prev(after)->second->end() <= range->address);
        for (auto at = freed_.begin(); at != freed_.end();) {
            if (at->first >= range->end() || at->first + at->second.size <= range->address) {
                ++at;
                continue;
            }
            CHECK(may_use(key, at->second));
            cut(at++, range->address, range->end());
        }
        used_[range->address] = range;
    }

    // The parts of what was freed that stay free.
    void cut(std::multimap<CUdeviceptr, Free>::iterator at, CUdeviceptr start, CUdeviceptr end) {
        auto [address, free] = *at;
        freed_.erase(at);
        if (address < start) {
            freed_.emplace(address, Free{start - address, free.stream, free.place});
        }
        if (address + free.size > end) {
            freed_.emplace(end, Free{address + free.size - end, free.stream, free.place});
        }
    }

    static bool may_use(const StreamKey& key, const Free& free) {
        return free.stream == key || fake().streams[number_of(free.stream)].done >= free.place ||
               fake().waited_for[{number_of(key), number_of(free.stream)}] >= free.place;
    }

    void free() {
        if (used_.empty()) {
            return;
        }
        auto at = std::next(used_.begin(), static_cast<ptrdiff_t>(random_() % used_.size()));
        Range* range = at->second;
        used_.erase(at);
        const StreamKey& key = any_stream();
        work_in(key);
        freed_.emplace(range->address, Free{range->size, key, fake().streams[number_of(key)].issued});
        fake().calls.clear();
        f_.arena.free(range, key);
        default_records_ = key == legacy || key == of_another_thread ? exactly("record " + std::to_string(number_of(key))) : 0;
    }

    // What went back to the driver is for whoever gets it next.
    void forget_unmapped() {
        std::erase_if(freed_, [](const auto& one) { return BlockTable::get().block_at(one.first) == 0; });
        for (const auto& [address, range] : used_) {
            CHECK(BlockTable::get().block_at(address) != 0 && BlockTable::get().block_at(range->end() - 1) != 0);
        }
    }

    Fixture f_;
    std::mt19937_64 random_;
    std::map<CUdeviceptr, Range*> used_;
    std::multimap<CUdeviceptr, Free> freed_;
    int default_records_ = 0;
};

}  // namespace

TEST("a stream uses again what it has freed without a call of the driver") {
    Fixture f;
    Range* range = f.allocate(5 * mib, first);
    CUdeviceptr address = range->address;
    fake().calls.clear();
    for (int i = 0; i < 10; i++) {
        f.free(range, first);
        range = f.allocate(5 * mib, first);
        CHECK_EQUAL(range->address, address);
    }
    CHECK_EQUAL(fake().calls.size(), 0u);
}

TEST("another stream waits for nothing, and gets memory when the first has passed the free") {
    Fixture f;
    Range* range = f.allocate(32 * mib, first);
    CUdeviceptr address = range->address;
    f.free(range, first);
    Range* other = f.allocate(32 * mib, second);
    CHECK(other->address != address);
    CHECK_EQUAL(fake().count("record 257"), 1);  // asked then, to be known later
    work_in(first);
    fake().streams[number_of(first)].done = 2;  // the free, but not what came after
    CHECK_EQUAL(f.allocate(32 * mib, second)->address, address);
    CHECK_EQUAL(fake().count("wait"), 0);
    CHECK_EQUAL(f.blocks(), 2u);
}

TEST("a default stream gets its events from whoever frees in it, and only when others are there") {
    Fixture f;
    f.free(f.allocate(32 * mib, legacy), legacy);
    CHECK_EQUAL(fake().count("record"), 0);
    f.allocate(4 * mib, first);
    CHECK_EQUAL(fake().count("record"), 0);
    f.free(f.allocate(8 * mib, legacy), legacy);
    CHECK_EQUAL(exactly("record 1"), 1);
    f.free(f.allocate(8 * mib, of_another_thread), of_another_thread);
    CHECK_EQUAL(exactly("record 2"), 1);
    f.allocate(64 * mib, first);
    CHECK_EQUAL(fake().count("record"), 2);
    CHECK_EQUAL(exactly("query 2"), 0);
}

TEST("while a stream records a graph none is asked, and none is given an event") {
    Fixture f;
    f.free(f.allocate(32 * mib, first), first);
    finish(first);
    Captures::get().begin(second.stream);
    fake().calls.clear();
    Range* other = f.allocate(32 * mib, legacy);
    CHECK_EQUAL(f.blocks(), 2u);
    CHECK_EQUAL(fake().count("query") + fake().count("record"), 0);
    Captures::get().end(second.stream);
    f.allocate(32 * mib, legacy);
    CHECK_EQUAL(f.blocks(), 2u);
    f.free(other, legacy);
}

TEST("what a stream freed before it ended is waited for, and a new one of its handle has nothing") {
    Fixture f;
    f.free(f.allocate(32 * mib, first), first);
    f.arena.stream_ends(first.stream);
    CHECK_EQUAL(fake().count("record 257"), 1);
    Range* other = f.allocate(32 * mib, first);
    CHECK_EQUAL(f.blocks(), 2u);
    finish(first);
    f.allocate(32 * mib, first);
    CHECK_EQUAL(f.blocks(), 2u);
    f.free(other, first);
}

TEST("where there is no more memory a smaller piece is tried, and then another stream's is waited for") {
    Fixture f;
    fake().memory_left = 40 * mib;
    Range* large = f.allocate(32 * mib, first);
    f.allocate(6 * mib, first);  // no 32 MiB are left
    CHECK_EQUAL(f.blocks(), 2u);
    f.free(large, first);
    Range* waited = f.allocate(20 * mib, second);
    CHECK_EQUAL(waited, large);
    CHECK_EQUAL(fake().count("wait 258 257"), 1);
    Range* none = nullptr;
    CHECK_EQUAL(f.arena.allocate(33 * mib, second, {}, &none), CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_EQUAL(f.arena.allocate(~size_t{0}, second, {}, &none), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST("a piece goes back when nothing in it is used, and the addresses when nothing is left") {
    Fixture f;
    f.free(f.allocate(64 * mib, first), first);
    finish(first);
    CHECK_EQUAL(f.arena.trim(~size_t{0}), 64 * mib);
    fake().forget();
    Range* a = f.allocate(20 * mib, first);  // a piece of its own
    Range* b = f.allocate(12 * mib, first);  // one of 20 MiB, which is what there is
    Range* c = f.allocate(20 * mib, first);  // in its last 8 MiB, and one of 32 MiB
    CHECK_EQUAL(f.blocks(), 3u);
    CHECK_EQUAL(fake().count("create 20971520"), 2);
    CHECK_EQUAL(fake().count("create 33554432"), 1);
    f.free(b, first);
    CHECK_EQUAL(f.arena.trim(~size_t{0}), 0u);
    f.free(c, first);
    CHECK_EQUAL(f.arena.trim(~size_t{0}), 0u);  // not yet passed
    finish(first);
    CHECK_EQUAL(f.arena.trim(1), 20 * mib);
    CHECK_EQUAL(f.blocks(), 2u);
    CHECK_EQUAL(fake().count("unreserve"), 0);
    Range* d = f.allocate(60 * mib, first);  // too much for the gap: in the free 32 MiB behind it, and 32 more
    CHECK_EQUAL(d->address, a->end() + 20 * mib);
    f.arena.give_back(a);
    f.arena.give_back(d);
    CHECK_EQUAL(f.arena.trim(~size_t{0}), 84 * mib);
    CHECK_EQUAL(f.blocks(), 0u);
    CHECK_EQUAL(fake().count("unreserve"), 1);
}

TEST("what the driver does not take back stays, and is tried again") {
    for (const char* function : {"unmap", "release", "unreserve"}) {
        Fixture f;
        f.free(f.allocate(32 * mib, first), first);
        finish(first);
        fake().fail_at[function] = 1;
        CHECK_EQUAL(f.arena.trim(~size_t{0}), std::string(function) == "unmap" ? 0u : 32 * mib);
        fake().forget();
        f.allocate(32 * mib, first);
        CHECK_EQUAL(fake().count("create"), std::string(function) == "unmap" ? 0 : 1);
    }
}

TEST("an allocation that fails at any call leaves nothing behind") {
    for (const char* function : {"reserve", "create", "map", "access"}) {
        Fixture f;
        fake().fail_at[function] = 1;
        fake().memory_left = 8 * mib;
        Range* range = nullptr;
        CUresult result = f.arena.allocate(5 * mib, first, {}, &range);
        CHECK(result == CUDA_SUCCESS || result == CUDA_ERROR_OUT_OF_MEMORY);
        CHECK_EQUAL(result == CUDA_SUCCESS, range != nullptr);
        CHECK_EQUAL(f.blocks(), result == CUDA_SUCCESS ? 1u : 0u);
        fake().forget();
        f.allocate(2 * mib, first);
    }
}

TEST("whatever the order, no memory is handed out that another stream has still to pass") {
    for (uint64_t seed = 0; seed < 30; seed++) {
        Schedule schedule(seed);
        for (int step = 0; step < 400; step++) {
            schedule.step();
        }
    }
}
