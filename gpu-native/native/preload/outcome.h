// What a step of a freeze came to, with the text that the daemon is told.
#pragma once

#include <string>

#include "gpusnap.h"

namespace gpusnap::preload {

struct Outcome {
    gpusnap_status status = GPUSNAP_OK;
    std::string text;
    bool ok() const { return status == GPUSNAP_OK; }
};

}  // namespace gpusnap::preload
