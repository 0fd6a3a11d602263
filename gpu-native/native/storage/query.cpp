#include <cstdio>

#include "driver/gpu.h"
#include "storage/cufile.h"
#include "storage/trial.h"

using namespace gpusnap;

namespace {

gpusnap_storage_info answer(bool available, bool direct, const std::string& reason) {
    gpusnap_storage_info info{};
    info.struct_size = sizeof info;
    info.available = available;
    info.direct = direct;
    std::snprintf(info.reason, sizeof info.reason, "%s", reason.c_str());
    return info;
}

gpusnap_storage_info look(const gpusnap_storage_args& args) {
    const bool module = nvidia_fs_loaded();
    if (!module && args.compatibility == 0) {
        return answer(false, false, "the nvidia-fs kernel module is not loaded");
    }
    try {
        ContextScope scope(gpu(0));
        const Cufile& cufile = Cufile::load(args.library_path);
        bool direct = cufile.reads_directly();
        if (args.folder != nullptr) {
            try_reading(cufile, args.folder);
        }
        if (direct) {
            return answer(true, true, "cuFile reads from NVMe drives straight into device memory");
        }
        return answer(true, false,
                      module ? "compatibility mode: nvidia-fs is loaded, but serves no NVMe drive"
                             : "compatibility mode: the nvidia-fs kernel module is not loaded");
    } catch (const Failure& failure) {
        if (failure.status() == GPUSNAP_E_STATE) {
            throw;
        }
        return answer(false, false, failure.text());
    }
}

}  // namespace

gpusnap_status gpusnap_storage_query(const gpusnap_storage_args* args, gpusnap_storage_info* info) {
    return guarded([&] {
        require_struct(args, "gpusnap_storage_args");
        require_struct(info, "gpusnap_storage_info");
        *info = look(*args);
    });
}
