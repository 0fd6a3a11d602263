// Which copies become one, and which do not.
#include "mover/plan.h"

#include <cstdint>
#include <sstream>

#include "contract/harness.h"

using namespace gpusnap;

namespace {

constexpr uint64_t mib = 1 << 20;
constexpr uint64_t chunk = 4 * mib;
constexpr uint64_t device = 0x7000'0000'0000;
constexpr uint64_t host = 0x5000'0000'0000;

struct Fixture {
    Fixture() {
        imported.add(device, 100 * chunk);
        pinned.add(host, 100 * chunk);
    }
    // Both sides in chunks.
    void item(double device_offset, double host_offset, double size = 1) {
        items.push_back({device + static_cast<uint64_t>(device_offset * chunk),
                         reinterpret_cast<void*>(host + static_cast<uint64_t>(host_offset * chunk)),
                         static_cast<uint64_t>(size * chunk)});
    }
    // "device+size<host" of each copy, in chunks.
    std::string plan() const {
        std::ostringstream text;
        for (const auto& copy : plan_copies(items.data(), items.size(), 16 * chunk, pinned, imported)) {
            text << static_cast<double>(copy.device_address - device) / chunk << "+"
                 << static_cast<double>(copy.size_bytes) / chunk << "<"
                 << static_cast<double>(reinterpret_cast<uint64_t>(copy.host_address) - host) / chunk << " ";
        }
        return text.str();
    }
    Areas pinned;
    Areas imported;
    std::vector<gpusnap_copy_item> items;
};

}  // namespace

TEST("items that continue on both sides become one copy") {
    Fixture f;
    f.item(0, 10);
    f.item(1, 11);
    f.item(2, 12, 0.5);
    f.item(3, 13);
    CHECK_EQUAL(f.plan(), std::string("0+2.5<10 3+1<13 "));
}

TEST("items that continue on one side only stay apart") {
    Fixture f;
    f.item(0, 10);
    f.item(1, 12);
    f.item(3, 13);
    f.item(2, 14);
    CHECK_EQUAL(f.plan(), std::string("0+1<10 1+1<12 3+1<13 2+1<14 "));
}

TEST("a merged copy has an upper limit") {
    Fixture f;
    for (int i = 0; i < 35; i++) {
        f.item(i, i);
    }
    CHECK_EQUAL(f.plan(), std::string("0+16<0 16+16<16 32+3<32 "));
}

TEST("no copy runs from one pinned region into the next") {
    Fixture f;
    f.pinned.remove(host);
    f.pinned.add(host, 2 * chunk);
    f.pinned.add(host + 2 * chunk, 2 * chunk);
    f.item(0, 0);
    f.item(1, 1);
    f.item(2, 2);
    f.item(3, 3);
    f.item(4, 4);  // behind them, where nothing is pinned
    f.item(5, 5);
    CHECK_EQUAL(f.plan(), std::string("0+2<0 2+2<2 4+2<4 "));
}

TEST("an item that lies across pinned regions is cut where they meet") {
    Fixture f;
    f.pinned.remove(host);
    f.pinned.add(host + chunk, chunk);
    f.pinned.add(host + 2 * chunk, chunk);
    f.item(0, 0.5, 4);
    CHECK_EQUAL(f.plan(), std::string("0+0.5<0.5 0.5+1<1 1.5+1<2 2.5+1.5<3 "));
}

TEST("no copy runs from one allocation into the next") {
    Fixture f;
    f.imported.remove(device);
    f.imported.add(device, 2 * chunk);
    f.imported.add(device + 2 * chunk, 2 * chunk);
    for (int i = 0; i < 4; i++) {
        f.item(i, i);
    }
    CHECK_EQUAL(f.plan(), std::string("0+2<0 2+2<2 "));
}

TEST("items of device memory that is not a workload's are copied as they are") {
    Fixture f;
    f.imported.remove(device);
    f.item(0, 0);
    f.item(1, 1);
    CHECK_EQUAL(f.plan(), std::string("0+1<0 1+1<1 "));
}

TEST("items of no bytes vanish") {
    Fixture f;
    f.item(0, 0, 0);
    f.item(0, 0);
    f.item(1, 1, 0);
    f.item(1, 1);
    CHECK_EQUAL(f.plan(), std::string("0+2<0 "));
    f.items.clear();
    CHECK_EQUAL(f.plan(), std::string());
}
