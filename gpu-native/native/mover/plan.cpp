#include "mover/plan.h"

namespace gpusnap {
namespace {

uint64_t host(const gpusnap_copy_item& item) {
    return reinterpret_cast<uint64_t>(item.host_address);
}

bool continues(const gpusnap_copy_item& first, const gpusnap_copy_item& next, uint64_t merged_bytes, const Areas& pinned,
               const Areas& imported) {
    uint64_t both = first.size_bytes + next.size_bytes;
    return first.device_address + first.size_bytes == next.device_address &&
           host(first) + first.size_bytes == host(next) && both <= merged_bytes &&
           pinned.run(host(first), both) == both && imported.hold(first.device_address, both);
}

}  // namespace

std::vector<gpusnap_copy_item> plan_copies(const gpusnap_copy_item* items, size_t count, uint64_t merged_bytes,
                                           const Areas& pinned, const Areas& imported) {
    std::vector<gpusnap_copy_item> plan;
    for (size_t i = 0; i < count; i++) {
        gpusnap_copy_item left = items[i];
        if (!plan.empty() && left.size_bytes > 0 && continues(plan.back(), left, merged_bytes, pinned, imported)) {
            plan.back().size_bytes += left.size_bytes;
            continue;
        }
        while (left.size_bytes > 0) {
            uint64_t part = pinned.run(host(left), left.size_bytes);
            plan.push_back({left.device_address, left.host_address, part});
            left = {left.device_address + part, static_cast<char*>(left.host_address) + part, left.size_bytes - part};
        }
    }
    return plan;
}

}  // namespace gpusnap
