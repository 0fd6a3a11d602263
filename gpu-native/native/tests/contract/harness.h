// A test harness of the size that this suite needs: named tests, checks that throw, and reasons for what was skipped.
#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace contract {

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Skipped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Registration {
    Registration(const char* name, std::function<void()> body);
};

// Lines that are measured or worth knowing, printed with the test.
void note(const std::string& text);
[[noreturn]] void skip(const std::string& reason);

// Runs what matches one of the filters (all when there are none); returns the number of failures.
int run_all(const std::vector<std::string>& filters, const char* json_path);

template <typename Left, typename Right>
void check_equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
    if (!(left == right)) {
        std::ostringstream message;
        message << file << ":" << line << ": " << text << ": " << left << " is not " << right;
        throw Failed(message.str());
    }
}

inline void check_true(bool value, const char* text, const char* file, int line) {
    if (!value) {
        throw Failed(std::string(file) + ":" + std::to_string(line) + ": " + text);
    }
}

#define CONTRACT_JOIN2(a, b) a##b
#define CONTRACT_JOIN(a, b) CONTRACT_JOIN2(a, b)
#define TEST(name)                                                                                            \
    static void CONTRACT_JOIN(test_, __LINE__)();                                                             \
    static ::contract::Registration CONTRACT_JOIN(registration_, __LINE__)(name, CONTRACT_JOIN(test_, __LINE__)); \
    static void CONTRACT_JOIN(test_, __LINE__)()
#define CHECK(condition) ::contract::check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(left, right) ::contract::check_equal((left), (right), #left " == " #right, __FILE__, __LINE__)

}  // namespace contract
