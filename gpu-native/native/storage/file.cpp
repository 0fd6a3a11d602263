#include "storage/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace gpusnap {
namespace {

void require_regular(const struct stat& found, const std::string& path) {
    if (!S_ISREG(found.st_mode)) {
        throw Failure(GPUSNAP_E_PERMISSION, path + " is not a regular file");
    }
}

// Pipes and file systems without direct I/O fail in the same way.
Failure not_direct(const std::string& path) {
    struct stat found {};
    if (lstat(path.c_str(), &found) == 0) {
        require_regular(found, path);
    }
    return Failure(GPUSNAP_E_UNSUPPORTED, "the file system of " + path + " has no direct I/O");
}

int open_directly(const std::string& path) {
    // O_NONBLOCK: a pipe in the file's place is refused instead of being waited for.
    int descriptor = open(path.c_str(), O_RDONLY | O_DIRECT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0) {
        return descriptor;
    }
    switch (errno) {
        case ELOOP:
            throw Failure(GPUSNAP_E_PERMISSION, path + " is a symbolic link");
        case EINVAL:
            throw not_direct(path);
        default:
            throw io_failure(GPUSNAP_E_IO, "cannot open " + path, errno);
    }
}

}  // namespace

StorageFile::StorageFile(const Cufile& cufile, const char* path)
    : cufile_(cufile), path_(path), descriptor_(open_directly(path_)) {
    try {
        struct stat found {};
        if (fstat(descriptor_, &found) != 0) {
            throw io_failure(GPUSNAP_E_IO, "cannot look at " + path_, errno);
        }
        require_regular(found, path_);
        CufileDescription description{};
        description.type = CUFILE_POSIX_DESCRIPTOR;
        description.handle.fd = descriptor_;
        Cufile::check(cufile_.cuFileHandleRegister(&handle_, &description), "cuFileHandleRegister of " + path_);
    } catch (...) {
        close(descriptor_);
        throw;
    }
}

StorageFile::~StorageFile() {
    cufile_.cuFileHandleDeregister(handle_);
    close(descriptor_);
}

void StorageFile::read(uint64_t device_address, uint64_t size_bytes, uint64_t file_offset) {
    void* base = reinterpret_cast<void*>(device_address);
    for (uint64_t done = 0; done < size_bytes;) {
        errno = 0;
        ssize_t count = cufile_.cuFileRead(handle_, base, size_bytes - done, static_cast<off_t>(file_offset + done),
                                           static_cast<off_t>(done));
        if (count < 0) {
            Cufile::read_failed(count, errno, "cuFileRead of " + path_);
        }
        if (count == 0) {
            throw Failure(GPUSNAP_E_IO, path_ + " ends at " + std::to_string(file_offset + done) + ", " +
                                            std::to_string(size_bytes - done) + " bytes before it should");
        }
        done += static_cast<uint64_t>(count);
    }
}

}  // namespace gpusnap
