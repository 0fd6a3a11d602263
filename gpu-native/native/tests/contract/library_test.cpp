// libgpusnap by itself: inventory, errors, pool, copies.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

double gigabytes(double bytes_per_second) {
    return bytes_per_second / 1e9;
}

uint64_t copy_bytes() {
    return driver_info().simulated ? 64ull << 20 : 4ull << 30;
}

std::string in_gigabytes(double bytes_per_second) {
    std::ostringstream text;
    text.precision(3);
    text << gigabytes(bytes_per_second) << " GB/s";
    return text.str();
}

}  // namespace

TEST("a caller of another ABI is refused by number") {
    gpusnap_init_args args{sizeof args, GPUSNAP_ABI_VERSION + 1, nullptr};
    CHECK_EQUAL(gpusnap_init(&args), GPUSNAP_E_INVALID);
    CHECK(last_error().find("ABI " + std::to_string(GPUSNAP_ABI_VERSION + 1)) != std::string::npos);
    CHECK_EQUAL(gpusnap_abi_version(), GPUSNAP_ABI_VERSION);
}

TEST("a struct of another size is refused, and the text names the struct") {
    gpusnap_driver_info info{};
    info.struct_size = sizeof info + 8;
    CHECK_EQUAL(gpusnap_driver_query(&info), GPUSNAP_E_INVALID);
    CHECK(last_error().find("gpusnap_driver_info.struct_size") != std::string::npos);
    info.struct_size = 0;
    CHECK_EQUAL(gpusnap_driver_query(&info), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_driver_query(nullptr), GPUSNAP_E_INVALID);
}

TEST("the error text is cut to the caller's buffer and its full length returned") {
    CHECK_EQUAL(gpusnap_driver_query(nullptr), GPUSNAP_E_INVALID);
    std::string whole = last_error();
    char small[8];
    CHECK_EQUAL(gpusnap_last_error(small, sizeof small), whole.size());
    CHECK_EQUAL(std::string(small), whole.substr(0, 7));
    CHECK_EQUAL(gpusnap_last_error(nullptr, 0), whole.size());
}

TEST("a driver that is not there is named") {
    driver_info();
    gpusnap_init_args args{sizeof args, GPUSNAP_ABI_VERSION, "/nonexistent/libcuda.so.1"};
    CHECK_EQUAL(gpusnap_init(&args), GPUSNAP_E_STATE);
    CHECK(last_error().find("/nonexistent/libcuda.so.1") != std::string::npos);
}

TEST("the inventory names driver and GPUs") {
    const gpusnap_driver_info& driver = driver_info();
    CHECK(driver.gpu_count >= 1);
    CHECK(driver.cuda_driver_version >= 12000);
    CHECK(driver.driver_build[0] != '\0');
    note(std::string("driver ") + driver.driver_build + ", CUDA " + std::to_string(driver.cuda_driver_version) +
         ", simulated " + std::to_string(driver.simulated) + ", checkpoint " + std::to_string(driver.has_checkpoint) +
         ", GPU remap " + std::to_string(driver.has_gpu_remap) + ", custom storage " +
         std::to_string(driver.has_custom_storage));
    for (uint32_t ordinal = 0; ordinal < driver.gpu_count; ordinal++) {
        gpusnap_gpu_info gpu = gpu_info(ordinal);
        CHECK_EQUAL(gpu.ordinal, ordinal);
        CHECK_EQUAL(std::string(gpu.uuid).substr(0, 4), std::string("GPU-"));
        CHECK_EQUAL(std::strlen(gpu.uuid), 40u);
        CHECK(gpu.memory_bytes > 0);
        CHECK(gpu.free_bytes <= gpu.memory_bytes);
        CHECK(gpu.granularity_bytes >= 4096);
        CHECK(gpu.compute_major >= 1);
        note(std::string(gpu.name) + " " + gpu.uuid + ", " + std::to_string(gpu.memory_bytes >> 20) + " MiB, free " +
             std::to_string(gpu.free_bytes >> 20) + " MiB, granularity " + std::to_string(gpu.granularity_bytes) +
             ", compute " + std::to_string(gpu.compute_major) + "." + std::to_string(gpu.compute_minor) +
             ", posix fd " + std::to_string(gpu.exports_posix_fd) + ", MIG " + std::to_string(gpu.mig_enabled));
    }
}

