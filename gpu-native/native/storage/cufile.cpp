#include "storage/cufile.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "driver/driver.h"

namespace gpusnap {
namespace {

constexpr const char* default_path = "libcufile.so.0";
// Never deleted, like the driver that it works on.
std::atomic<const Cufile*> instance{nullptr};

gpusnap_status status_of(int code) {
    switch (code) {
        case CUFILE_DRIVER_NOT_INITIALIZED:
        case CUFILE_PLATFORM_NOT_SUPPORTED:
        case CUFILE_IO_NOT_SUPPORTED:
        case CUFILE_DEVICE_NOT_SUPPORTED:
        case CUFILE_INVALID_FILE_TYPE:
        case CUFILE_DIRECT_IO_NOT_SET:
            return GPUSNAP_E_UNSUPPORTED;
        default:
            return GPUSNAP_E_DRIVER;
    }
}

std::string described(int code) {
    return "cuFile error " + std::to_string(code) + ", its log (CUFILE_LOGFILE_PATH, else cufile.log) may say why";
}

}  // namespace

Cufile::Cufile(void* library, const char* path) : path_(path) {
    auto need = [&](const char* name) {
        void* found = dlsym(library, name);
        if (found == nullptr) {
            throw Failure(GPUSNAP_E_UNSUPPORTED, path_ + " lacks " + name);
        }
        return found;
    };
#define FIND(name) name = reinterpret_cast<decltype(name)>(need(#name))
    FIND(cuFileDriverOpen);
    FIND(cuFileDriverGetProperties);
    FIND(cuFileHandleRegister);
    FIND(cuFileHandleDeregister);
    FIND(cuFileRead);
#undef FIND
}

const Cufile& Cufile::load(const char* path) {
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    const char* wanted = path != nullptr ? path : default_path;
    if (const Cufile* present = instance.load()) {
        if (present->path_ != wanted) {
            throw Failure(GPUSNAP_E_STATE, present->path_ + " is already loaded, not " + wanted);
        }
        return *present;
    }
    void* library = dlopen(wanted, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = dlerror();
        throw Failure(GPUSNAP_E_UNSUPPORTED,
                      std::string(wanted) + " is not installed (" + (reason != nullptr ? reason : "no reason given") + ")");
    }
    // A library that does not start stays loaded all the same: it may have threads by now.
    Cufile found(library, wanted);
    check(found.cuFileDriverOpen(), "cuFileDriverOpen");
    instance.store(new Cufile(found));
    return *instance.load();
}

const Cufile& Cufile::get() {
    const Cufile* present = instance.load(std::memory_order_acquire);
    if (present == nullptr) {
        throw Failure(GPUSNAP_E_STATE, "gpusnap_storage_query has not found that files can be read to the device");
    }
    return *present;
}

bool Cufile::reads_directly() const {
    CufileProperties properties{};
    check(cuFileDriverGetProperties(&properties), "cuFileDriverGetProperties");
    return (properties.kernel.status & (CUFILE_NVME | CUFILE_NVME_PEER_TO_PEER)) != 0;
}

void Cufile::check(CufileError error, const std::string& call) {
    if (error.err == 0) {
        return;
    }
    if (error.err == CUFILE_CUDA_DRIVER_ERROR) {
        Driver::get().check(error.cu_err, call.c_str());
    }
    throw Failure(status_of(error.err), call + ": " + described(error.err));
}

void Cufile::read_failed(ssize_t answer, int error_number, const std::string& what) {
    if (answer == -1) {
        throw io_failure(GPUSNAP_E_IO, what, error_number);
    }
    throw Failure(status_of(static_cast<int>(-answer)), what + ": " + described(static_cast<int>(-answer)));
}

bool nvidia_fs_loaded() {
    const Driver& driver = Driver::get();
    if (driver.simulated()) {
        auto loaded = reinterpret_cast<int (*)()>(driver.find("gpusnap_simulated_nvidia_fs"));
        return loaded != nullptr && loaded() != 0;
    }
    return access("/proc/driver/nvidia-fs/version", F_OK) == 0;
}

}  // namespace gpusnap
