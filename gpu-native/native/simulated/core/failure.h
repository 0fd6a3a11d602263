// Failures on order: GPUSNAP_SIM_FAIL for the process that makes a call, <state dir>/fail-<pid> for a process that is
// already running (read again whenever it changes; also consulted when another process drives its checkpoint).
//
// Grammar: function[@nth][=error] joined by commas. `function` is an export (cuMemAlloc_v2) or its name without
// version (cuMemAlloc); without @nth every call fails, with it only the nth, counted from 1.
//
// Each call that failed so is a line in <state dir>/failed-<pid>: a test can tell a failure that cost nothing from none.
#pragma once

#include <cuda_abi.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpusnap::simulated {

class FailureRules {
 public:
  // Bad entries are reported on stderr and skipped.
  static FailureRules parse(std::string_view text);

  // Counts the call; the error that it shall return, if any.
  std::optional<CUresult> next(std::string_view function);
  bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    std::string function;
    unsigned nth;  // 0: every call
    CUresult error;
    unsigned calls;
  };
  std::vector<Rule> rules_;
};

class Failures {
 public:
  // For a call of this process.
  std::optional<CUresult> next(const char* function);
  // For a verb that another process asks of this one: the file alone.
  std::optional<CUresult> next_from_file(const char* function);

 private:
  std::optional<CUresult> from_file(const char* function);
  std::optional<CUresult> noted(const char* function, std::optional<CUresult> error);
  void reload();

  std::mutex mutex_;
  std::optional<FailureRules> environment_;
  FailureRules file_;
  int64_t file_stamp_ = 0;
};

Failures& failures();

}  // namespace gpusnap::simulated