TEST("a pool file that leads elsewhere, or that others may write to, is refused") {
    driver_info();
    std::string elsewhere = scratch() + "/somebody-elses-file";
    std::string path = scratch() + "/suspect-pool";
    int fd = open(elsewhere.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    gpusnap_pool_args args{sizeof args, 0, path.c_str(), 4ull << 20};
    gpusnap_pool* pool = nullptr;

    CHECK_EQUAL(symlink(elsewhere.c_str(), path.c_str()), 0);
    CHECK_EQUAL(gpusnap_pool_open(&args, &pool), GPUSNAP_E_PERMISSION);
    CHECK(last_error().find(path + " is a symbolic link") != std::string::npos);
    struct stat untouched {};
    CHECK_EQUAL(stat(elsewhere.c_str(), &untouched), 0);
    CHECK_EQUAL(untouched.st_size, 0);
    CHECK_EQUAL(unlink(path.c_str()), 0);

    CHECK_EQUAL(mkfifo(path.c_str(), 0600), 0);
    CHECK_EQUAL(gpusnap_pool_open(&args, &pool), GPUSNAP_E_PERMISSION);
    CHECK(last_error().find("not a regular file") != std::string::npos);
    CHECK_EQUAL(unlink(path.c_str()), 0);

    CHECK_EQUAL(rename(elsewhere.c_str(), path.c_str()), 0);
    CHECK_EQUAL(chmod(path.c_str(), 0620), 0);
    CHECK_EQUAL(gpusnap_pool_open(&args, &pool), GPUSNAP_E_PERMISSION);
    CHECK(last_error().find("other users may write") != std::string::npos);

    CHECK_EQUAL(chmod(path.c_str(), 0600), 0);
    if (geteuid() == 0) {
        CHECK_EQUAL(chown(path.c_str(), 1000, 1000), 0);
        CHECK_EQUAL(gpusnap_pool_open(&args, &pool), GPUSNAP_E_PERMISSION);
        CHECK(last_error().find("belongs to uid 1000") != std::string::npos);
        CHECK_EQUAL(chown(path.c_str(), 0, 0), 0);
    } else {
        note("the owner of the pool file is not tried: only root can give files away");
    }
    OK(gpusnap_pool_open(&args, &pool));
    gpusnap_pool_close(pool);
}

TEST("an unknown GPU is refused") {
    driver_info();
    gpusnap_gpu_info info{};
    info.struct_size = sizeof info;
    CHECK_EQUAL(gpusnap_gpu_query(4711, &info), GPUSNAP_E_INVALID);
    CHECK(last_error().find("4711") != std::string::npos);
}

TEST("a driver call that fails is named together with its CUDA error") {
    if (!driver_info().has_checkpoint) {
        skip("this driver has no checkpoint API");
    }
    CHECK(gpusnap_process_lock(0x7ffffff0, 100) != GPUSNAP_OK);
    CHECK(last_error().find("cuCheckpointProcessLock(2147483632)") != std::string::npos);
    CHECK(last_error().find("CUDA_ERROR_") != std::string::npos);
    note(last_error());
}

TEST("a GPU pair that is no UUID is refused before the driver is asked") {
    if (!driver_info().has_checkpoint) {
        skip("this driver has no checkpoint API");
    }
    gpusnap_gpu_pair pair{};
    std::strcpy(pair.from_uuid, "GPU-00");
    std::strcpy(pair.to_uuid, gpu_info().uuid);
    CHECK_EQUAL(gpusnap_process_restore(1, &pair, 1), GPUSNAP_E_INVALID);
    CHECK(last_error().find("GPU-00") != std::string::npos);
}

TEST("the pool is pinned and its content outlives it") {
    std::string path = scratch() + "/kept-pool";
    driver_info();
    gpusnap_pool_args args{sizeof args, 0, path.c_str(), 16 << 20};
    gpusnap_pool* pool = nullptr;
    OK(gpusnap_pool_open(&args, &pool));
    CHECK_EQUAL(gpusnap_pool_pinned(pool), 1);
    CHECK_EQUAL(gpusnap_pool_size_bytes(pool), 16u << 20);
    std::strcpy(static_cast<char*>(gpusnap_pool_base(pool)) + (9 << 20), "still here");
    gpusnap_pool_close(pool);
    args.size_bytes = 32 << 20;
    OK(gpusnap_pool_open(&args, &pool));
    CHECK_EQUAL(std::string(static_cast<char*>(gpusnap_pool_base(pool)) + (9 << 20)), std::string("still here"));
    CHECK_EQUAL(gpusnap_pool_size_bytes(pool), 32u << 20);
    gpusnap_pool_close(pool);
}

TEST("a pool of no whole number of slots, or in no directory, is refused") {
    driver_info();
    gpusnap_pool* pool = nullptr;
    std::string path = scratch() + "/odd-pool";
    gpusnap_pool_args odd{sizeof odd, 0, path.c_str(), (4 << 20) + 1};
    CHECK_EQUAL(gpusnap_pool_open(&odd, &pool), GPUSNAP_E_INVALID);
    gpusnap_pool_args lost{sizeof lost, 0, "/nonexistent/pool", 4 << 20};
    CHECK_EQUAL(gpusnap_pool_open(&lost, &pool), GPUSNAP_E_IO);
    CHECK(last_error().find("/nonexistent/pool") != std::string::npos);
}

TEST("a pool that does not fit is refused before anything is written") {
    driver_info();
    std::string path = scratch() + "/huge-pool";
    gpusnap_pool_args args{sizeof args, 0, path.c_str(), 1ull << 46};
    gpusnap_pool* pool = nullptr;
    CHECK(gpusnap_pool_open(&args, &pool) != GPUSNAP_OK);
    CHECK(last_error().find("cannot reserve") != std::string::npos);
    unlink(path.c_str());
}

TEST("copies are measured in both directions") {
    uint64_t bytes = copy_bytes();
    Pool pool(bytes);
    double to_host = 0;
    double to_device = 0;
    OK(gpusnap_measure_copy(0, pool.get(), GPUSNAP_DEVICE_TO_HOST, bytes, 3, &to_host));
    OK(gpusnap_measure_copy(0, pool.get(), GPUSNAP_HOST_TO_DEVICE, bytes, 3, &to_device));
    CHECK(to_host > 0);
    CHECK(to_device > 0);
    note("device to host " + in_gigabytes(to_host) + ", host to device " + in_gigabytes(to_device));
    CHECK_EQUAL(gpusnap_measure_copy(0, pool.get(), GPUSNAP_DEVICE_TO_HOST, bytes * 2, 1, &to_host), GPUSNAP_E_INVALID);
}

TEST("a copy without an address is refused") {
    driver_info();
    Pool pool(4 << 20);
    gpusnap_copy_item item{0, pool.base(), 4096};
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, nullptr), GPUSNAP_E_INVALID);
    item = {4096, nullptr, 4096};
    CHECK_EQUAL(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, nullptr), GPUSNAP_E_INVALID);
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, nullptr, 0, nullptr));
}

