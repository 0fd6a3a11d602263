// Our threads must never run the application's signal handlers.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace gpusnap::preload {

// Threads that are created during its life inherit a mask that blocks every signal.
class BlockedSignals {
public:
    BlockedSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

private:
    sigset_t before_;
};

}  // namespace gpusnap::preload
