// The pinned pool: a file on tmpfs, mapped and page-locked once, because page-locking costs far more
// than copying. The file keeps the content when this process dies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpusnap.h"

struct gpusnap_pool {
public:
    static constexpr uint64_t slot_bytes = 4ull << 20;
    // The driver takes one lock for a registration, but several regions can be locked side by side;
    // a copy must not cross two regions (mover/plan.h), which is why their size is a multiple of the slots'.
    static constexpr uint64_t region_bytes = 4ull << 30;

    gpusnap_pool(const std::string& path, uint64_t size_bytes);
    ~gpusnap_pool();
    gpusnap_pool(const gpusnap_pool&) = delete;
    gpusnap_pool& operator=(const gpusnap_pool&) = delete;

    void* base() const noexcept { return base_; }
    uint64_t size_bytes() const noexcept { return size_bytes_; }
    bool pinned() const noexcept { return pinned_; }

private:
    void map(const std::string& path);
    void populate();
    void pin();
    void unmap() noexcept;
    // False when the driver did not let go of all of it.
    bool unpin() noexcept;

    uint64_t size_bytes_;
    char* base_ = nullptr;
    bool pinned_ = false;
    std::vector<void*> regions_;
};
