// Giving device memory back that the application has already freed.
#pragma once

#include "preload/allocations.h"

namespace gpusnap::preload {

// Frees everything that only rests with us; false when there was nothing. `at_rest`: no device works, so nothing needs to be
// asked whether it has come to an end.
bool reclaim(bool at_rest = false);
// Frees what had to wait for the end of a capture, if that has come.
void free_deferred();
// Waits for the allocation's context, then gives the memory to the driver or to its pool.
CUresult free_now(const Allocation& allocation);
// The same without waiting.
CUresult destroy_now(const Allocation& allocation);

}  // namespace gpusnap::preload