TEST("the sizes of the structs are those that the Java binding was written for") {
    std::ostringstream sizes;
    sizes << "struct sizes: init_args " << sizeof(gpusnap_init_args) << ", driver_info " << sizeof(gpusnap_driver_info)
          << ", gpu_info " << sizeof(gpusnap_gpu_info) << ", gpu_pair " << sizeof(gpusnap_gpu_pair) << ", pool_args "
          << sizeof(gpusnap_pool_args) << ", target_status " << sizeof(gpusnap_target_status) << ", allocation "
          << sizeof(gpusnap_allocation) << ", copy_item " << sizeof(gpusnap_copy_item) << ", span "
          << sizeof(gpusnap_span) << ", digest " << sizeof(gpusnap_digest);
    note(sizes.str());
    CHECK_EQUAL(sizeof(gpusnap_init_args), 16u);
    CHECK_EQUAL(sizeof(gpusnap_driver_info), 80u);
    CHECK_EQUAL(sizeof(gpusnap_gpu_info), 232u);
    CHECK_EQUAL(sizeof(gpusnap_gpu_pair), 96u);
    CHECK_EQUAL(sizeof(gpusnap_pool_args), 24u);
    CHECK_EQUAL(sizeof(gpusnap_target_status), 80u);
    CHECK_EQUAL(sizeof(gpusnap_allocation), 40u);
    CHECK_EQUAL(sizeof(gpusnap_copy_item), 24u);
    CHECK_EQUAL(sizeof(gpusnap_span), 16u);
    CHECK_EQUAL(sizeof(gpusnap_digest), 40u);
}
