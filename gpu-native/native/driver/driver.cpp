#include "driver/driver.h"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

namespace gpusnap {
namespace {

constexpr const char* default_path = "libcuda.so.1";
// Never deleted: threads of the JVM may still be in the driver while the process ends.
std::atomic<const Driver*> instance{nullptr};

gpusnap_status status_of(CUresult result) {
    switch (result) {
        case CUDA_ERROR_OUT_OF_MEMORY:
            return GPUSNAP_E_NO_DEVICE_MEMORY;
        case CUDA_ERROR_NOT_SUPPORTED:
            return GPUSNAP_E_UNSUPPORTED;
        case CUDA_ERROR_NOT_PERMITTED:
            return GPUSNAP_E_PERMISSION;
        default:
            return GPUSNAP_E_DRIVER;
    }
}

}  // namespace

Driver::Driver(void* library, const char* path) : library_(library), path_(path) {
    auto need = [&](const char* name) {
        void* found = find(name);
        if (found == nullptr) {
            throw Failure(GPUSNAP_E_NO_DRIVER, path_ + " lacks " + name + ": the driver is too old");
        }
        return found;
    };
#define DRIVER(name, parameters) name = reinterpret_cast<CUresult(*) parameters>(need(#name));
#define OPTIONAL(name, parameters) name = reinterpret_cast<CUresult(*) parameters>(find(#name));
#include "driver/functions.def"
#undef DRIVER
#undef OPTIONAL
    simulated_ = find("gpusnap_simulated_driver") != nullptr;
    CUresult result = cuInit(0);
    if (result != CUDA_SUCCESS) {
        throw Failure(GPUSNAP_E_NO_DRIVER, "cuInit: " + describe(result));
    }
}

void Driver::load(const char* path) {
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    const char* wanted = path != nullptr ? path : default_path;
    if (const Driver* present = instance.load()) {
        if (present->path_ != wanted) {
            throw Failure(GPUSNAP_E_STATE, "the driver " + present->path_ + " is already loaded, not " + wanted);
        }
        return;
    }
    void* library = dlopen(wanted, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = dlerror();
        throw Failure(GPUSNAP_E_NO_DRIVER, reason != nullptr ? reason : wanted);
    }
    instance.store(new Driver(library, wanted));
}

const Driver& Driver::get() {
    const Driver* present = instance.load(std::memory_order_acquire);
    if (present == nullptr) {
        throw Failure(GPUSNAP_E_NO_DRIVER, "gpusnap_init has not loaded a CUDA driver");
    }
    return *present;
}

bool Driver::loaded() noexcept {
    return instance.load(std::memory_order_acquire) != nullptr;
}

void* Driver::find(const char* name) const noexcept {
    return dlsym(library_, name);
}

std::string Driver::describe(CUresult result) const {
    const char* name = nullptr;
    const char* text = nullptr;
    if (cuGetErrorName(result, &name) != CUDA_SUCCESS || name == nullptr) {
        return "CUDA error " + std::to_string(static_cast<int>(result));
    }
    std::string described = name;
    if (cuGetErrorString(result, &text) == CUDA_SUCCESS && text != nullptr) {
        described += std::string(" (") + text + ")";
    }
    return described;
}

void Driver::check(CUresult result, const char* call) const {
    if (result != CUDA_SUCCESS) {
        throw Failure(status_of(result), std::string(call) + ": " + describe(result));
    }
}

}  // namespace gpusnap
