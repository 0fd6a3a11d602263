#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "driver/gpu.h"

using namespace gpusnap;

namespace {

template <size_t Capacity>
void copy_text(char (&out)[Capacity], const std::string& text) {
    std::snprintf(out, Capacity, "%s", text.c_str());
}

// "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build ..."
std::string kernel_module_version() {
    std::ifstream file("/proc/driver/nvidia/version");
    std::string line;
    std::getline(file, line);
    std::istringstream words(line);
    std::string word;
    while (words >> word) {
        bool number = std::isdigit(static_cast<unsigned char>(word[0])) != 0 && word.find('.') != std::string::npos;
        if (number && word.find_first_not_of("0123456789.") == std::string::npos) {
            return word;
        }
    }
    return "unknown";
}

int attribute(const Gpu& gpu, CUdevice_attribute which) {
    int value = 0;
    const Driver& driver = Driver::get();
    driver.check(driver.cuDeviceGetAttribute(&value, which, gpu.device()), "cuDeviceGetAttribute");
    return value;
}

constexpr int gpu_pairs_since = 13000;
constexpr int custom_storage_since = 13040;

}  // namespace

gpusnap_status gpusnap_driver_query(gpusnap_driver_info* info) {
    return guarded([&] {
        require_struct(info, "gpusnap_driver_info");
        const Driver& driver = Driver::get();
        gpusnap_driver_info answer{};
        answer.struct_size = sizeof answer;
        int version = 0;
        driver.check(driver.cuDriverGetVersion(&version), "cuDriverGetVersion");
        answer.cuda_driver_version = version;
        answer.gpu_count = gpu_count();
        answer.simulated = driver.simulated();
        answer.has_checkpoint = driver.cuCheckpointProcessLock != nullptr &&
                                driver.cuCheckpointProcessCheckpoint != nullptr &&
                                driver.cuCheckpointProcessRestore != nullptr &&
                                driver.cuCheckpointProcessUnlock != nullptr;
        answer.has_gpu_remap = answer.has_checkpoint && version >= gpu_pairs_since;
        answer.has_custom_storage = answer.has_checkpoint && version >= custom_storage_since;
        copy_text(answer.driver_build, driver.simulated() ? "simulated-1" : kernel_module_version());
        *info = answer;
    });
}

gpusnap_status gpusnap_gpu_query(uint32_t ordinal, gpusnap_gpu_info* info) {
    return guarded([&] {
        require_struct(info, "gpusnap_gpu_info");
        const Driver& driver = Driver::get();
        Gpu& which = gpu(ordinal);
        gpusnap_gpu_info answer{};
        answer.struct_size = sizeof answer;
        answer.ordinal = ordinal;
        copy_text(answer.uuid, format_uuid(which.uuid()));
        driver.check(driver.cuDeviceGetName(answer.name, sizeof answer.name, which.device()), "cuDeviceGetName");
        size_t total = 0;
        driver.check(driver.cuDeviceTotalMem_v2(&total, which.device()), "cuDeviceTotalMem_v2");
        answer.memory_bytes = total;
        {
            ContextScope scope(which);
            size_t free = 0;
            driver.check(driver.cuMemGetInfo_v2(&free, &total), "cuMemGetInfo_v2");
            answer.free_bytes = free;
        }
        size_t granularity = 0;
        CUmemAllocationProp properties = which.allocation_properties();
        driver.check(driver.cuMemGetAllocationGranularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM),
                     "cuMemGetAllocationGranularity");
        answer.granularity_bytes = granularity;
        answer.compute_major = attribute(which, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        answer.compute_minor = attribute(which, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        answer.pci_domain = attribute(which, CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID);
        answer.pci_bus = attribute(which, CU_DEVICE_ATTRIBUTE_PCI_BUS_ID);
        answer.pci_device = attribute(which, CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID);
        answer.mig_enabled = std::strstr(answer.name, " MIG ") != nullptr;
        answer.exports_posix_fd = attribute(which, CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED) != 0;
        *info = answer;
    });
}
