// A stream that frees memory, and how far it has come with that.
//
// As long as no other stream wants the memory nobody needs to know, and nothing is asked. When another one does, the stream is
// asked whether it is idle, and an event goes into it to be asked the next time. Two streams cannot be treated so: nobody but its
// thread reaches the per-thread default stream, and what another thread puts into the legacy default stream would order
// streams that the application did not. Those get their events when the application itself frees in them.
#pragma once

#include <cstdint>

#include "cuda_abi.h"
#include "preload/ranges.h"

namespace gpusnap::preload {

// The default streams told apart: the legacy one is another in each context, the per-thread one in each thread.
struct StreamKey {
    CUstream stream = nullptr;
    CUcontext context = nullptr;
    uint64_t thread = 0;
    bool operator==(const StreamKey&) const = default;
};
// What a null stream means.
CUstream handle_of(CUstream stream, bool per_thread);
// Of a handle that is not null.
StreamKey key_of(CUstream handle);
// Only valid for a context that is not null.
CUdevice device_of(CUcontext context);
// To be called when a stream or a context is about to go: its handle may come to mean another one.
void forget_contexts_of_streams();

class FreeingStream {
public:
    FreeingStream(OwnerId id, StreamKey key) : id_(id), key_(key) {}
    ~FreeingStream();
    FreeingStream(const FreeingStream&) = delete;
    FreeingStream& operator=(const FreeingStream&) = delete;

    OwnerId id() const { return id_; }
    const StreamKey& key() const { return key_; }
    // Nobody frees in it any more.
    bool gone() const { return key_.stream == nullptr; }
    uint64_t now() const { return now_; }

    // The time of a free, by the thread that frees. `others`: someone else may want the memory.
    uint64_t freed(bool others);
    // Up to when its frees are over. `ask`: also by asking the stream itself, which a capture does not allow.
    uint64_t passed(bool ask);
    void all_passed();
    // Another stream, of the calling thread, waits for a free; false when that cannot be had.
    bool let_wait(CUstream other, uint64_t time, bool ask);
    // The stream is about to be destroyed.
    void ends();

private:
    struct Mark {
        CUevent event = nullptr;
        uint64_t time = 0;
        bool pending = false;
    };

    bool of_a_thread() const { return key_.stream == CU_STREAM_PER_THREAD; }
    bool takes_events() const { return !gone() && !of_a_thread() && key_.stream != CU_STREAM_LEGACY; }
    bool can_be_asked() const;
    bool record(Mark& mark);
    // Records what was freed until now.
    bool record_now() { return record(older_.pending ? newer_ : older_); }
    void look_at_marks();

    OwnerId id_;
    StreamKey key_;
    uint64_t now_ = 0;
    uint64_t passed_ = 0;
    Mark older_;
    Mark newer_;  // only pending while the older one is
};

}  // namespace gpusnap::preload
