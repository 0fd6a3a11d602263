// A child process with host memory of its own, as tokenizers and loaders are. It never uses the GPU.
#pragma once

#include <sys/types.h>

#include <cstdint>

class SideProcess {
 public:
  // To be made before there are threads. Nothing is started for 0 MiB. Throws std::runtime_error.
  SideProcess(uint64_t mib, uint64_t seed);
  ~SideProcess();
  SideProcess(const SideProcess&) = delete;
  SideProcess& operator=(const SideProcess&) = delete;

  uint64_t sum() const;  // the child's word for its memory, asked anew each time; 0 without a child

 private:
  pid_t pid_ = 0;
  int connection_ = -1;
};
