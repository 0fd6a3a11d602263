// gpusnap-contract [--json FILE] [FILTER…]: what libgpusnap and the preload promise, on whichever driver is found.
// gpusnap-contract --frozen-by-me PID POOL MARKER: the role of a daemon that dies in the middle of a freeze.
// gpusnap-contract --digest-when-kernels-are-refused PID: the role of a daemon whose driver does not take the kernels at first.
// gpusnap-contract --storage WHAT: the role of a daemon on a machine with or without the kernel side of GPUDirect Storage.
// gpusnap-contract --still PID MARKER: the role of a daemon that dies while the driver restores a process.
// gpusnap-contract --quiesce PID: the role of a daemon that dies while it waits for a quiesce.
// gpusnap-contract --cycle PID RULE WHEN WHOSE REPORT: the role of a daemon one of whose driver calls fails (cycle.h).
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "contract/cycle.h"
#include "contract/fixture.h"
#include "contract/harness.h"

namespace {

// Saves the workload into a pool file, releases its memory, says so, and waits to be killed.
int freeze_and_wait(char** arguments) {
    using namespace contract;
    gpusnap_init_args init{sizeof init, GPUSNAP_ABI_VERSION, nullptr};
    OK(gpusnap_init(&init));
    gpusnap_target* target = nullptr;
    OK(gpusnap_target_open(std::atoi(arguments[0]), nullptr, 10'000, &target));
    OK(gpusnap_target_quiesce(target, 10'000));
    OK(gpusnap_target_import(target, nullptr));
    size_t count = 0;
    gpusnap_allocation all[64];
    OK(gpusnap_target_allocations(target, all, 64, &count));
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += all[i].size_bytes;
    }
    gpusnap_pool_args args{sizeof args, 0, arguments[1], (total + 4194303) / 4194304 * 4194304};
    gpusnap_pool* pool = nullptr;
    OK(gpusnap_pool_open(&args, &pool));
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        gpusnap_copy_item item{all[i].local_address, static_cast<char*>(gpusnap_pool_base(pool)) + offset, all[i].size_bytes};
        OK(gpusnap_copy(all[i].gpu_ordinal, GPUSNAP_DEVICE_TO_HOST, &item, 1, nullptr));
        offset += all[i].size_bytes;
    }
    OK(gpusnap_target_unimport(target));
    OK(gpusnap_target_release(target));
    std::ofstream(arguments[2]).put('\n');
    for (;;) {
        pause();
    }
}

// In a process of its own, because kernels are loaded once.
int digest_when_kernels_are_refused(const char* pid) {
    using namespace contract;
    setenv("GPUSNAP_SIM_FAIL",
           "cuModuleLoadData@1=209,cuModuleLoadData@2=222,cuModuleLoadData@3=2,cuModuleLoadData@4=999,"
           "cuModuleGetFunction@1=500,cuModuleGetFunction@3=999",
           1);
    gpusnap_init_args init{sizeof init, GPUSNAP_ABI_VERSION, nullptr};
    OK(gpusnap_init(&init));
    gpusnap_target* target = nullptr;
    OK(gpusnap_target_open(std::atoi(pid), nullptr, 10'000, &target));
    OK(gpusnap_target_quiesce(target, 10'000));
    OK(gpusnap_target_import(target, nullptr));
    gpusnap_allocation allocation{};
    size_t count = 0;
    OK(gpusnap_target_allocations(target, &allocation, 1, &count));
    OK(gpusnap_fill_zero(0, allocation.local_address, allocation.size_bytes));
    gpusnap_span span{allocation.local_address, 4096};
    gpusnap_digest digest{};
    auto fails = [&](gpusnap_status status, const char* text) {
        CHECK_EQUAL(gpusnap_digest_device(0, &span, 1, &digest), status);
        CHECK(last_error().find(text) != std::string::npos);
    };
    fails(GPUSNAP_E_UNSUPPORTED, "cuModuleLoadData: CUDA_ERROR_NO_BINARY_FOR_GPU");
    fails(GPUSNAP_E_UNSUPPORTED, "cuModuleLoadData: CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
    fails(GPUSNAP_E_NO_DEVICE_MEMORY, "cuModuleLoadData");
    fails(GPUSNAP_E_DRIVER, "cuModuleLoadData");
    fails(GPUSNAP_E_UNSUPPORTED, "cuModuleGetFunction");
    fails(GPUSNAP_E_DRIVER, "cuModuleGetFunction");
    OK(gpusnap_digest_device(0, &span, 1, &digest));
    CHECK_EQUAL(static_cast<int>(digest.zero), 1);
    gpusnap_target_close(target);
    return 0;
}

// In processes of their own, because cuFile is loaded once.
int storage(const std::string& what) {
    using namespace contract;
    if (what == "kernel-side") {
        setenv("GPUSNAP_SIM_NVIDIA_FS", "1", 1);
    } else if (what == "broken") {
        setenv("GPUSNAP_SIM_FAIL", "cuFileDriverOpen@1=999,cuFileDriverGetProperties@1=801", 1);
    } else if (what == "refuses-files") {
        setenv("GPUSNAP_SIM_FAIL", "cuFileHandleRegister@1=5027,cuFileHandleRegister@2=5019,cuFileRead@1=999", 1);
    }
    driver_info();
    auto found = [](uint32_t compatibility, const char* path, bool available, bool direct, const char* reason,
                    const char* folder = nullptr) {
        gpusnap_storage_args args{sizeof args, compatibility, path, folder};
        gpusnap_storage_info info{};
        info.struct_size = sizeof info;
        OK(gpusnap_storage_query(&args, &info));
        CHECK_EQUAL(info.available != 0, available);
        CHECK_EQUAL(info.direct != 0, direct);
        if (std::string(info.reason).find(reason) == std::string::npos) {
            throw Failed(std::string(info.reason) + " does not say " + reason);
        }
    };
    auto loaded = [] {
        std::ifstream maps("/proc/self/maps");
        std::string all((std::istreambuf_iterator<char>(maps)), {});
        return all.find("libcufile") != std::string::npos;
    };
    gpusnap_read_item item{"/etc/hostname", 0, 4096, 1};
    CHECK_EQUAL(gpusnap_read_to_device(0, &item, 1, nullptr), GPUSNAP_E_STATE);
    if (what == "kernel-side") {
        found(0, nullptr, true, true, "straight into device memory");
        CHECK(loaded());
        found(1, nullptr, true, true, "straight into device memory");
    } else if (what == "no-kernel-side") {
        found(0, nullptr, false, false, "nvidia-fs kernel module is not loaded");
        CHECK(!loaded());
        found(1, nullptr, true, false, "compatibility mode");
        CHECK(loaded());
        found(0, nullptr, false, false, "nvidia-fs kernel module is not loaded");
    } else if (what == "missing") {
        found(1, "/nonexistent/libcufile.so.0", false, false, "/nonexistent/libcufile.so.0 is not installed");
        std::string other = directory_of_this_program() + "/../lib/libgpusnap.so";
        found(1, other.c_str(), false, false, "lacks cuFileDriverOpen");
        found(1, nullptr, true, false, "compatibility mode");
        gpusnap_storage_args args{sizeof args, 1, other.c_str(), nullptr};
        gpusnap_storage_info info{};
        info.struct_size = sizeof info;
        CHECK_EQUAL(gpusnap_storage_query(&args, &info), GPUSNAP_E_STATE);
    } else if (what == "refuses-files") {
        std::string folder = directory_of_this_program();
        found(1, nullptr, false, false, "/run/udev/data", folder.c_str());
        found(1, nullptr, false, false, "cuFile error 5019", folder.c_str());
        found(1, nullptr, false, false, "cuFileRead", folder.c_str());
        found(1, nullptr, true, false, "compatibility mode", folder.c_str());
        found(1, nullptr, false, false, "cannot try a file in /nonexistent", "/nonexistent");
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            CHECK(entry.path().filename().string().find("cufile-trial") == std::string::npos);
        }
    } else {
        found(1, nullptr, false, false, "cuFileDriverOpen: CUDA_ERROR_UNKNOWN");
        found(1, nullptr, false, false, "cuFileDriverGetProperties: CUDA_ERROR_NOT_SUPPORTED");
        found(1, nullptr, true, false, "compatibility mode");
    }
    return 0;
}

int still(const char* pid, const char* marker) {
    using namespace contract;
    driver_info();
    gpusnap_still* still = nullptr;
    OK(gpusnap_process_still(std::atoi(pid), &still));
    CHECK_EQUAL(kill(std::atoi(pid), SIGCONT), 0);
    std::ofstream(marker).put('\n');
    for (;;) {
        pause();
    }
}

int quiesce(const char* pid) {
    using namespace contract;
    driver_info();
    gpusnap_target* target = nullptr;
    OK(gpusnap_target_open(std::atoi(pid), nullptr, 10'000, &target));
    OK(gpusnap_target_quiesce(target, 60'000));
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count == 5 && std::strcmp(arguments[1], "--frozen-by-me") == 0) {
            return freeze_and_wait(arguments + 2);
        }
        if (count == 3 && std::strcmp(arguments[1], "--digest-when-kernels-are-refused") == 0) {
            return digest_when_kernels_are_refused(arguments[2]);
        }
        if (count == 3 && std::strcmp(arguments[1], "--storage") == 0) {
            return storage(arguments[2]);
        }
        if (count == 4 && std::strcmp(arguments[1], "--still") == 0) {
            return still(arguments[2], arguments[3]);
        }
        if (count == 3 && std::strcmp(arguments[1], "--quiesce") == 0) {
            return quiesce(arguments[2]);
        }
        if (count == 7 && std::strcmp(arguments[1], "--cycle") == 0) {
            return contract::cycle_with_a_failure(arguments + 2);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    // A simulated machine of our own, small and with two GPUs; a real driver does not look at these.
    setenv("GPUSNAP_SIM_STATE_DIR", (contract::scratch() + "/machine").c_str(), 0);
    setenv("GPUSNAP_SIM_VRAM_BYTES", "1073741824", 0);
    setenv("GPUSNAP_SIM_GPUS", "2", 0);
    setenv("GPUSNAP_SIM_POISON", "1", 0);
    setenv("GPUSNAP_SIM_STORAGE_READ_BYTES", "700001", 0);  // no chunk comes in one piece
    const char* json = nullptr;
    std::vector<std::string> filters;
    for (int i = 1; i < count; i++) {
        if (std::strcmp(arguments[i], "--json") == 0 && i + 1 < count) {
            json = arguments[++i];
        } else {
            filters.emplace_back(arguments[i]);
        }
    }
    return contract::run_all(filters, json) == 0 ? 0 : 1;
}
