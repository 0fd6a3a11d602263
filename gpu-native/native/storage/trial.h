// Whether cuFile reads files of a folder: it tells that only of a file.
#pragma once

#include <string>

#include "storage/cufile.h"

namespace gpusnap {

// Writes a small file there, reads it to the first GPU and compares; a Failure says why that does not work. The file is gone
// afterwards.
void try_reading(const Cufile& cufile, const std::string& folder);

}  // namespace gpusnap
