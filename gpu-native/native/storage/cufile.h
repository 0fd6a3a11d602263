// cuFile, found at run time and only when it is asked for: it starts threads and takes device memory of its own.
#pragma once

#include <string>

#include "cufile_abi.h"
#include "driver/failure.h"

namespace gpusnap {

class Cufile {
public:
    CufileError (*cuFileDriverOpen)() = nullptr;
    CufileError (*cuFileDriverGetProperties)(CufileProperties*) = nullptr;
    CufileError (*cuFileHandleRegister)(CufileHandle*, CufileDescription*) = nullptr;
    void (*cuFileHandleDeregister)(CufileHandle) = nullptr;
    ssize_t (*cuFileRead)(CufileHandle, void*, size_t, off_t, off_t) = nullptr;

    // Loads and starts it once a process; a failed attempt may be repeated. Throws GPUSNAP_E_UNSUPPORTED when it is not there
    // or does not start, GPUSNAP_E_STATE when it was loaded from elsewhere. A context must be current.
    static const Cufile& load(const char* path);
    // Throws GPUSNAP_E_STATE before a successful load.
    static const Cufile& get();

    // Whether the kernel side reads from NVMe drives without a copy in host memory.
    bool reads_directly() const;
    // Throws a Failure that names the call and the error.
    static void check(CufileError error, const std::string& call);
    // The same for a negative answer of cuFileRead.
    [[noreturn]] static void read_failed(ssize_t answer, int error_number, const std::string& what);

private:
    Cufile(void* library, const char* path);
    std::string path_;
};

// Whether the nvidia-fs kernel module is loaded, which takes no libcufile to know.
bool nvidia_fs_loaded();

}  // namespace gpusnap
