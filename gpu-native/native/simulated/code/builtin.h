// Kernels of PTX images that the simulated driver has host functions for: a library that brings PTX for its own kernels runs
// on it without knowing of it. They are found by the names of the image's entries.
#pragma once

#include <gpusnap_sim_kernel.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpusnap::simulated {

struct Builtin {
  gpusnap_sim_kernel entry;
  const uint32_t* parameter_sizes;
};

// Null: there is none of this name.
const Builtin* builtin(std::string_view name);

bool is_ptx(const char* image);
// The kernels of a PTX text, in its order.
std::vector<std::string> ptx_entries(std::string_view text);

}  // namespace gpusnap::simulated
