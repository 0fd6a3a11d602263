#include "preload/blocks.h"

#include <algorithm>

#include "preload/contexts.h"
#include "preload/hints.h"
#include "preload/hooks.h"
#include "preload/log.h"

namespace gpusnap::preload {
namespace {

constexpr uint64_t handle_tag = 0x6753ull << 48;
constexpr uint64_t handle_tag_mask = 0xffffull << 48;

CUresult first_error(CUresult earlier, CUresult later) {
    return earlier != CUDA_SUCCESS ? earlier : later;
}

void merge(std::vector<CUmemAccessDesc>& into, const CUmemAccessDesc& description) {
    for (CUmemAccessDesc& present : into) {
        if (present.location.type == description.location.type && present.location.id == description.location.id) {
            present.flags = description.flags;
            return;
        }
    }
    into.push_back(description);
}

// Adds the other GPUs that may reach memory for all, except those of which something is said.
std::vector<CUmemAccessDesc> unsaid_peers(CUdevice owner, const std::vector<CUmemAccessDesc>& said) {
    std::vector<CUmemAccessDesc> peers;
    for (CUdevice peer : Contexts::get().peers_of(owner)) {
        bool known = std::any_of(said.begin(), said.end(), [&](const CUmemAccessDesc& description) {
            return description.location.type == CU_MEM_LOCATION_TYPE_DEVICE && description.location.id == peer;
        });
        if (!known) {
            peers.push_back(read_write(peer));
        }
    }
    return peers;
}

}  // namespace

CUmemAccessDesc read_write(CUdevice device) {
    CUmemAccessDesc description{};
    description.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    description.location.id = device;
    description.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    return description;
}

BlockTable& BlockTable::get() {
    static BlockTable* only = new BlockTable();  // threads may outlive static destruction
    return *only;
}

CUmemGenericAllocationHandle BlockTable::handle_of(uint64_t id) {
    return handle_tag | id;
}

uint64_t BlockTable::id_of(CUmemGenericAllocationHandle handle) {
    return (handle & handle_tag_mask) == handle_tag ? handle & ~handle_tag_mask : 0;
}

CUresult BlockTable::create(size_t size, const CUmemAllocationProp& wanted, uint64_t flags, uint64_t* id) {
    auto block = std::make_unique<Block>();
    block->size = size;
    block->properties = wanted;
    block->asked_types = wanted.requestedHandleTypes;
    block->properties.requestedHandleTypes = static_cast<CUmemAllocationHandleType>(
        wanted.requestedHandleTypes | CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
    block->flags = flags;
    block->references = 1;
    CUresult result = real::cuMemCreate(&block->real, size, &block->properties, flags);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    std::lock_guard lock(mutex_);
    block->id = ++last_id_;
    *id = block->id;
    blocks_[block->id] = std::move(block);
    return CUDA_SUCCESS;
}

bool BlockTable::add_reference(uint64_t id) {
    return with_block(id, [](Block& block) { block.references++; });
}

CUresult BlockTable::drop_reference(uint64_t id) {
    std::lock_guard lock(mutex_);
    auto found = blocks_.find(id);
    if (found == blocks_.end() || found->second->references == 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    found->second->references--;
    return destroy_if_unused(found->second.get());
}

CUresult BlockTable::destroy_if_unused(Block* block) {
    if (block->references > 0 || block->mappings > 0) {
        return CUDA_SUCCESS;
    }
    CUresult result = real::cuMemRelease(block->real);
    blocks_.erase(block->id);
    return result;
}

CUresult BlockTable::map(CUdeviceptr address, size_t size, size_t offset, uint64_t id, uint64_t flags) {
    std::lock_guard lock(mutex_);
    auto found = blocks_.find(id);
    if (found == blocks_.end()) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    Block* block = found->second.get();
    CUresult result = real::cuMemMap(address, size, offset, block->real, flags);
    if (result == CUDA_SUCCESS) {
        mappings_[address] = Mapping{size, offset, block};
        block->mappings++;
    }
    return result;
}

CUresult BlockTable::unmap(CUdeviceptr address, size_t size) {
    std::lock_guard lock(mutex_);
    CUresult result = real::cuMemUnmap(address, size);
    if (result != CUDA_SUCCESS) {
        return result;
    }
    Hints::get().forget(address, size);
    std::vector<Block*> touched;
    forget_mappings(address, size, &touched);
    split_access(address);
    split_access(address + size);
    access_.erase(access_.lower_bound(address), access_.lower_bound(address + size));
    for (Block* block : touched) {
        result = first_error(result, destroy_if_unused(block));
    }
    return result;
}

void BlockTable::forget_mappings(CUdeviceptr address, size_t size, std::vector<Block*>* touched) {
    split_mapping(address);
    split_mapping(address + size);
    auto first = mappings_.lower_bound(address);
    auto last = mappings_.lower_bound(address + size);
    for (auto at = first; at != last; ++at) {
        at->second.block->mappings--;
        if (std::find(touched->begin(), touched->end(), at->second.block) == touched->end()) {
            touched->push_back(at->second.block);
        }
    }
    mappings_.erase(first, last);
}

// Makes a border between mappings at an address that lies inside one.
void BlockTable::split_mapping(CUdeviceptr at) {
    auto after = mappings_.upper_bound(at);
    if (after == mappings_.begin()) {
        return;
    }
    auto candidate = std::prev(after);
    size_t head = at - candidate->first;
    if (head == 0 || head >= candidate->second.size) {
        return;
    }
    Mapping tail{candidate->second.size - head, candidate->second.offset + head, candidate->second.block};
    candidate->second.size = head;
    tail.block->mappings++;
    mappings_[at] = tail;
}

void BlockTable::split_access(CUdeviceptr at) {
    auto after = access_.upper_bound(at);
    if (after == access_.begin()) {
        return;
    }
    auto candidate = std::prev(after);
    size_t head = at - candidate->first;
    if (head == 0 || head >= candidate->second.size) {
        return;
    }
    Access tail{candidate->second.size - head, candidate->second.descriptions};
    candidate->second.size = head;
    access_[at] = std::move(tail);
}

CUresult BlockTable::set_access(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count) {
    std::lock_guard lock(mutex_);
    CUresult result = real::cuMemSetAccess(address, size, descriptions, count);
    if (result == CUDA_SUCCESS) {
        note_access(address, size, descriptions, count);
    }
    return result;
}

// What peers get by themselves is no part of what is noted: a thaw may be on GPUs that cannot reach each other.
CUresult BlockTable::set_access_of_all(CUdeviceptr address, size_t size, uint64_t id,
                                       const std::vector<CUmemAccessDesc>& descriptions) {
    std::lock_guard lock(mutex_);
    auto found = blocks_.find(id);
    if (found == blocks_.end()) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    std::vector<CUmemAccessDesc> all = unsaid_peers(found->second->properties.location.id, descriptions);
    all.insert(all.begin(), descriptions.begin(), descriptions.end());
    CUresult result = real::cuMemSetAccess(address, size, all.data(), all.size());
    if (result == CUDA_SUCCESS) {
        found->second->for_all = true;
        note_access(address, size, descriptions.data(), descriptions.size());
    }
    return result;
}

void BlockTable::let_peers_in() {
    std::lock_guard lock(mutex_);
    CUresult result = allow_peers();
    if (result != CUDA_SUCCESS) {
        log(Level::error, "a GPU may not copy all memory of the others yet: CUDA error %d", result);
        Contexts::get().owe_peers();
    }
}

CUresult BlockTable::allow_peers() {
    CUresult result = CUDA_SUCCESS;
    for (const auto& [address, mapping] : mappings_) {
        if (!mapping.block->for_all) {
            continue;
        }
        std::vector<CUmemAccessDesc> peers = unsaid_peers(mapping.block->properties.location.id, descriptions_at(address));
        if (!peers.empty()) {
            result = first_error(result, real::cuMemSetAccess(address, mapping.size, peers.data(), peers.size()));
        }
    }
    return result;
}

std::vector<CUmemAccessDesc> BlockTable::descriptions_at(CUdeviceptr address) const {
    auto after = access_.upper_bound(address);
    if (after == access_.begin()) {
        return {};
    }
    const auto& [start, access] = *std::prev(after);
    return address - start < access.size ? access.descriptions : std::vector<CUmemAccessDesc>{};
}

void BlockTable::note_access(CUdeviceptr address, size_t size, const CUmemAccessDesc* descriptions, size_t count) {
    CUdeviceptr end = address + size;
    split_access(address);
    split_access(end);
    CUdeviceptr at = address;
    while (at < end) {
        auto next = access_.lower_bound(at);
        if (next == access_.end() || next->first > at) {
            CUdeviceptr gap_end = next == access_.end() ? end : std::min<CUdeviceptr>(next->first, end);
            next = access_.emplace(at, Access{gap_end - at, {}}).first;
        }
        for (size_t i = 0; i < count; i++) {
            merge(next->second.descriptions, descriptions[i]);
        }
        at = next->first + next->second.size;
    }
}

uint64_t BlockTable::block_at(CUdeviceptr address) {
    std::lock_guard lock(mutex_);
    auto after = mappings_.upper_bound(address);
    if (after == mappings_.begin()) {
        return 0;
    }
    auto candidate = std::prev(after);
    return address - candidate->first < candidate->second.size ? candidate->second.block->id : 0;
}

std::vector<BlockPiece> BlockTable::pieces(CUdeviceptr address, size_t size) {
    std::lock_guard lock(mutex_);
    std::vector<BlockPiece> all;
    CUdeviceptr end = address + size;
    auto at = mappings_.upper_bound(address);
    if (at != mappings_.begin()) {
        --at;
    }
    for (; at != mappings_.end() && at->first < end; ++at) {
        CUdeviceptr start = std::max<CUdeviceptr>(at->first, address);
        CUdeviceptr stop = std::min<CUdeviceptr>(at->first + at->second.size, end);
        if (start >= stop) {
            continue;
        }
        BlockPiece piece{at->second.block->id, at->second.offset + (start - at->first), stop - start, start};
        BlockPiece* last = all.empty() ? nullptr : &all.back();
        if (last != nullptr && last->id == piece.id && last->offset + last->size == piece.offset &&
            last->address + last->size == piece.address) {
            last->size += piece.size;
        } else {
            all.push_back(piece);
        }
    }
    return all;
}

uint64_t BlockTable::count() {
    std::lock_guard lock(mutex_);
    return blocks_.size();
}

uint64_t BlockTable::bytes() {
    std::lock_guard lock(mutex_);
    uint64_t total = 0;
    for (const auto& [id, block] : blocks_) {
        total += block->size;
    }
    return total;
}

uint64_t BlockTable::shared_count() {
    std::lock_guard lock(mutex_);
    return static_cast<uint64_t>(
        std::count_if(blocks_.begin(), blocks_.end(), [](const auto& item) { return item.second->shared; }));
}

std::vector<BlockRecord> BlockTable::records() {
    std::lock_guard lock(mutex_);
    std::map<const Block*, CUdeviceptr> first_address;
    for (const auto& [address, mapping] : mappings_) {
        first_address.emplace(mapping.block, address);  // ascending: the first one stays
    }
    std::vector<BlockRecord> all;
    for (const auto& [id, block] : blocks_) {
        auto found = first_address.find(block.get());
        all.push_back({id, found == first_address.end() ? 0 : found->second, block->size, block->properties.location.id,
                       block->descriptor.valid()});
    }
    return all;
}

CUresult BlockTable::export_descriptor(uint64_t id, Descriptor* descriptor) {
    std::lock_guard lock(mutex_);
    auto found = blocks_.find(id);
    if (found == blocks_.end()) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    int value = -1;
    CUresult result = found->second->export_as(&value, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0);
    if (result == CUDA_SUCCESS) {
        *descriptor = Descriptor(value);
    }
    return result;
}

CUresult Block::export_as(void* shareable, int type, uint64_t flags_of_export) const {
    if (!descriptor.valid()) {
        return real::cuMemExportToShareableHandle(shareable, real, type, flags_of_export);
    }
    if (shareable == nullptr || flags_of_export != 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    int copy = descriptor.duplicate();
    *static_cast<int*>(shareable) = copy;
    return copy >= 0 ? CUDA_SUCCESS : CUDA_ERROR_OPERATING_SYSTEM;
}

bool Block::plain() const {
    return flags == 0 && properties.allocFlags.compressionType == 0 && properties.allocFlags.gpuDirectRDMACapable == 0 &&
           properties.allocFlags.usage == 0;
}

void BlockTable::give(size_t first, std::vector<Descriptor> descriptors, Origin origin) {
    std::lock_guard lock(mutex_);
    if (!released_ || first >= blocks_.size()) {
        return;
    }
    auto at = std::next(blocks_.begin(), static_cast<ptrdiff_t>(first));
    for (Descriptor& descriptor : descriptors) {
        if (at == blocks_.end()) {
            return;
        }
        Block& block = *at++->second;
        // The application may export it by another kind of handle, for which the driver wants whoever made it.
        if ((block.asked_types & ~CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) == 0 &&
            (origin == Origin::its_own || block.plain())) {
            block.descriptor = moved_out_of_the_way(std::move(descriptor));
        }
    }
}

void BlockTable::after_fork_in_child() {
    for (auto& [id, block] : blocks_) {
        block->descriptor.reset();
    }
    mutex_.unlock();
}

CUresult BlockTable::unmap_until(MappingPosition end) {
    CUresult result = CUDA_SUCCESS;
    for (auto at = mappings_.begin(); at != end; ++at) {
        result = first_error(result, real::cuMemUnmap(at->first, at->second.size));
    }
    return result;
}

CUresult BlockTable::release_all() {
    std::lock_guard lock(mutex_);
    CUresult result = CUDA_SUCCESS;
    for (auto at = mappings_.begin(); at != mappings_.end() && result == CUDA_SUCCESS; ++at) {
        result = real::cuMemUnmap(at->first, at->second.size);
        if (result != CUDA_SUCCESS && put_back_until(at) == CUDA_SUCCESS) {
            return result;
        }
    }
    if (result != CUDA_SUCCESS) {
        unmap_until(mappings_.end());  // some of it cannot be put back: half a process's memory is none
    }
    released_ = true;
    for (auto& [id, block] : blocks_) {
        result = first_error(result, real::cuMemRelease(block->real));
        block->real = 0;
        block->descriptor.reset();
    }
    return result;
}

// The blocks still hold their content: what was taken away is mapped again.
CUresult BlockTable::put_back_until(MappingPosition end) {
    CUresult result = CUDA_SUCCESS;
    for (auto at = mappings_.begin(); at != end; ++at) {
        result = first_error(
            result, real::cuMemMap(at->first, at->second.size, at->second.offset, at->second.block->real, 0));
    }
    return first_error(result, allow_all());
}

bool BlockTable::released() {
    std::lock_guard lock(mutex_);
    return released_;
}

CUresult BlockTable::bring_back_all() {
    std::lock_guard lock(mutex_);
    CUresult result = CUDA_SUCCESS;
    for (auto& [id, block] : blocks_) {
        result = bring_back(block.get());
        if (result != CUDA_SUCCESS) {
            break;
        }
    }
    if (result == CUDA_SUCCESS) {
        result = map_and_allow_all();
    }
    if (result != CUDA_SUCCESS) {
        for (auto& [id, block] : blocks_) {
            if (block->real != 0) {
                real::cuMemRelease(block->real);
                block->real = 0;
            }
            block->descriptor.reset();
        }
    }
    released_ = result != CUDA_SUCCESS;
    return result;
}

CUresult BlockTable::bring_back(Block* block) {
    if (block->descriptor.valid()) {
        void* shareable = reinterpret_cast<void*>(static_cast<intptr_t>(block->descriptor.get()));
        CUresult imported =
            real::cuMemImportFromShareableHandle(&block->real, shareable, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
        if (imported == CUDA_SUCCESS) {
            return CUDA_SUCCESS;
        }
        log(Level::info, "memory that was given could not be taken, it is made anew: CUDA error %d", imported);
        block->descriptor.reset();
    }
    CUresult result = real::cuMemCreate(&block->real, block->size, &block->properties, block->flags);
    block->real = result == CUDA_SUCCESS ? block->real : 0;
    return result;
}

CUresult BlockTable::map_and_allow_all() {
    for (auto at = mappings_.begin(); at != mappings_.end(); ++at) {
        CUresult result = real::cuMemMap(at->first, at->second.size, at->second.offset, at->second.block->real, 0);
        if (result != CUDA_SUCCESS) {
            unmap_until(at);
            return result;
        }
    }
    CUresult result = allow_all();
    if (result != CUDA_SUCCESS) {
        unmap_until(mappings_.end());
    }
    return result;
}

CUresult BlockTable::allow_all() {
    for (const auto& [address, access] : access_) {
        for (const auto& [start, size] : managed_parts(address, access.size)) {
            CUresult result =
                real::cuMemSetAccess(start, size, access.descriptions.data(), access.descriptions.size());
            if (result != CUDA_SUCCESS) {
                return result;
            }
        }
    }
    return allow_peers();
}

std::vector<std::pair<CUdeviceptr, size_t>> BlockTable::managed_parts(CUdeviceptr address, size_t size) {
    std::vector<std::pair<CUdeviceptr, size_t>> parts;
    CUdeviceptr end = address + size;
    auto at = mappings_.upper_bound(address);
    if (at != mappings_.begin()) {
        --at;
    }
    for (; at != mappings_.end() && at->first < end; ++at) {
        CUdeviceptr start = std::max<CUdeviceptr>(at->first, address);
        CUdeviceptr stop = std::min<CUdeviceptr>(at->first + at->second.size, end);
        if (start >= stop) {
            continue;
        }
        if (!parts.empty() && parts.back().first + parts.back().second == start) {
            parts.back().second += stop - start;
        } else {
            parts.emplace_back(start, stop - start);
        }
    }
    return parts;
}

}  // namespace gpusnap::preload
