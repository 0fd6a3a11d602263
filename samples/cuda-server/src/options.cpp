#include "options.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr const char* kHelp =
    "cuda-server: a small inference server, sample workload of gpusnap\n"
    "  --port N              TCP port, 0 for any free one (8000)\n"
    "  --address A           where to listen (127.0.0.1)\n"
    "  --weights-mib N       device memory of the weights (256)\n"
    "  --kv-mib N            device memory of the cache, mostly zero (128)\n"
    "  --host-mib N          host memory besides, in pieces of every kind (0)\n"
    "  --side-mib N          host memory of a child process without GPU, 0 for no child (0)\n"
    "  --warmup-seconds S    least time that tuning takes (5)\n"
    "  --workdir DIR         working directory; relative paths start here\n"
    "  --state-file FILE     kept open, one line a new prompt (cuda-server.state)\n"
    "  --weights-file FILE   made at the first start (weights-<MiB>.bin)\n"
    "  --weights-from W      file, or device: made there in no time, random, of the token's sequence (file)\n"
    "  --tensor-mib N        device memory of each tensor of the weights (16)\n"
    "  --log-file FILE       run as a service: own session, no terminal, output goes here\n"
    "  --token HEX           instead of a random one: answers are equal over restarts\n"
    "  --driver PATH         CUDA driver library (libcuda.so.1)\n";

[[noreturn]] void refuse(const char* flag, const char* why) {
  std::fprintf(stderr, "cuda-server: %s: %s (see --help)\n", flag, why);
  std::exit(2);
}

uint64_t whole(const char* flag, const char* text, uint64_t least, uint64_t most, int base = 10) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, base);
  if (errno != 0 || end == text || *end != '\0' || *text == '-') refuse(flag, "not a number");
  if (value < least || value > most) refuse(flag, "out of range");
  return value;
}

double seconds(const char* flag, const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0 && value <= 86400)) refuse(flag, "not a number of seconds");
  return value;
}

int one_of(const char* flag, const std::string& text, const char* first, const char* second) {
  if (text == first) return 0;
  if (text == second) return 1;
  std::fprintf(stderr, "cuda-server: %s: is %s or %s, not %s\n", flag, first, second, text.c_str());
  std::exit(2);
}

}  // namespace

Options Options::parse(int count, char** arguments) {
  Options o;
  for (int i = 1; i < count; i += 2) {
    const std::string flag = arguments[i];
    if (flag == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (i + 1 >= count) refuse(arguments[i], "unknown, or its value is missing");
    const char* const value = arguments[i + 1];
    if (flag == "--port") {
      o.port = static_cast<uint16_t>(whole(arguments[i], value, 0, 65535));
    } else if (flag == "--address") {
      o.address = value;
    } else if (flag == "--weights-mib") {
      o.weights_mib = whole(arguments[i], value, 1, 1 << 20);
    } else if (flag == "--kv-mib") {
      o.kv_mib = whole(arguments[i], value, 1, 1 << 20);
    } else if (flag == "--host-mib") {
      o.host_mib = whole(arguments[i], value, 0, 1 << 20);
    } else if (flag == "--side-mib") {
      o.side_mib = whole(arguments[i], value, 0, 1 << 20);
    } else if (flag == "--warmup-seconds") {
      o.warmup_seconds = seconds(arguments[i], value);
    } else if (flag == "--workdir") {
      o.workdir = value;
    } else if (flag == "--state-file") {
      o.state_file = value;
    } else if (flag == "--weights-file") {
      o.weights_file = value;
    } else if (flag == "--weights-from") {
      o.device_weights = one_of(arguments[i], value, "file", "device") == 1;
    } else if (flag == "--tensor-mib") {
      o.tensor_mib = whole(arguments[i], value, 1, 1 << 16);
    } else if (flag == "--log-file") {
      o.log_file = value;
    } else if (flag == "--token") {
      o.token = whole(arguments[i], value, 0, UINT64_MAX, 16);
    } else if (flag == "--driver") {
      o.driver = value;
    } else {
      refuse(arguments[i], "unknown");
    }
  }
  if (o.weights_file.empty()) o.weights_file = "weights-" + std::to_string(o.weights_mib) + ".bin";
  return o;
}
