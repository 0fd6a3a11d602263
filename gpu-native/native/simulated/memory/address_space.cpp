#include "memory/address_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace gpusnap::simulated {
namespace {

constexpr int kReservation = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

int protection(CUmemAccess_flags access) {
  switch (access) {
    case CU_MEM_ACCESS_FLAGS_PROT_NONE:
      return PROT_NONE;
    case CU_MEM_ACCESS_FLAGS_PROT_READ:
      return PROT_READ;
    case CU_MEM_ACCESS_FLAGS_PROT_READWRITE:
      return PROT_READ | PROT_WRITE;
  }
  fail(CUDA_ERROR_INVALID_VALUE);
}

void bare(uint64_t address, uint64_t size) {
  require(mmap(pointer(address), size, PROT_NONE, kReservation | MAP_FIXED, -1, 0) != MAP_FAILED, CUDA_ERROR_UNMAP_FAILED);
}

}  // namespace

CUmemAccess_flags Access::of(CUdevice device) const {
  auto found = flags_.find(device);
  if (found == flags_.end()) found = flags_.find(kEveryDevice);
  return found == flags_.end() ? CU_MEM_ACCESS_FLAGS_PROT_NONE : found->second;
}

CUmemAccess_flags Access::widest() const {
  CUmemAccess_flags widest = CU_MEM_ACCESS_FLAGS_PROT_NONE;
  for (const auto& [device, flags] : flags_) widest = std::max(widest, flags);
  return widest;
}

uint64_t AddressSpace::reserve(uint64_t size, uint64_t alignment, uint64_t hint) {
  if (alignment < kGranularity) alignment = kGranularity;
  require(size > 0 && size % kGranularity == 0 && (alignment & (alignment - 1)) == 0);
  if (hint != 0 && hint % alignment == 0) {
    void* const at = mmap(pointer(hint), size, PROT_NONE, kReservation | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == pointer(hint)) {
      reservations_[hint] = size;
      return hint;
    }
    if (at != MAP_FAILED) munmap(at, size);
  }
  void* const area = mmap(nullptr, size + alignment, PROT_NONE, kReservation, -1, 0);
  require(area != MAP_FAILED, CUDA_ERROR_OUT_OF_MEMORY);
  const uint64_t start = reinterpret_cast<uint64_t>(area);
  const uint64_t address = round_up(start, alignment);
  if (address > start) munmap(area, address - start);
  if (address < start + alignment) munmap(pointer(address + size), start + alignment - address);
  reservations_[address] = size;
  return address;
}

void AddressSpace::unreserve(uint64_t address, uint64_t size) {
  const auto found = reservations_.find(address);
  require(found != reservations_.end() && found->second == size);
  const auto next = mappings_.lower_bound(address);
  require(next == mappings_.end() || next->first >= address + size);  // still mapped
  munmap(pointer(address), size);
  reservations_.erase(found);
}

void AddressSpace::map(uint64_t address, uint64_t size, uint64_t offset, const std::shared_ptr<Physical>& physical) {
  uint64_t base = 0;
  uint64_t reserved_size = 0;
  require(physical->kind() == Physical::Kind::kMemory);
  require(size > 0 && size % kGranularity == 0 && address % kGranularity == 0 && offset % kGranularity == 0);
  require(offset + size <= physical->size_bytes());
  require(reserved(address, &base, &reserved_size) && address + size <= base + reserved_size);
  const auto next = mappings_.upper_bound(address + size - 1);
  if (next != mappings_.begin()) {
    const auto& [before, mapping] = *std::prev(next);
    require(before + mapping.size <= address);  // mapped already
  }
  require(offset == 0 && size == physical->size_bytes(), CUDA_ERROR_NOT_SUPPORTED);  // as an H100 answered
  physical->map(pointer(address), size, offset, PROT_NONE);
  mappings_[address] = Mapping{size, physical, offset, Access()};
}

