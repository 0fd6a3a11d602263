// sha256-tree-4k of docs/formats.md, as plainly as it can be written: what the digests of a GPU are compared with.
#pragma once

#include <cstddef>
#include <string>

#include "gpusnap.h"

namespace contract {

// 64 hex digits.
std::string sha256(const unsigned char* data, size_t size);
std::string tree_digest(const unsigned char* data, size_t size);
std::string hex(const gpusnap_digest& digest);

}  // namespace contract
