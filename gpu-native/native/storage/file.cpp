#include "storage/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace gpusnap {
namespace {

void require_regular(const struct stat& found, const std::string& path) {
    if (S_ISLNK(found.st_mode)) {
        throw Failure(GPUSNAP_E_PERMISSION, path + " is a symbolic link");
    }
    if (!S_ISREG(found.st_mode)) {
        throw Failure(GPUSNAP_E_PERMISSION, path + " is not a regular file");
    }
}

class Descriptor {
public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) {
            close(value_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

private:
    const int value_;
};

// Looked at before it is opened, so that a pipe is not waited for, and opened by what was looked at: cuFile takes no file whose
// flags say more than reading and O_DIRECT (5019), which O_NOFOLLOW and O_NONBLOCK would for ever.
int open_directly(const std::string& path) {
    Descriptor place(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (place.get() < 0 || fstat(place.get(), &found) != 0) {
        throw io_failure(GPUSNAP_E_IO, "cannot open " + path, errno);
    }
    require_regular(found, path);
    int descriptor = open(("/proc/self/fd/" + std::to_string(place.get())).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (descriptor < 0 && errno == EINVAL) {
        throw Failure(GPUSNAP_E_UNSUPPORTED, "the file system of " + path + " has no direct I/O");
    }
    if (descriptor < 0) {
        throw io_failure(GPUSNAP_E_IO, "cannot open " + path, errno);
    }
    return descriptor;
}

// What cuFile before 1.17 (CUDA 13.2) asks udev's database for also where it only copies through host memory.
const char* const refused_handle =
    ": cuFile does not take it (error 5027). Before version 1.17 it takes only files of block devices that it finds in "
    "/run/udev/data, in compatibility mode, too: give this process that folder (a container a read-only mount), or a newer cuFile";

}  // namespace

StorageFile::StorageFile(const Cufile& cufile, const char* path)
    : cufile_(cufile), path_(path), descriptor_(open_directly(path_)) {
    try {
        CufileDescription description{};
        description.type = CUFILE_POSIX_DESCRIPTOR;
        description.handle.fd = descriptor_;
        CufileError error = cufile_.cuFileHandleRegister(&handle_, &description);
        if (error.err == CUFILE_HANDLE_NOT_REGISTERED) {
            throw Failure(GPUSNAP_E_UNSUPPORTED, path_ + refused_handle);
        }
        Cufile::check(error, "cuFileHandleRegister of " + path_);
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
