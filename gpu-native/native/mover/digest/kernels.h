// The kernels of tree_digest.cu, loaded into a GPU's context at their first use.
#pragma once

#include "driver/gpu.h"

namespace gpusnap {

struct DigestKernels {
    CUfunction leaf_digests = nullptr;
    CUfunction span_digests = nullptr;
};

// The GPU's context must be current. Throws GPUSNAP_E_UNSUPPORTED with the driver's reason where it does not take them; a
// failed attempt is repeated at the next call.
const DigestKernels& digest_kernels(Gpu& gpu);

}  // namespace gpusnap
