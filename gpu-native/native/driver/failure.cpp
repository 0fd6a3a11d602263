#include "driver/failure.h"

#include <cstring>

namespace gpusnap {
namespace {

std::string& slot() noexcept {
    thread_local std::string text;
    return text;
}

}  // namespace

Failure io_failure(gpusnap_status status, const std::string& what, int error_number) {
    return Failure(status, what + ": " + std::generic_category().message(error_number));
}

const std::string& last_error() noexcept {
    return slot();
}

gpusnap_status remember_failure(gpusnap_status status, const char* text) noexcept {
    try {
        slot() = text;
    } catch (const std::bad_alloc&) {
        slot().clear();
    }
    return status;
}

}  // namespace gpusnap
