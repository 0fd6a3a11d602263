#include "mover/streams.h"

using namespace gpusnap;

namespace {

void enqueue(const Driver& driver, gpusnap_direction direction, const gpusnap_copy_item& item, CUstream stream) {
    if (direction == GPUSNAP_DEVICE_TO_HOST) {
        driver.check(driver.cuMemcpyDtoHAsync_v2(item.host_address, item.device_address, item.size_bytes, stream),
                     "cuMemcpyDtoHAsync_v2");
    } else {
        driver.check(driver.cuMemcpyHtoDAsync_v2(item.device_address, item.host_address, item.size_bytes, stream),
                     "cuMemcpyHtoDAsync_v2");
    }
}

}  // namespace

gpusnap_status gpusnap_copy(uint32_t gpu_ordinal, gpusnap_direction direction, const gpusnap_copy_item* items,
                            size_t count) {
    return guarded([&] {
        require(items != nullptr || count == 0, "items is NULL but count is not 0");
        require(direction == GPUSNAP_DEVICE_TO_HOST || direction == GPUSNAP_HOST_TO_DEVICE, "unknown direction");
        for (size_t i = 0; i < count; i++) {
            require(items[i].device_address != 0 && items[i].host_address != nullptr, "an item has a NULL address");
        }
        const Driver& driver = Driver::get();
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        BorrowedStream stream(which);
        for (size_t i = 0; i < count; i++) {
            if (items[i].size_bytes > 0) {
                enqueue(driver, direction, items[i], stream.get());
            }
        }
        stream.finish(direction == GPUSNAP_DEVICE_TO_HOST ? "copy from the device" : "copy to the device");
    });
}

gpusnap_status gpusnap_fill_zero(uint32_t gpu_ordinal, uint64_t device_address, uint64_t size_bytes) {
    return guarded([&] {
        require(device_address != 0, "device_address is 0");
        const Driver& driver = Driver::get();
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        BorrowedStream stream(which);
        if (size_bytes > 0) {
            driver.check(driver.cuMemsetD8Async(device_address, 0, size_bytes, stream.get()), "cuMemsetD8Async");
        }
        stream.finish("fill with zeroes");
    });
}
