// Physical device memory that a freeze can give back and bring again: the blocks, where they are mapped, and who
// may access them.
//
// The application never sees the driver's handle of a block, because a block gets another one each time it is
// brought back. It sees our number for it, tagged so that no handle of the driver looks like one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda_abi.h"
#include "preload/descriptor.h"

namespace gpusnap::preload {

CUmemAccessDesc read_write(CUdevice device);

struct Block {
    uint64_t id = 0;
    size_t size = 0;
    CUmemAllocationProp properties{};  // with the exportable handle type added
    CUmemAllocationHandleType asked_types = CU_MEM_HANDLE_TYPE_NONE;
    uint64_t flags = 0;
    CUmemGenericAllocationHandle real = 0;
    uint32_t references = 0;
    uint32_t mappings = 0;
    bool shared = false;  // the application exported it to someone else
    bool for_all = false;  // see set_access_of_all()
    // Of memory that somebody held or made for us while ours was released: the driver exports memory only for whoever made it, so
    // the descriptor by which it came is the one by which it goes again.
    Descriptor descriptor;

    // Nothing was asked of the memory but to be there.
    bool plain() const;
    // As cuMemExportToShareableHandle.
    CUresult export_as(void* shareable, int type, uint64_t flags_of_export) const;
};

// A part of a range of addresses that lies in one block.
struct BlockPiece {
    uint64_t id;
    size_t offset;  // in the block
    size_t size;
    CUdeviceptr address;
};

struct BlockRecord {
    uint64_t id;
    CUdeviceptr address;  // of the first mapping, 0 when it has none
    size_t size;
    CUdevice device;
    bool held;
};

class BlockTable {
public:
    static BlockTable& get();

    static CUmemGenericAllocationHandle handle_of(uint64_t id);
    // 0 when the handle is none of ours.
    static uint64_t id_of(CUmemGenericAllocationHandle handle);

    // New physical memory with one reference.
    CUresult create(size_t size, const CUmemAllocationProp& wanted, uint64_t flags, uint64_t* id);
    bool add_reference(uint64_t id);
    // The memory is freed when neither a reference nor a mapping is left, as the driver does it.
    CUresult drop_reference(uint64_t id);
    CUresult map(CUdeviceptr address, size_t size, size_t offset, uint64_t id, uint64_t flags);
    // Any range, ours or not.
    CUresult unmap(CUdeviceptr address, size_t size);
    CUresult set_access(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count);
    // The same for what stands for memory of cuMemAlloc, which the driver copies whichever GPU's context is current: every
    // other GPU on which the process has a context, now or later, may reach the range too, as far as GPUs can reach each other
    // and `descriptions` or set_access() do not say otherwise.
    CUresult set_access_of_all(CUdeviceptr address, size_t size, uint64_t id, const std::vector<CUmemAccessDesc>& descriptions);
    // To be called when a GPU has its first context.
    void let_peers_in();
    // The block mapped at an address, 0 when none of ours is.
    uint64_t block_at(CUdeviceptr address);
    // Where a range of addresses lies; what is not ours is left out.
    std::vector<BlockPiece> pieces(CUdeviceptr address, size_t size);
    // Calls use() under the table's lock if all of the range is ours; false otherwise.
    template <typename Use>
    bool if_all_ours(CUdeviceptr address, size_t size, Use&& use) {
        std::lock_guard lock(mutex_);
        auto parts = managed_parts(address, size);
        bool ours = parts.size() == 1 && parts.front() == std::pair<CUdeviceptr, size_t>(address, size);
        if (ours) {
            use();
        }
        return ours;
    }
    // Calls use(block) under the table's lock; false when there is no such block.
    template <typename Use>
    bool with_block(uint64_t id, Use&& use) {
        std::lock_guard lock(mutex_);
        auto found = blocks_.find(id);
        if (found == blocks_.end()) {
            return false;
        }
        use(*found->second);
        return true;
    }

    uint64_t count();
    uint64_t bytes();
    uint64_t shared_count();
    std::vector<BlockRecord> records();

    // ---- for a freeze, while nothing else runs ----
    // An open descriptor of the block's memory.
    CUresult export_descriptor(uint64_t id, Descriptor* descriptor);
    // Whether it is what the blocks had before, or memory that is as Allocations makes it.
    enum class Origin { its_own, made_for_it };
    // While released: bring_back_all() takes this memory for the blocks from a position of records() on. What cannot be taken is
    // closed.
    void give(size_t first, std::vector<Descriptor> descriptors, Origin origin);
    // On failure everything is mapped as before; or, see released(), nothing is, and the driver kept some of it or would not put
    // it back.
    CUresult release_all();
    // Nothing is mapped, and what was in it is gone: bring_back_all() is the only way on.
    bool released();
    // What was given back, and fresh memory for the rest. All or nothing: on failure nothing holds memory.
    CUresult bring_back_all();

    // ---- around fork(): a child must not keep memory that its parent frees ----
    void before_fork() { mutex_.lock(); }
    void after_fork_in_parent() { mutex_.unlock(); }
    void after_fork_in_child();

private:
    struct Mapping {
        size_t size;
        size_t offset;
        Block* block;
    };
    struct Access {
        size_t size;
        std::vector<CUmemAccessDesc> descriptions;
    };
    using MappingPosition = std::map<CUdeviceptr, Mapping>::iterator;

    CUresult destroy_if_unused(Block* block);
    CUresult bring_back(Block* block);
    CUresult map_and_allow_all();
    CUresult allow_all();
    CUresult allow_peers();
    std::vector<CUmemAccessDesc> descriptions_at(CUdeviceptr address) const;
    void note_access(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count);
    CUresult unmap_until(MappingPosition end);
    CUresult put_back_until(MappingPosition end);
    void forget_mappings(CUdeviceptr address, size_t size, std::vector<Block*>* touched);
    void split_mapping(CUdeviceptr at);
    void split_access(CUdeviceptr at);
    // The parts of a range that are ours.
    std::vector<std::pair<CUdeviceptr, size_t>> managed_parts(CUdeviceptr address, size_t size);

    std::mutex mutex_;
    bool released_ = false;
    uint64_t last_id_ = 0;
    std::map<uint64_t, std::unique_ptr<Block>> blocks_;
    std::map<CUdeviceptr, Mapping> mappings_;
    std::map<CUdeviceptr, Access> access_;
};

}  // namespace gpusnap::preload
