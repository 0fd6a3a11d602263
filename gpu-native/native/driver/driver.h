// The CUDA driver, found at run time: the library must load on a machine that has none.
#pragma once

#include <string>

#include "cuda_abi.h"
#include "driver/failure.h"

namespace gpusnap {

class Driver {
public:
#define DRIVER(name, parameters) CUresult(*name) parameters = nullptr;
#define OPTIONAL(name, parameters) CUresult(*name) parameters = nullptr;
#include "driver/functions.def"
#undef DRIVER
#undef OPTIONAL

    // Loads and initialises the driver once a process; a failed attempt may be repeated.
    static void load(const char* path);
    // Throws GPUSNAP_E_NO_DRIVER before a successful load.
    static const Driver& get();
    static bool loaded() noexcept;

    bool simulated() const noexcept { return simulated_; }
    // NULL where the library has no such symbol.
    void* find(const char* name) const noexcept;
    // Throws a Failure that names the call and the CUDA error.
    void check(CUresult result, const char* call) const;
    std::string describe(CUresult result) const;

private:
    Driver(void* library, const char* path);
    void* library_;
    std::string path_;
    bool simulated_ = false;
};

}  // namespace gpusnap
