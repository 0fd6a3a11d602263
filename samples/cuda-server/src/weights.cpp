#include "weights.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& path) { throw std::runtime_error(path + ": " + std::strerror(errno)); }

class File {
 public:
  File(const std::string& path, int flags) : path_(path), descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) fail(path);
  }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write_all(const char* from, uint64_t bytes) {
    while (bytes > 0) {
      const ssize_t written = write(descriptor_, from, bytes);
      if (written < 0) fail(path_);
      from += written;
      bytes -= static_cast<uint64_t>(written);
    }
  }
  void read_all(char* to, uint64_t bytes) {
    while (bytes > 0) {
      const ssize_t got = read(descriptor_, to, bytes);
      if (got < 0) fail(path_);
      if (got == 0) throw std::runtime_error(path_ + " is too short");
      to += got;
      bytes -= static_cast<uint64_t>(got);
    }
  }

 private:
  const std::string path_;
  const int descriptor_;
};

}  // namespace

uint64_t random_word(uint64_t index) {  // splitmix64
  uint64_t x = (index + 1) * 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

void make_weights(const std::string& path, uint64_t size_bytes) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && static_cast<uint64_t>(status.st_size) == size_bytes) return;
  const std::string unfinished = path + ".unfinished";
  {
    File file(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
    std::vector<uint64_t> piece(1 << 16);
    for (uint64_t at = 0; at < size_bytes / 8; at += piece.size()) {
      const uint64_t words = std::min<uint64_t>(piece.size(), size_bytes / 8 - at);
      for (uint64_t i = 0; i < words; ++i) piece[i] = random_word(at + i);
      file.write_all(reinterpret_cast<const char*>(piece.data()), words * 8);
    }
  }
  if (rename(unfinished.c_str(), path.c_str()) != 0) fail(path);
}

void read_weights(const std::string& path, uint64_t size_bytes, char* buffer, uint64_t piece_bytes,
                  const std::function<void(uint64_t, uint64_t)>& take) {
  File file(path, O_RDONLY);
  for (uint64_t at = 0; at < size_bytes; at += piece_bytes) {
    const uint64_t bytes = std::min(piece_bytes, size_bytes - at);
    file.read_all(buffer, bytes);
    take(at, bytes);
  }
}