std::vector<AddressSpace::Mappings::iterator> AddressSpace::exactly(uint64_t address, uint64_t size) {
  std::vector<Mappings::iterator> covered;
  uint64_t at = address;
  while (at < address + size) {
    const auto found = mappings_.find(at);
    require(found != mappings_.end());
    covered.push_back(found);
    at += found->second.size;
  }
  require(size > 0 && at == address + size);
  return covered;
}

void AddressSpace::unmap(uint64_t address, uint64_t size) {
  for (const auto& mapping : exactly(address, size)) {
    bare(mapping->first, mapping->second.size);
    mappings_.erase(mapping);
  }
}

void AddressSpace::set_access(uint64_t address, uint64_t size, CUdevice device, CUmemAccess_flags flags) {
  protection(flags);  // refuses what is none
  for (const auto& mapping : exactly(address, size)) {
    Access access = mapping->second.access;
    access.set(device, flags);
    const int bits = protection(access.widest());
    require(mprotect(pointer(mapping->first), mapping->second.size, bits) == 0, CUDA_ERROR_OPERATING_SYSTEM);
    mapping->second.access = std::move(access);
  }
}

const Mapping* AddressSpace::find(uint64_t address, uint64_t* base) const {
  auto next = mappings_.upper_bound(address);
  if (next == mappings_.begin()) return nullptr;
  const auto& [start, mapping] = *std::prev(next);
  if (address >= start + mapping.size) return nullptr;
  if (base != nullptr) *base = start;
  return &mapping;
}

bool AddressSpace::reserved(uint64_t address, uint64_t* base, uint64_t* size) const {
  auto next = reservations_.upper_bound(address);
  if (next == reservations_.begin()) return false;
  const auto& [start, length] = *std::prev(next);
  if (address >= start + length) return false;
  *base = start;
  *size = length;
  return true;
}

bool AddressSpace::accessible(CUdevice by, uint64_t address, uint64_t size, bool write) const {
  uint64_t at = address;
  while (at < address + size) {
    uint64_t base = 0;
    const Mapping* const mapping = find(at, &base);
    const CUmemAccess_flags access = mapping == nullptr ? CU_MEM_ACCESS_FLAGS_PROT_NONE : mapping->access.of(by);
    if (access == CU_MEM_ACCESS_FLAGS_PROT_NONE || (write && access != CU_MEM_ACCESS_FLAGS_PROT_READWRITE)) return false;
    at = base + mapping->size;
  }
  return true;
}

CUmemGenericAllocationHandle AddressSpace::add_handle(std::shared_ptr<Physical> physical) {
  for (auto& [value, handle] : handles_) {
    if (handle.physical != physical) continue;
    ++handle.references;
    return value;
  }
  handles_[++last_handle_] = Handle{std::move(physical), 1};
  return last_handle_;
}

const std::shared_ptr<Physical>& AddressSpace::handle(CUmemGenericAllocationHandle handle) const {
  const auto found = handles_.find(handle);
  require(found != handles_.end());
  return found->second.physical;
}

void AddressSpace::release_handle(CUmemGenericAllocationHandle handle) {
  const auto found = handles_.find(handle);
  require(found != handles_.end());
  if (--found->second.references == 0) handles_.erase(found);
}

std::set<std::shared_ptr<Physical>> AddressSpace::physicals() const {
  std::set<std::shared_ptr<Physical>> all;
  for (const auto& [value, handle] : handles_) all.insert(handle.physical);
  for (const auto& [address, mapping] : mappings_) all.insert(mapping.physical);
  return all;
}

void AddressSpace::detach_all() {
  for (const auto& [address, mapping] : mappings_) bare(address, mapping.size);
}

void AddressSpace::attach_all() {
  for (const auto& [address, mapping] : mappings_) {
    mapping.physical->map(pointer(address), mapping.size, mapping.offset, protection(mapping.access.widest()));
  }
}

}  // namespace gpusnap::simulated
