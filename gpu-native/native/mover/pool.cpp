#include "mover/pool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "driver/gpu.h"
#include "mover/areas.h"

using namespace gpusnap;

namespace {

constexpr uint64_t populate_step_bytes = 64ull << 20;
constexpr unsigned max_workers = 8;

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() { close(value_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return value_; }

private:
    int value_;
};

// Runs work(index) for every index on a few threads; the first failure is thrown when all have ended.
void parallel(uint64_t count, const std::function<void(uint64_t)>& work) {
    std::atomic<uint64_t> next{0};
    std::exception_ptr first;
    std::mutex mutex;
    auto body = [&] {
        for (uint64_t index = next++; index < count; index = next++) {
            try {
                work(index);
            } catch (...) {
                std::lock_guard lock(mutex);
                if (!first) {
                    first = std::current_exception();
                }
                return;
            }
        }
    };
    unsigned workers = std::min<uint64_t>({count, max_workers, std::max(1u, std::thread::hardware_concurrency())});
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < workers; i++) {
        threads.emplace_back(body);
    }
    body();
    for (std::thread& thread : threads) {
        thread.join();
    }
    if (first) {
        std::rethrow_exception(first);
    }
}

// What another user made or may write to is no place for the memory of processes.
void require_own(int file, const std::string& path) {
    struct stat found {};
    if (fstat(file, &found) != 0) {
        throw io_failure(GPUSNAP_E_IO, "cannot look at the pool file " + path, errno);
    }
    if (!S_ISREG(found.st_mode)) {
        throw Failure(GPUSNAP_E_PERMISSION, "the pool file " + path + " is not a regular file: remove it");
    }
    if (found.st_uid != geteuid()) {
        throw Failure(GPUSNAP_E_PERMISSION, "the pool file " + path + " belongs to uid " +
                                                std::to_string(found.st_uid) + ", not to this process's uid " +
                                                std::to_string(geteuid()) + ": remove it");
    }
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Failure(GPUSNAP_E_PERMISSION, "other users may write to the pool file " + path + ": remove it");
    }
}

// Makes the pages present without changing what they hold.
void touch(char* address, uint64_t bytes) {
#ifndef MADV_POPULATE_WRITE
    constexpr int MADV_POPULATE_WRITE = 23;
#endif
    if (madvise(address, bytes, MADV_POPULATE_WRITE) == 0) {
        return;
    }
    if (errno != EINVAL) {
        throw io_failure(GPUSNAP_E_NO_HOST_MEMORY, "cannot populate the pool", errno);
    }
    for (uint64_t offset = 0; offset < bytes; offset += 4096) {  // kernels before 5.14
        __atomic_fetch_or(address + offset, 0, __ATOMIC_RELAXED);
    }
}

}  // namespace

gpusnap_pool::gpusnap_pool(const std::string& path, uint64_t size_bytes) : size_bytes_(size_bytes) {
    map(path);
    try {
        populate();
        if (Driver::loaded()) {
            pin();
        }
    } catch (...) {
        unmap();
        throw;
    }
}

gpusnap_pool::~gpusnap_pool() {
    unmap();
}

// What the driver still holds page-locked stays where it is: at its address nothing else could be registered.
void gpusnap_pool::unmap() noexcept {
    if (unpin()) {
        munmap(base_, size_bytes_);
    }
}

void gpusnap_pool::map(const std::string& path) {
    int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        if (errno == ELOOP) {
            throw Failure(GPUSNAP_E_PERMISSION, "the pool file " + path + " is a symbolic link: remove it");
        }
        throw io_failure(GPUSNAP_E_IO, "cannot open the pool file " + path, errno);
    }
    Descriptor file(fd);
    require_own(file.get(), path);
    // Reserving now turns a full tmpfs into an error here instead of a SIGBUS at some later write.
    int error = posix_fallocate(file.get(), 0, static_cast<off_t>(size_bytes_));
    if (error != 0) {
        throw io_failure(error == ENOSPC ? GPUSNAP_E_NO_HOST_MEMORY : GPUSNAP_E_IO,
                         "cannot reserve " + std::to_string(size_bytes_) + " bytes for the pool file " + path, error);
    }
    void* mapped = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) {
        throw io_failure(GPUSNAP_E_IO, "cannot map the pool file " + path, errno);
    }
    base_ = static_cast<char*>(mapped);
    // Fewer, larger pages make page-locking cheaper; a tmpfs that cannot refuses, which is no error.
    madvise(base_, size_bytes_, MADV_HUGEPAGE);
    // A child (CRIU, a shell) must not inherit, nor copy on fork, what the GPU may write to.
    madvise(base_, size_bytes_, MADV_DONTFORK);
}

void gpusnap_pool::populate() {
    parallel((size_bytes_ + populate_step_bytes - 1) / populate_step_bytes, [this](uint64_t index) {
        uint64_t offset = index * populate_step_bytes;
        touch(base_ + offset, std::min(populate_step_bytes, size_bytes_ - offset));
    });
}

void gpusnap_pool::pin() {
    const Driver& driver = Driver::get();
    Gpu& any = gpu(0);  // PORTABLE makes it pinned for every context
    std::mutex mutex;
    parallel((size_bytes_ + region_bytes - 1) / region_bytes, [&](uint64_t index) {
        ContextScope scope(any);
        uint64_t offset = index * region_bytes;
        uint64_t bytes = std::min(region_bytes, size_bytes_ - offset);
        driver.check(driver.cuMemHostRegister_v2(base_ + offset, bytes, CU_MEMHOSTREGISTER_PORTABLE),
                     "cuMemHostRegister_v2");
        std::lock_guard lock(mutex);
        regions_.push_back(base_ + offset);
        pinned_areas().add(reinterpret_cast<uint64_t>(base_ + offset), bytes);
    });
    pinned_ = true;
}

bool gpusnap_pool::unpin() noexcept {
    if (regions_.empty()) {
        return true;
    }
    std::optional<ContextScope> scope;
    try {
        scope.emplace(gpu(0));
    } catch (const Failure&) {
        // It is tried all the same.
    }
    bool all = true;
    for (void* region : regions_) {
        pinned_areas().remove(reinterpret_cast<uint64_t>(region));
        all = Driver::get().cuMemHostUnregister(region) == CUDA_SUCCESS && all;
    }
    regions_.clear();
    pinned_ = false;
    return all;
}

gpusnap_status gpusnap_pool_open(const gpusnap_pool_args* args, gpusnap_pool** pool) {
    return guarded([&] {
        require_struct(args, "gpusnap_pool_args");
        require(pool != nullptr, "pool is NULL");
        require(args->path != nullptr && args->path[0] != '\0', "gpusnap_pool_args.path is empty");
        require(args->size_bytes > 0 && args->size_bytes % gpusnap_pool::slot_bytes == 0,
                "gpusnap_pool_args.size_bytes is not a positive multiple of 4 MiB");
        *pool = new gpusnap_pool(args->path, args->size_bytes);
    });
}

void* gpusnap_pool_base(const gpusnap_pool* pool) {
    return pool != nullptr ? pool->base() : nullptr;
}

uint64_t gpusnap_pool_size_bytes(const gpusnap_pool* pool) {
    return pool != nullptr ? pool->size_bytes() : 0;
}

int32_t gpusnap_pool_pinned(const gpusnap_pool* pool) {
    return pool != nullptr && pool->pinned() ? 1 : 0;
}

void gpusnap_pool_close(gpusnap_pool* pool) {
    delete pool;
}
