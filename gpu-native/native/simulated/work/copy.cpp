#include "work/copy.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "memory/memory.h"
#include "work/throttle.h"

namespace gpusnap::simulated {
namespace {

template <class T>
T* pointer(uint64_t address) {
  return reinterpret_cast<T*>(address);
}

void check(End end, uint64_t size, bool write) {
  require(end.address != 0);
  memory().is_device(end.by, end.address, size, write);
}

// One side of a 2D or 3D copy.
struct Side {
  uint64_t address;
  uint64_t pitch;
  uint64_t slice;  // bytes from one z to the next
};

Side side(CUmemorytype type, const void* host, CUdeviceptr device, uint64_t pitch, uint64_t rows, uint64_t x, uint64_t y,
          uint64_t z, uint64_t width) {
  require(type == CU_MEMORYTYPE_HOST || type == CU_MEMORYTYPE_DEVICE || type == CU_MEMORYTYPE_UNIFIED);  // no arrays
  if (pitch == 0) pitch = width;
  require(pitch >= x + width);
  const uint64_t base = type == CU_MEMORYTYPE_HOST ? reinterpret_cast<uint64_t>(host) : device;
  const uint64_t slice = pitch * rows;
  return {base + z * slice + y * pitch + x, pitch, slice};
}

Work box_work(CUdevice by, Side to, Side from, uint64_t width, uint64_t height, uint64_t depth) {
  if (width == 0 || height == 0 || depth == 0) return [] {};
  const auto span = [&](const Side& s) { return (depth - 1) * s.slice + (height - 1) * s.pitch + width; };
  check({by, to.address}, span(to), true);
  check({by, from.address}, span(from), false);
  return [=] {
    const Throttle throttle(width * height * depth);
    for (uint64_t z = 0; z < depth; ++z) {
      for (uint64_t y = 0; y < height; ++y) {
        std::memcpy(pointer<void>(to.address + z * to.slice + y * to.pitch),
                    pointer<const void>(from.address + z * from.slice + y * from.pitch), width);
      }
    }
  };
}

template <class Element>
void fill(uint64_t to, uint64_t pitch, Element value, uint64_t width, uint64_t height) {
  for (uint64_t y = 0; y < height; ++y) std::fill_n(pointer<Element>(to + y * pitch), width, value);
}

}  // namespace

Work copy_work(End to, End from, uint64_t size) {
  if (size == 0) return [] {};
  check(to, size, true);
  check(from, size, false);
  return [=] {
    const Throttle throttle(size);
    std::memmove(pointer<void>(to.address), pointer<const void>(from.address), size);
  };
}

Work copy_work(CUdevice by, const CUDA_MEMCPY2D& c) {
  const Side to = side(c.dstMemoryType, c.dstHost, c.dstDevice, c.dstPitch, 0, c.dstXInBytes, c.dstY, 0, c.WidthInBytes);
  const Side from = side(c.srcMemoryType, c.srcHost, c.srcDevice, c.srcPitch, 0, c.srcXInBytes, c.srcY, 0, c.WidthInBytes);
  return box_work(by, to, from, c.WidthInBytes, c.Height, 1);
}

Work copy_work(CUdevice by, const CUDA_MEMCPY3D& c) {
  const uint64_t to_rows = c.dstHeight != 0 ? c.dstHeight : c.Height;
  const uint64_t from_rows = c.srcHeight != 0 ? c.srcHeight : c.Height;
  const Side to =
      side(c.dstMemoryType, c.dstHost, c.dstDevice, c.dstPitch, to_rows, c.dstXInBytes, c.dstY, c.dstZ, c.WidthInBytes);
  const Side from =
      side(c.srcMemoryType, c.srcHost, c.srcDevice, c.srcPitch, from_rows, c.srcXInBytes, c.srcY, c.srcZ, c.WidthInBytes);
  return box_work(by, to, from, c.WidthInBytes, c.Height, c.Depth);
}

Work fill_work(CUdevice by, uint64_t to, uint64_t pitch, uint32_t value, unsigned element, uint64_t width, uint64_t height) {
  if (width == 0 || height == 0) return [] {};
  require(to % element == 0 && (height == 1 || pitch >= width * element));
  check({by, to}, (height - 1) * pitch + width * element, true);
  return [=] {
    if (element == 1) fill(to, pitch, static_cast<uint8_t>(value), width, height);
    if (element == 2) fill(to, pitch, static_cast<uint16_t>(value), width, height);
    if (element == 4) fill(to, pitch, value, width, height);
  };
}

}  // namespace gpusnap::simulated
