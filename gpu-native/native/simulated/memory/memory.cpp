#include "memory/memory.h"

#include <sys/mman.h>

#include <vector>

#include "core/error.h"

namespace gpusnap::simulated {
namespace {

constexpr uint64_t kSmall = 1 << 20;  // below: from a slab
constexpr uint64_t kPage = 4096;

CUmemAllocationProp plain_prop(CUdevice device, bool managed) {
  CUmemAllocationProp prop = {};
  prop.type = managed ? CU_MEM_ALLOCATION_TYPE_MANAGED : CU_MEM_ALLOCATION_TYPE_PINNED;
  prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};
  return prop;
}

uint64_t slab_share(uint64_t size) { return round_up(size, Slab::kAlignment); }

template <class Map>
auto holder_of(Map& map, uint64_t address) {
  auto next = map.upper_bound(address);
  if (next == map.begin()) return map.end();
  --next;
  return address < next->first + next->second.size ? next : map.end();
}

}  // namespace

uint64_t Memory::allocate_block(uint64_t size, CUdevice device, bool managed) {
  const uint64_t whole = round_up(size, kGranularity);
  const auto physical = Physical::create(device, whole, plain_prop(device, managed));
  const uint64_t address = space_.reserve(whole, kGranularity, 0);
  try {
    space_.map(address, whole, 0, physical);
    space_.set_access(address, whole, kEveryDevice, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  } catch (...) {
    if (space_.find(address) != nullptr) space_.unmap(address, whole);
    space_.unreserve(address, whole);
    throw;
  }
  physical->close_descriptor();
  return address;
}

void Memory::free_block(uint64_t address, uint64_t size) {
  const uint64_t whole = round_up(size, kGranularity);
  space_.unmap(address, whole);
  space_.unreserve(address, whole);
}

uint64_t Memory::allocate_small(uint64_t size, CUdevice device) {
  auto& slabs = slabs_[device];
  for (auto& [start, slab] : slabs) {
    if (const uint64_t address = slab.take(slab_share(size))) return address;
  }
  const uint64_t start = allocate_block(kGranularity, device, false);
  return slabs.emplace(start, Slab(start, kGranularity)).first->second.take(slab_share(size));
}

void Memory::free_small(uint64_t address, uint64_t size, CUdevice device) {
  auto& slabs = slabs_[device];
  const auto slab = std::prev(slabs.upper_bound(address));
  slab->second.give_back(address, slab_share(size));
  if (!slab->second.empty()) return;
  free_block(slab->first, kGranularity);
  slabs.erase(slab);
}

uint64_t Memory::allocate(uint64_t size, CUdevice device, Allocation::Kind kind, Context* context, Pool* pool) {
  require(size > 0);
  const std::lock_guard lock(mutex_);
  const bool managed = kind == Allocation::Kind::kManaged;
  const uint64_t address = size < kSmall && !managed ? allocate_small(size, device) : allocate_block(size, device, managed);
  allocations_[address] = Allocation{address, size, device, kind, context, pool};
  return address;
}

void Memory::free_locked(std::map<uint64_t, Allocation>::iterator allocation) {
  const Allocation gone = allocation->second;
  allocations_.erase(allocation);
  if (gone.size < kSmall && gone.kind != Allocation::Kind::kManaged) {
    free_small(gone.address, gone.size, gone.device);
  } else {
    free_block(gone.address, gone.size);
  }
}

void Memory::free(uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto found = allocations_.find(address);
  require(found != allocations_.end());
  free_locked(found);
}

std::optional<Allocation> Memory::allocation_at(uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto found = holder_of(allocations_, address);
  return found == allocations_.end() ? std::nullopt : std::optional(found->second);
}

template <class Predicate>
void Memory::free_where(Predicate predicate) {
  const std::lock_guard lock(mutex_);
  for (auto entry = allocations_.begin(); entry != allocations_.end();) {
    const auto next = std::next(entry);
    if (predicate(entry->second)) free_locked(entry);
    entry = next;
  }
}

void Memory::free_of(const Context* context) {
  free_where([&](const Allocation& a) { return a.context == context && a.kind != Allocation::Kind::kPool; });
}

void Memory::free_of(const Pool* pool) {
  free_where([&](const Allocation& a) { return a.pool == pool; });
}

void* Memory::allocate_host(uint64_t size, unsigned flags, Context* context) {
  require(size > 0);
  const uint64_t whole = round_up(size, kPage);
  void* const address = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(address != MAP_FAILED, CUDA_ERROR_OUT_OF_MEMORY);
  const std::lock_guard lock(mutex_);
  host_[reinterpret_cast<uint64_t>(address)] = HostRange{size, flags, false, context};
  return address;
}

void Memory::free_host(void* address) {
  const std::lock_guard lock(mutex_);
  const auto found = host_.find(reinterpret_cast<uint64_t>(address));
  require(found != host_.end() && !found->second.registered);
  munmap(address, round_up(found->second.size, kPage));
  host_.erase(found);
}

void Memory::register_host(void* address, uint64_t size, unsigned flags, Context* context) {
  const uint64_t start = reinterpret_cast<uint64_t>(address);
  require(address != nullptr && size > 0);
  const std::lock_guard lock(mutex_);
  const auto next = host_.lower_bound(start + size);
  if (next != host_.begin()) {
    const auto& [before, range] = *std::prev(next);
    require(before + range.size <= start, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  }
  host_[start] = HostRange{size, flags, true, context};
}

void Memory::unregister_host(void* address) {
  const std::lock_guard lock(mutex_);
  const auto found = host_.find(reinterpret_cast<uint64_t>(address));
  require(found != host_.end() && found->second.registered, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  host_.erase(found);
}

std::optional<HostRange> Memory::host_range_at(uint64_t address, uint64_t* base) const {
  const std::lock_guard lock(mutex_);
  const auto found = holder_of(host_, address);
  if (found == host_.end()) return std::nullopt;
  *base = found->first;
  return found->second;
}

bool Memory::is_device(CUdevice by, uint64_t address, uint64_t size, bool write) const {
  const std::lock_guard lock(mutex_);
  uint64_t base = 0;
  uint64_t reserved_size = 0;
  if (!space_.reserved(address, &base, &reserved_size)) return false;
  require(space_.accessible(by, address, size, write));
  if (const auto found = holder_of(allocations_, address); found != allocations_.end()) {
    require(size <= found->first + found->second.size - address);
  }
  return true;
}

void Memory::save() {
  const std::lock_guard lock(mutex_);
  const auto all = space_.physicals();
  for (const auto& physical : all) {
    const bool plain = physical->kind() == Physical::Kind::kMemory && !physical->imported() && !physical->managed();
    require(plain, CUDA_ERROR_NOT_SUPPORTED);
  }
  try {
    for (const auto& physical : all) physical->save();
  } catch (...) {
    for (const auto& physical : all) physical->discard_saved();
    throw;
  }
  space_.detach_all();
  for (const auto& physical : all) physical->drop();
}

void Memory::restore() {
  const std::lock_guard lock(mutex_);
  const auto all = space_.physicals();
  try {
    for (const auto& physical : all) physical->revive();
  } catch (...) {
    for (const auto& physical : all) physical->drop();
    throw;
  }
  space_.attach_all();
  for (const auto& physical : all) {
    physical->settle();
    physical->discard_saved();
  }
}

Memory& memory() {
  static auto* instance = new Memory;
  return *instance;
}

}  // namespace gpusnap::simulated
