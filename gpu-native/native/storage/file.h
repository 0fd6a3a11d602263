// A file that cuFile knows.
#pragma once

#include <string>

#include "storage/cufile.h"

namespace gpusnap {

class StorageFile {
public:
    // Past the page cache, and never through a symbolic link. Throws GPUSNAP_E_PERMISSION for a link or what is no regular
    // file, GPUSNAP_E_UNSUPPORTED where the file system has no direct I/O, GPUSNAP_E_IO.
    StorageFile(const Cufile& cufile, const char* path);
    ~StorageFile();
    StorageFile(const StorageFile&) = delete;
    StorageFile& operator=(const StorageFile&) = delete;

    // All of it, or a Failure: GPUSNAP_E_IO also when the file ends before.
    void read(uint64_t device_address, uint64_t size_bytes, uint64_t file_offset);

private:
    const Cufile& cufile_;
    std::string path_;
    int descriptor_;
    CufileHandle handle_ = nullptr;
};

}  // namespace gpusnap
