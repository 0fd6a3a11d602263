#include "memory/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/settings.h"

namespace gpusnap::simulated {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int take() {
    const int value = value_;
    value_ = -1;
    return value;
  }

 private:
  int value_;
};

std::string directory_of(const Gpu& gpu) { return settings().state_dir + "/vram-" + gpu.uuid_text; }

bool make_directory(const std::string& path) {
  // Sticky and open to all, like /tmp: workloads of several users share one machine.
  if (mkdir(path.c_str(), 0700) == 0) return chmod(path.c_str(), 01777) == 0;
  return errno == EEXIST;
}

// Held while the books are read or changed, by one thread of one process at a time.
class BookLock {
 public:
  BookLock() : file_(open((settings().state_dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_.get() < 0) {
      complain("cannot open %s/lock: %s", settings().state_dir.c_str(), std::strerror(errno));
      fail(CUDA_ERROR_OPERATING_SYSTEM);
    }
    fchmod(file_.get(), 0666);  // against the umask; fails harmlessly for a file of another user
    while (flock(file_.get(), LOCK_EX) != 0) require(errno == EINTR, CUDA_ERROR_OPERATING_SYSTEM);
  }

 private:
  Descriptor file_;
};

// Size of a live allocation; a dead one is removed and counts 0.
uint64_t live_bytes(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat status;
  if (file.get() < 0) {
    // Another user's: the creator's pid is all there is to go by.
    const char* name = std::strrchr(path.c_str(), '/') + 1;
    const pid_t creator = static_cast<pid_t>(std::strtol(name, nullptr, 10));
    const bool alive = errno == EACCES && (kill(creator, 0) == 0 || errno == EPERM);
    return alive && stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    unlink(path.c_str());
    return 0;
  }
  return fstat(file.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

uint64_t sum_of_live(const std::string& directory) {
  DIR* entries = opendir(directory.c_str());
  if (entries == nullptr) return 0;
  uint64_t sum = 0;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] != '.') sum += live_bytes(directory + "/" + entry->d_name);
  }
  closedir(entries);
  return sum;
}

void require_room_in_file_system(const std::string& directory, uint64_t size_bytes) {
  struct statvfs status;
  if (statvfs(directory.c_str(), &status) != 0) return;
  const uint64_t free_bytes = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  if (free_bytes >= size_bytes) return;
  complain("%s has %llu bytes left, an allocation needs %llu: set GPUSNAP_SIM_STATE_DIR to a larger tmpfs", directory.c_str(),
           static_cast<unsigned long long>(free_bytes), static_cast<unsigned long long>(size_bytes));
  fail(CUDA_ERROR_OUT_OF_MEMORY);
}

}  // namespace

void Ledger::prepare() {
  const std::string& path = settings().state_dir;
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    mkdir(path.substr(0, slash).c_str(), 0755);
  }
  if (!make_directory(path)) {
    complain("cannot make %s: %s", path.c_str(), std::strerror(errno));
    fail(CUDA_ERROR_OPERATING_SYSTEM);
  }
}

VramFile Ledger::create(const Gpu& gpu, uint64_t size_bytes) {
  static std::atomic<unsigned> counter{0};
  const std::string directory = directory_of(gpu);
  const BookLock lock;
  require(make_directory(directory), CUDA_ERROR_OPERATING_SYSTEM);
  const uint64_t used = sum_of_live(directory);
  require(size_bytes <= gpu.vram_bytes && used <= gpu.vram_bytes - size_bytes, CUDA_ERROR_OUT_OF_MEMORY);
  require_room_in_file_system(directory, size_bytes);
  for (;;) {
    // A process restored by CRIU may meet its own old names: take the next number then.
    const std::string path = directory + "/" + std::to_string(getpid()) + "-" + std::to_string(++counter);
    Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0 && errno == EEXIST) continue;
    if (file.get() < 0 || ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0 || flock(file.get(), LOCK_SH) != 0) {
      complain("cannot make %s: %s", path.c_str(), std::strerror(errno));
      if (file.get() >= 0) unlink(path.c_str());
      fail(CUDA_ERROR_OUT_OF_MEMORY);
    }
    return {file.take(), path};
  }
}

uint64_t Ledger::used_bytes(const Gpu& gpu) {
  const BookLock lock;
  return sum_of_live(directory_of(gpu));
}

void Ledger::reclaim(const std::string& path) {
  const BookLock lock;
  live_bytes(path);
}

std::string Ledger::uuid_of(const std::string& path) {
  const size_t end = path.rfind('/');
  const size_t start = end == std::string::npos ? end : path.rfind("/vram-", end);
  return start == std::string::npos || start + 6 > end ? "" : path.substr(start + 6, end - start - 6);
}

Ledger& ledger() {
  static auto* instance = new Ledger;
  return *instance;
}

}  // namespace gpusnap::simulated
