// How much a hold takes of what the process may open.
#include "target/hold.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "contract/harness.h"

using namespace contract;

TEST("a hold takes half of the files that the process may open, and closes what is too much") {
    std::vector<int> descriptors;
    for (int i = 0; i < 12; i++) {
        descriptors.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
        CHECK(descriptors.back() >= 0);
    }
    rlimit before{};
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit few{20, before.rlim_max};
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    {
        gpusnap::HeldMemory hold;
        for (size_t i = 0; i < descriptors.size(); i++) {
            hold.add(i, descriptors[i]);
        }
        for (size_t i = 0; i < descriptors.size(); i++) {
            CHECK_EQUAL(fcntl(descriptors[i], F_GETFD) >= 0, i < 10);
        }
    }
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int descriptor : descriptors) {
        CHECK(fcntl(descriptor, F_GETFD) < 0);
    }
}
