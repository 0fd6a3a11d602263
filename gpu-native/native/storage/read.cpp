#include <optional>

#include "mover/digest/digester.h"
#include "mover/streams.h"
#include "storage/file.h"

using namespace gpusnap;

namespace {

std::vector<gpusnap_span> device_sides(const gpusnap_read_item* items, size_t count) {
    std::vector<gpusnap_span> spans;
    spans.reserve(count);
    for (size_t i = 0; i < count; i++) {
        spans.push_back({items[i].device_address, items[i].size_bytes});
    }
    return spans;
}

void read(const Cufile& cufile, const gpusnap_read_item& item) {
    if (item.size_bytes > 0) {
        StorageFile(cufile, item.path).read(item.device_address, item.size_bytes, item.file_offset);
    }
}

}  // namespace

gpusnap_status gpusnap_read_to_device(uint32_t gpu_ordinal, const gpusnap_read_item* items, size_t count,
                                      gpusnap_digest* digests) {
    return guarded([&] {
        require(items != nullptr || count == 0, "items is NULL but count is not 0");
        for (size_t i = 0; i < count; i++) {
            require(items[i].path != nullptr && items[i].path[0] != '\0', "an item has no path");
            require(items[i].device_address != 0, "an item has a NULL address");
            require(items[i].file_offset <= INT64_MAX && items[i].size_bytes <= INT64_MAX - items[i].file_offset,
                    "an item ends where no file reaches");
        }
        const Cufile& cufile = Cufile::get();
        Gpu& which = gpu(gpu_ordinal);
        ContextScope scope(which);
        std::optional<Digester> digester;  // its scratch memory first: without it nothing is read
        if (digests != nullptr && count > 0) {
            auto spans = device_sides(items, count);
            require_spans(spans.data(), count);
            digester.emplace(which, std::move(spans));
        }
        for (size_t i = 0; i < count; i++) {
            read(cufile, items[i]);
        }
        if (digester) {
            BorrowedStream stream(which);
            digester->enqueue(stream.get());
            stream.finish("digests of what was read");
            digester->collect(digests);
        }
    });
}
