// One connection to a preload: a request and its reply at a time, every wait bounded.
#pragma once

#include <cstdint>
#include <vector>

#include "preload_protocol.h"
#include "target/locate.h"

namespace gpusnap {

// Descriptors received with a reply; whatever is not taken is closed.
class ReceivedDescriptors {
public:
    ReceivedDescriptors() = default;
    ~ReceivedDescriptors();
    ReceivedDescriptors(ReceivedDescriptors&& other) noexcept { values_.swap(other.values_); }
    ReceivedDescriptors& operator=(ReceivedDescriptors&& other) noexcept {
        values_.swap(other.values_);
        return *this;
    }
    void add(int value) { values_.push_back(value); }
    size_t size() const noexcept { return values_.size(); }
    int operator[](size_t index) const { return values_[index]; }
    void close_one(size_t index) noexcept;

private:
    std::vector<int> values_;
};

struct Reply {
    std::vector<char> payload;
    ReceivedDescriptors descriptors;
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
    Reply call(gpusnap_wire_verb verb, uint64_t argument, uint32_t timeout_ms);

private:
    void send(gpusnap_wire_verb verb, uint64_t argument);
    Reply receive(gpusnap_wire_verb verb, uint32_t timeout_ms);
    void await_readable(uint32_t timeout_ms);
    void hang_up() noexcept;
    int socket_ = -1;
};

}  // namespace gpusnap
