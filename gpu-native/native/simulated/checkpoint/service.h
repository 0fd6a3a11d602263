// Answers, inside the target, what other processes ask with cuCheckpointProcess*. Its listening socket is the one
// descriptor that stays open through a checkpoint; CRIU dumps and restores it like any other.
#pragma once

#include <string>

namespace gpusnap::simulated {

class CheckpointService {
 public:
  // Throws CUDA_ERROR_OPERATING_SYSTEM.
  void start();
  void remove_socket() const;
  // For a child of fork().
  void forget();

 private:
  void serve();
  void answer(int connection);

  int listener_ = -1;
  std::string path_;
};

CheckpointService& checkpoint_service();

}  // namespace gpusnap::simulated
