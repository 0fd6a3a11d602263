// The "model": device memory of every kind that gpusnap has to carry, and answers that depend on all of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuda.h"
#include "host_memory.h"
#include "kernels.h"
#include "options.h"
#include "side_process.h"
#include "state_file.h"

struct Answer {
  std::string answer;  // 32 hex digits over everything below and the prompt
  uint64_t weights;    // every byte of the weights, the table and the activations
  uint64_t cache;      // every byte of the cache
  uint64_t token;      // host memory only
  uint64_t state;      // the state file's content
  uint64_t host;       // every byte of the host memory, the side process's included; 0 without
};

class Model {
 public:
  Model(const Cuda& cuda, const Options& options, const SideProcess& side);

  // Reads the weights file into device memory, which takes real time; or makes the weights there.
  void load();
  // Tries tile sizes on real products until warmup_seconds have passed and each was tried.
  void warm_up();

  // A prompt seen for the first time fills a slot of the cache and adds a line to the state file; asked again, nothing
  // changes. So the same prompt has the same answer until a new prompt comes.
  Answer answer(const std::string& prompt);

  uint64_t weights_bytes() const { return weights_bytes_; }
  size_t tensors() const { return tensors_.size(); }
  uint64_t cache_bytes() const { return cache_bytes_; }
  uint64_t cache_used_bytes() const;
  unsigned tile() const { return tile_; }
  const StateFile& state_file() const { return state_file_; }

 private:
  struct Tensor {
    CUdeviceptr address;
    uint64_t offset;
    uint64_t size_bytes;
  };
  void allocate_tensors();
  void read_weights_file();
  void make_device_weights();
  void allocate_cache();
  void allocate_table();
  void remember(const std::string& prompt);
  uint64_t sum_now();

  const Cuda& cuda_;
  const Kernels kernels_;
  const Options options_;
  const uint64_t token_;
  const uint64_t weights_bytes_;
  const uint64_t tensor_bytes_;
  uint64_t cache_bytes_;  // whole granules
  const SideProcess& side_;
  const HostMemory host_;
  StateFile state_file_;
  std::vector<Tensor> tensors_;
  CUdeviceptr cache_ = 0;
  CUdeviceptr table_ = 0;
  size_t table_pitch_ = 0;
  CUdeviceptr matrices_ = 0;
  CUdeviceptr sum_ = 0;  // small, so it stays with the driver under the preload
  unsigned tile_ = 0;
  std::unordered_map<std::string, uint64_t> slots_;
};
