// libcufile.so.0 for the simulated driver: always in compatibility mode inside, whatever it says of the kernel side.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "../../include/cufile_abi.h"
#include "storage/machine.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kBounceBytes = 1 << 20;
constexpr unsigned kFile = 0x66696c65;

struct Registered {
  unsigned mark = kFile;
  int descriptor = -1;
};

std::atomic<bool> opened{false};

CufileError good() { return {0, CUDA_SUCCESS}; }
CufileError bad(int code) { return {code, CUDA_SUCCESS}; }

// A failure on order is one of the driver's, as far as cuFile tells, unless it has a code of cuFile's.
CufileError begin(const char* function) {
  const CUresult ordered = gpusnap_simulated_call(function);
  if (static_cast<int>(ordered) > CUFILE_BASE_ERROR) return bad(static_cast<int>(ordered));
  return ordered == CUDA_SUCCESS ? good() : CufileError{CUFILE_CUDA_DRIVER_ERROR, ordered};
}

Registered* registered(CufileHandle handle) {
  auto* const file = static_cast<Registered*>(handle);
  return file != nullptr && file->mark == kFile ? file : nullptr;
}

// Direct I/O wants whole pages in memory, in the file and in length; files end anywhere.
ssize_t read_part(int descriptor, char* bounce, uint64_t size, uint64_t offset, CUdeviceptr to) {
  const uint64_t page = offset / kPageBytes * kPageBytes;
  const uint64_t before = offset - page;
  const uint64_t whole = (before + size + kPageBytes - 1) / kPageBytes * kPageBytes;
  const ssize_t count = pread(descriptor, bounce, whole, static_cast<off_t>(page));
  if (count < 0) return -1;
  if (static_cast<uint64_t>(count) <= before) return 0;
  const uint64_t read = std::min(size, static_cast<uint64_t>(count) - before);
  if (cuMemcpyHtoD_v2(to, bounce + before, read) != CUDA_SUCCESS) return -CUFILE_CUDA_DRIVER_ERROR;
  return static_cast<ssize_t>(read);
}

}  // namespace

EXPORT CufileError cuFileDriverOpen(void) {
  const CufileError begun = begin("cuFileDriverOpen");
  opened = begun.err == 0;
  return begun;
}

EXPORT CufileError cuFileDriverGetProperties(CufileProperties* properties) {
  const CufileError begun = begin("cuFileDriverGetProperties");
  if (begun.err != 0) return begun;
  if (!opened) return bad(CUFILE_DRIVER_NOT_INITIALIZED);
  if (properties == nullptr) return bad(CUFILE_INVALID_VALUE);
  properties->kernel = {};
  properties->kernel.status = gpusnap_simulated_nvidia_fs() != 0 ? CUFILE_NVME : 0;
  return good();
}

EXPORT CufileError cuFileHandleRegister(CufileHandle* handle, CufileDescription* description) {
  const CufileError begun = begin("cuFileHandleRegister");
  if (begun.err != 0) return begun;
  if (!opened) return bad(CUFILE_DRIVER_NOT_INITIALIZED);
  if (handle == nullptr || description == nullptr || description->fs_ops != nullptr ||
      description->type != CUFILE_POSIX_DESCRIPTOR) {
    return bad(CUFILE_INVALID_VALUE);
  }
  struct stat found;
  const int flags = fcntl(description->handle.fd, F_GETFL);
  if (flags < 0 || fstat(description->handle.fd, &found) != 0 || !S_ISREG(found.st_mode)) {
    return bad(CUFILE_INVALID_FILE_TYPE);
  }
  if ((flags & (O_NONBLOCK | O_NOFOLLOW)) != 0) return bad(CUFILE_INVALID_FILE_OPEN_FLAG);
  if ((flags & O_DIRECT) == 0) return bad(CUFILE_DIRECT_IO_NOT_SET);
  *handle = new Registered{kFile, description->handle.fd};
  return good();
}

EXPORT void cuFileHandleDeregister(CufileHandle handle) {
  Registered* const file = registered(handle);
  if (file == nullptr) return;
  file->mark = 0;
  delete file;
}

EXPORT ssize_t cuFileRead(CufileHandle handle, void* device, size_t size, off_t file_offset, off_t device_offset) {
  if (gpusnap_simulated_call("cuFileRead") != CUDA_SUCCESS) {
    errno = EIO;
    return -1;
  }
  const Registered* const file = registered(handle);
  if (file == nullptr) return -CUFILE_HANDLE_NOT_REGISTERED;
  if (device == nullptr || file_offset < 0 || device_offset < 0) return -CUFILE_INVALID_VALUE;
  const uint64_t most = gpusnap_simulated_storage_read_bytes();
  const uint64_t wanted = most == 0 ? size : std::min<uint64_t>(size, most);
  const std::unique_ptr<char, decltype(&std::free)> bounce(
      static_cast<char*>(std::aligned_alloc(kPageBytes, kBounceBytes + kPageBytes)), &std::free);
  if (bounce == nullptr) {
    errno = ENOMEM;
    return -1;
  }
  const CUdeviceptr to = reinterpret_cast<CUdeviceptr>(device) + static_cast<uint64_t>(device_offset);
  uint64_t done = 0;
  while (done < wanted) {
    const uint64_t part = std::min(kBounceBytes, wanted - done);
    const ssize_t count = read_part(file->descriptor, bounce.get(), part, static_cast<uint64_t>(file_offset) + done, to + done);
    if (count < 0) return count;
    done += static_cast<uint64_t>(count);
    if (static_cast<uint64_t>(count) < part) break;
  }
  return static_cast<ssize_t>(done);
}
