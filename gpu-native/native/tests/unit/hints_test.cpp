// The table of hints by itself.
#include "preload/hints.h"

#include "contract/harness.h"
#include "gpusnap_hints.h"

using gpusnap::preload::Hints;

namespace {

std::string listed(Hints& hints) {
    std::string text;
    for (const auto& hint : hints.all()) {
        text += std::to_string(hint.address) + "+" + std::to_string(hint.size) + "=" + hint.tag + " ";
    }
    return text;
}

}  // namespace

TEST("a hint takes the place of the one that begins at the same address, and overlaps others") {
    Hints hints;
    CHECK(hints.add({1000, 100, "a"}));
    CHECK(hints.add({1050, 100, "b"}));
    CHECK(hints.add({1000, 20, "c"}));
    CHECK_EQUAL(listed(hints), std::string("1000+20=c 1050+100=b "));
    CHECK(hints.remove(1000));
    CHECK(!hints.remove(1000));
    CHECK_EQUAL(listed(hints), std::string("1050+100=b "));
}

TEST("memory that goes takes along every hint that touches it, and no other") {
    for (uint64_t at : {900, 999, 1000, 1050, 1099, 1100, 1200}) {
        Hints hints;
        hints.add({1000, 100, "a"});
        hints.forget(at, 50);
        bool touched = at + 50 > 1000 && at < 1100;
        CHECK_EQUAL(hints.all().size(), touched ? 0u : 1u);
    }
}

TEST("a hint that lies around the memory that goes is gone as a whole, its neighbours stay") {
    Hints hints;
    hints.add({0x1000, 0x9000, "around"});
    hints.add({0x2000, 0x1000, "before"});
    hints.add({0x5000, 0x1000, "behind"});
    hints.forget(0x3000, 0x2000);
    CHECK_EQUAL(hints.all().size(), 2u);
    CHECK_EQUAL(hints.all().at(0).tag, std::string("before"));
    CHECK_EQUAL(hints.all().at(1).tag, std::string("behind"));
}

TEST("more hints than the limit are refused, but a known one may change") {
    Hints hints;
    for (uint64_t i = 0; i < GPUSNAP_HINT_MAX_RANGES; i++) {
        CHECK(hints.add({4096 * (i + 1), 4096, "x"}));
    }
    CHECK(!hints.add({1, 1, "x"}));
    CHECK(hints.add({4096, 8192, "y"}));
    CHECK(hints.remove(8192));
    CHECK(hints.add({1, 1, "x"}));
}
