#include "core/error.h"

#include <cstdarg>
#include <cstdio>

namespace gpusnap::simulated {

const char* error_name(int code) {
  switch (code) {
#define NAME(name, value, text) \
  case value:                   \
    return #name;
    GPUSNAP_CUDA_ERRORS(NAME)
#undef NAME
    default:
      return nullptr;
  }
}

const char* error_text(int code) {
  switch (code) {
#define TEXT(name, value, text) \
  case value:                   \
    return text;
    GPUSNAP_CUDA_ERRORS(TEXT)
#undef TEXT
    default:
      return nullptr;
  }
}

void complain(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "simulated CUDA driver: %s\n", line);
}

}  // namespace gpusnap::simulated
