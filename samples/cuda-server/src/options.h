// Command line of the server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct Options {
  std::string address = "127.0.0.1";
  uint16_t port = 8000;  // 0: any free one, printed at start
  uint64_t weights_mib = 256;
  uint64_t kv_mib = 128;
  uint64_t host_mib = 0;  // 0: none
  uint64_t side_mib = 0;  // 0: no side process
  double warmup_seconds = 5;
  std::string workdir;       // empty: stays where it is
  std::string state_file = "cuda-server.state";
  std::string weights_file;  // empty: weights-<MiB>.bin
  bool device_weights = false;  // made on the device instead: nothing is read, no two processes have the same
  uint64_t tensor_mib = 16;
  std::string log_file;      // empty: the terminal
  std::optional<uint64_t> token;
  std::string driver = "libcuda.so.1";

  // Prints what is wrong, or the help, and ends the process.
  static Options parse(int count, char** arguments);
};
