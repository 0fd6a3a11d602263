#include "memory/physical.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/settings.h"
#include "memory/ledger.h"
#include "work/throttle.h"

namespace gpusnap::simulated {
namespace {

constexpr uint64_t kSaveStep = 64 << 10;
constexpr int kPoison = 0xa5;

bool all_zero(const char* at, uint64_t size) {
  return at[0] == 0 && std::memcmp(at, at + 1, size - 1) == 0;
}

// Zero pages are not written, so that they cost the receiver nothing.
void copy_sparse(char* to, const char* from, uint64_t size_bytes) {
  const Throttle throttle(size_bytes);
  for (uint64_t at = 0; at < size_bytes; at += kSaveStep) {
    const uint64_t step = std::min(kSaveStep, size_bytes - at);
    if (!all_zero(from + at, step)) std::memcpy(to + at, from + at, step);
  }
}

class Window {  // a whole allocation, mapped anywhere for a moment
 public:
  Window(int descriptor, uint64_t size)
      : size_(size), address_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)) {
    require(address_ != MAP_FAILED, CUDA_ERROR_OPERATING_SYSTEM);
  }
  ~Window() { munmap(address_, size_); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  char* get() const { return static_cast<char*>(address_); }

 private:
  const uint64_t size_;
  void* const address_;
};

}  // namespace

std::shared_ptr<Physical> Physical::create(CUdevice device, uint64_t size_bytes, const CUmemAllocationProp& prop) {
  std::shared_ptr<Physical> result(new Physical(device, size_bytes, prop));
  const VramFile file = ledger().create(devices().gpu(device), size_bytes);
  result->descriptor_ = file.descriptor;
  result->path_ = file.path;
  if (settings().poison) std::memset(Window(file.descriptor, size_bytes).get(), kPoison, size_bytes);
  return result;
}

std::shared_ptr<Physical> Physical::import(int descriptor) {
  char path[512] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  struct stat status;
  const bool readable = readlink(link.c_str(), path, sizeof path - 1) > 0 && fstat(descriptor, &status) == 0;
  const int device = readable ? devices().ordinal_of(Ledger::uuid_of(path)) : -1;
  require(device >= 0 && status.st_size > 0, CUDA_ERROR_UNKNOWN);
  CUmemAllocationProp prop = {};
  prop.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  prop.location = {CU_MEM_LOCATION_TYPE_DEVICE, device};  // no handle type: only who made memory exports it
  std::shared_ptr<Physical> result(new Physical(device, static_cast<uint64_t>(status.st_size), prop));
  result->path_ = path;
  result->imported_ = true;
  result->descriptor_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  require(result->descriptor_ >= 0, CUDA_ERROR_OPERATING_SYSTEM);
  return result;
}

std::shared_ptr<Physical> Physical::multicast(uint64_t size_bytes) {
  std::shared_ptr<Physical> result(new Physical(0, size_bytes, CUmemAllocationProp{}));
  result->kind_ = Kind::kMulticast;
  return result;
}

Physical::~Physical() {
  discard_saved();
  drop();
}

int Physical::export_descriptor() {
  require(prop_.requestedHandleTypes & CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  const int result = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  require(result >= 0, CUDA_ERROR_OPERATING_SYSTEM);
  exported_ = true;
  return result;
}

void Physical::map(void* address, uint64_t size, uint64_t offset, int protection) const {
  void* const at = mmap(address, size, protection, MAP_SHARED | MAP_FIXED, descriptor_, static_cast<off_t>(offset));
  require(at == address, CUDA_ERROR_MAP_FAILED);
  madvise(address, size, MADV_DONTFORK);
}

void Physical::close_descriptor() {
  transient_descriptor_ = true;
  forget_descriptor();
}

void Physical::settle() {
  if (transient_descriptor_) forget_descriptor();
}

void Physical::save() {
  void* const copy = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(copy != MAP_FAILED, CUDA_ERROR_OUT_OF_MEMORY);
  saved_ = copy;
  int descriptor = descriptor_ >= 0 ? fcntl(descriptor_, F_DUPFD_CLOEXEC, 0) : open(path_.c_str(), O_RDWR | O_CLOEXEC);
  require(descriptor >= 0, CUDA_ERROR_OPERATING_SYSTEM);
  try {
    copy_sparse(static_cast<char*>(saved_), Window(descriptor, size_bytes_).get(), size_bytes_);
  } catch (...) {
    close(descriptor);
    throw;
  }
  close(descriptor);
}

void Physical::discard_saved() {
  if (saved_ != nullptr) munmap(saved_, size_bytes_);
  saved_ = nullptr;
}

void Physical::drop() {
  forget_descriptor();
  if (path_.empty()) return;
  try {
    ledger().reclaim(path_);
  } catch (const Error&) {
    complain("%s stays until another process counts memory", path_.c_str());
  }
  path_.clear();
}

void Physical::revive() {
  const VramFile file = ledger().create(devices().gpu(device_), size_bytes_);
  descriptor_ = file.descriptor;
  path_ = file.path;
  exported_ = false;
  copy_sparse(Window(descriptor_, size_bytes_).get(), static_cast<char*>(saved_), size_bytes_);
}

void Physical::forget_descriptor() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

void Physical::unlink_if_private() const {
  if (!path_.empty() && !imported_ && !exported_) unlink(path_.c_str());
}

}  // namespace gpusnap::simulated
