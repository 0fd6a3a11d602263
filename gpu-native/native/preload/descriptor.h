// A file descriptor with one owner.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace gpusnap::preload {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            value_ = std::exchange(other.value_, -1);
        }
        return *this;
    }
    bool valid() const noexcept { return value_ >= 0; }
    int get() const noexcept { return value_; }
    int duplicate() const noexcept { return fcntl(value_, F_DUPFD_CLOEXEC, 0); }
    void reset() noexcept {
        if (value_ >= 0) {
            close(value_);
        }
        value_ = -1;
    }

private:
    int value_ = -1;
};

// The same file at a number of the upper half of those that the process may have, where the application, which gets the lowest
// free one each time, meets it last; none where that half is full. Whoever counts on select() is not disturbed either.
Descriptor moved_out_of_the_way(Descriptor from);

}  // namespace gpusnap::preload
