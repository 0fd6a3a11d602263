#include "code/builtin.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>

#include "code/tree_digest.h"

namespace gpusnap::simulated {

const Builtin* builtin(std::string_view name) {
  static const auto& all = *new std::map<std::string_view, Builtin>{
      {"gpusnap_leaf_digests", {gpusnap_leaf_digests, gpusnap_leaf_digests_parameter_sizes.bytes}},
      {"gpusnap_span_digests", {gpusnap_span_digests, gpusnap_span_digests_parameter_sizes.bytes}},
  };
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

bool is_ptx(const char* image) { return std::strncmp(image, "//", 2) == 0 || std::strncmp(image, ".ver", 4) == 0; }

std::vector<std::string> ptx_entries(std::string_view text) {
  constexpr std::string_view kDirective = ".entry";
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    line = line.substr(0, line.find("//"));
    const size_t at = line.find(kDirective);
    if (at == std::string_view::npos) continue;
    line.remove_prefix(at + kDirective.size());
    std::string name;
    for (const char c : line.substr(std::min(line.size(), line.find_first_not_of(" \t")))) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '$') break;
      name += c;
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace gpusnap::simulated
