// The life of the driver in this process: initialised, forked away, at its end.
#pragma once

namespace gpusnap::simulated {

// cuInit. Opens the checkpoint service, so that other processes can find this one.
void initialise();
bool initialised();
// In a child of fork() nothing of the driver works, as on the real one; the child keeps no device memory alive.
bool forked();

}  // namespace gpusnap::simulated
