// One connection to a preload: a request and its reply at a time, every wait bounded.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "preload_protocol.h"
#include "target/locate.h"

namespace gpusnap {

// Open descriptors; whatever is not taken is closed.
class Descriptors {
public:
    Descriptors() = default;
    ~Descriptors();
    Descriptors(Descriptors&& other) noexcept { values_.swap(other.values_); }
    Descriptors& operator=(Descriptors&& other) noexcept {
        values_.swap(other.values_);
        return *this;
    }
    void add(int value) { values_.push_back(value); }
    size_t size() const noexcept { return values_.size(); }
    int operator[](size_t index) const { return values_[index]; }
    std::span<const int> part(size_t first, size_t most) const;
    // Whoever takes one closes it.
    int take(size_t index) noexcept { return std::exchange(values_[index], -1); }
    void close_one(size_t index) noexcept;

private:
    std::vector<int> values_;
};

struct Reply {
    std::vector<char> payload;
    Descriptors descriptors;
};

class Channel {
public:
    Channel(const SocketPlace& place, int32_t pid, uint32_t timeout_ms);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    // Throws the preload's own failure with its text, or a failure of the transport. After a failed
    // transport the connection is closed for good: a late reply must not answer the next request.
    bool open() const noexcept { return socket_ >= 0; }
    Reply call(gpusnap_wire_verb verb, uint64_t argument, uint32_t timeout_ms, std::span<const int> descriptors = {});

private:
    void send(gpusnap_wire_verb verb, uint64_t argument, std::span<const int> descriptors);
    Reply receive(gpusnap_wire_verb verb, uint32_t timeout_ms);
    void await_readable(uint32_t timeout_ms);
    void hang_up() noexcept;
    int socket_ = -1;
};

}  // namespace gpusnap
