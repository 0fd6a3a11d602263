#include "core/failure.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "../../include/cufile_abi.h"
#include "core/error.h"
#include "core/settings.h"

namespace gpusnap::simulated {
namespace {

bool parse_number(std::string_view text, unsigned* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// cuFile has codes of its own, of which the driver knows nothing.
bool is_code(std::string_view function, unsigned code) {
  return code != 0 && (error_name(static_cast<int>(code)) != nullptr ||
                       (function.substr(0, 6) == "cuFile" && code > CUFILE_BASE_ERROR && code < CUFILE_BASE_ERROR + 100));
}

// cuMemAlloc_v2 -> cuMemAlloc; also drops _ptsz and _ptds
std::string_view without_version(std::string_view name) {
  for (;;) {
    const size_t mark = name.rfind('_');
    if (mark == std::string_view::npos) return name;
    const std::string_view suffix = name.substr(mark);
    const bool version = suffix.size() == 3 && suffix[1] == 'v';
    if (!version && suffix != "_ptsz" && suffix != "_ptds") return name;
    name = name.substr(0, mark);
  }
}

}  // namespace

FailureRules FailureRules::parse(std::string_view text) {
  FailureRules result;
  while (!text.empty()) {
    const size_t comma = text.find_first_of(",\n");
    const std::string_view entry = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (entry.empty()) continue;
    Rule rule{"", 0, CUDA_ERROR_UNKNOWN, 0};
    std::string_view name = entry;
    bool good = true;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      unsigned code = 0;
      good = parse_number(name.substr(equals + 1), &code) && is_code(name, code);
      rule.error = static_cast<CUresult>(code);
      name = name.substr(0, equals);
    }
    if (const size_t at = name.find('@'); at != std::string_view::npos) {
      good = good && parse_number(name.substr(at + 1), &rule.nth) && rule.nth > 0;
      name = name.substr(0, at);
    }
    if (!good || name.size() < 3 || name.substr(0, 2) != "cu") {
      complain("not a failure rule (function[@nth][=error]): %.*s", static_cast<int>(entry.size()), entry.data());
      continue;
    }
    rule.function = name;
    result.rules_.push_back(rule);
  }
  return result;
}

std::optional<CUresult> FailureRules::next(std::string_view function) {
  std::optional<CUresult> result;
  for (Rule& rule : rules_) {
    if (rule.function != function && rule.function != without_version(function)) continue;
    ++rule.calls;
    if (!result && (rule.nth == 0 || rule.nth == rule.calls)) result = rule.error;
  }
  return result;
}

std::optional<CUresult> Failures::next(const char* function) {
  const std::lock_guard lock(mutex_);
  if (!environment_) environment_ = FailureRules::parse(settings().failures);
  auto error = environment_->next(function);
  if (!error) error = from_file(function);
  return noted(function, error);
}

std::optional<CUresult> Failures::next_from_file(const char* function) {
  const std::lock_guard lock(mutex_);
  return noted(function, from_file(function));
}

std::optional<CUresult> Failures::noted(const char* function, std::optional<CUresult> error) {
  if (error) {
    std::ofstream(settings().state_dir + "/failed-" + std::to_string(getpid()), std::ios::app) << function << '\n';
  }
  return error;
}

std::optional<CUresult> Failures::from_file(const char* function) {
  reload();
  return file_.empty() ? std::nullopt : file_.next(function);
}

void Failures::reload() {
  const std::string path = settings().state_dir + "/fail-" + std::to_string(getpid());
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (file_stamp_ != 0) file_ = FailureRules();
    file_stamp_ = 0;
    return;
  }
  const int64_t stamp = (status.st_mtim.tv_sec * 1000000000L + status.st_mtim.tv_nsec) ^ static_cast<int64_t>(status.st_ino);
  if (stamp == file_stamp_) return;
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  file_ = FailureRules::parse(text.str());
  file_stamp_ = stamp;
}

Failures& failures() {
  static auto* instance = new Failures;
  return *instance;
}

}  // namespace gpusnap::simulated
