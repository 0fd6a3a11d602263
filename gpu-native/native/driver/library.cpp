#include <algorithm>
#include <cstring>

#include "driver/driver.h"

using namespace gpusnap;

uint32_t gpusnap_abi_version(void) {
    return GPUSNAP_ABI_VERSION;
}

const char* gpusnap_version_string(void) {
    return GPUSNAP_VERSION;
}

size_t gpusnap_last_error(char* buffer, size_t capacity) {
    const std::string& text = last_error();
    if (buffer != nullptr && capacity > 0) {
        size_t copied = std::min(capacity - 1, text.size());
        std::memcpy(buffer, text.data(), copied);
        buffer[copied] = '\0';
    }
    return text.size();
}

gpusnap_status gpusnap_init(const gpusnap_init_args* args) {
    return guarded([&] {
        require_struct(args, "gpusnap_init_args");
        if (args->abi_version != GPUSNAP_ABI_VERSION) {
            throw Failure(GPUSNAP_E_INVALID, "the caller speaks ABI " + std::to_string(args->abi_version) +
                                                 ", this library " + std::to_string(GPUSNAP_ABI_VERSION));
        }
        Driver::load(args->driver_path);
    });
}
