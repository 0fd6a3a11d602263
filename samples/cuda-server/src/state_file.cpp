#include "state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace {
[[noreturn]] void fail(const std::string& path) { throw std::runtime_error(path + ": " + std::strerror(errno)); }
}  // namespace

StateFile::StateFile(const std::string& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) fail(path);
}

StateFile::~StateFile() { close(descriptor_); }

void StateFile::append(const std::string& line) {
  const std::string text = line + "\n";
  if (write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail(path_);
}

std::string StateFile::content() const {
  std::string all;
  char piece[4096];
  for (;;) {
    const ssize_t got = pread(descriptor_, piece, sizeof piece, static_cast<off_t>(all.size()));
    if (got < 0) fail(path_);
    if (got == 0) return all;
    all.append(piece, static_cast<size_t>(got));
  }
}
