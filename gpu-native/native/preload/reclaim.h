// Giving device memory back that the application has already freed.
#pragma once

#include "preload/allocations.h"

namespace gpusnap::preload {

// Frees everything that only rests with us; false when there was nothing.
bool reclaim();
// Frees what had to wait for the end of a capture, if that has come.
void free_deferred();
// Waits for the allocation's context, then unmaps and frees.
CUresult free_now(const Allocation& allocation);

}  // namespace gpusnap::preload
