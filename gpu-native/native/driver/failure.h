// How the library reports trouble: inside, a Failure is thrown; at the C boundary it becomes a
// gpusnap_status and a text that the calling thread can fetch with gpusnap_last_error.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "gpusnap.h"

namespace gpusnap {

class Failure : public std::exception {
public:
    Failure(gpusnap_status status, std::string text) : status_(status), text_(std::move(text)) {}
    gpusnap_status status() const noexcept { return status_; }
    const std::string& text() const noexcept { return text_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    gpusnap_status status_;
    std::string text_;
};

// A Failure from errno: "what: No such file or directory".
Failure io_failure(gpusnap_status status, const std::string& what, int error_number);

const std::string& last_error() noexcept;
gpusnap_status remember_failure(gpusnap_status status, const char* text) noexcept;

// Runs the body of one C function; no exception leaves it.
template <typename Body>
gpusnap_status guarded(Body&& body) noexcept {
    try {
        body();
        return GPUSNAP_OK;
    } catch (const Failure& failure) {
        return remember_failure(failure.status(), failure.what());
    } catch (const std::bad_alloc&) {
        return remember_failure(GPUSNAP_E_NO_HOST_MEMORY, "out of host memory");
    } catch (const std::system_error& error) {
        return remember_failure(GPUSNAP_E_IO, error.what());
    } catch (const std::exception& error) {
        return remember_failure(GPUSNAP_E_INVALID, error.what());
    }
}

inline void require(bool condition, const char* text) {
    if (!condition) {
        throw Failure(GPUSNAP_E_INVALID, text);
    }
}

// Version 1 of every struct is the only one so far: a caller with another size speaks another ABI.
template <typename Struct>
void require_struct(const Struct* value, const char* name) {
    if (value == nullptr) {
        throw Failure(GPUSNAP_E_INVALID, std::string(name) + " is NULL");
    }
    if (value->struct_size != sizeof(Struct)) {
        throw Failure(GPUSNAP_E_INVALID, std::string(name) + ".struct_size is " + std::to_string(value->struct_size) +
                                             ", this library knows " + std::to_string(sizeof(Struct)));
    }
}

}  // namespace gpusnap
