#include "storage/trial.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "mover/scratch_buffer.h"
#include "mover/streams.h"
#include "storage/file.h"

namespace gpusnap {
namespace {

constexpr size_t trial_bytes = 4096;

class TrialFile {
public:
    TrialFile(const std::string& folder, const std::vector<char>& content) : path_(folder + "/.cufile-trial-XXXXXX") {
        int descriptor = mkostemp(path_.data(), O_CLOEXEC);
        if (descriptor < 0) {
            throw io_failure(GPUSNAP_E_IO, "cannot try a file in " + folder, errno);
        }
        bool written = write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                       fsync(descriptor) == 0;
        int error = errno;
        ::close(descriptor);
        if (!written) {
            unlink(path_.c_str());
            throw io_failure(GPUSNAP_E_IO, "cannot try a file in " + folder, error);
        }
    }
    ~TrialFile() { unlink(path_.c_str()); }
    TrialFile(const TrialFile&) = delete;
    TrialFile& operator=(const TrialFile&) = delete;
    const char* path() const { return path_.c_str(); }

private:
    std::string path_;
};

}  // namespace

void try_reading(const Cufile& cufile, const std::string& folder) {
    std::vector<char> content(trial_bytes);
    for (size_t i = 0; i < content.size(); i++) {
        content[i] = static_cast<char>(i * 31 + 7);
    }
    TrialFile file(folder, content);
    ScratchBuffer device(trial_bytes);
    StorageFile(cufile, file.path()).read(device.address(), trial_bytes, 0);
    std::vector<char> found(trial_bytes);
    const Driver& driver = Driver::get();
    BorrowedStream stream(gpu(0));
    driver.check(driver.cuMemcpyDtoHAsync_v2(found.data(), device.address(), trial_bytes, stream.get()), "cuMemcpyDtoHAsync_v2");
    stream.finish("the trial of cuFile");
    if (found != content) {
        throw Failure(GPUSNAP_E_IO, "cuFile read something else than what was written in " + folder);
    }
}

}  // namespace gpusnap
