// The symbols: header, export map and library must agree, and the libraries must load on other distributions.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <regex>
#include <set>

#include "contract/fixture.h"
#include "contract/harness.h"

using namespace contract;

namespace {

std::string output_of(const std::string& command) {
    std::array<char, 4096> part{};
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    CHECK(pipe != nullptr);
    while (size_t got = fread(part.data(), 1, part.size(), pipe)) {
        text.append(part.data(), got);
    }
    if (pclose(pipe) != 0) {
        skip("readelf (binutils) is not installed");
    }
    return text;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    CHECK(file.good());
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
    std::regex expression(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        found.insert((*at)[1]);
    }
    return found;
}

std::string library(const std::string& name) {
    return directory_of_this_program() + "/../lib/" + name;
}

std::set<std::string> exported_functions(const std::string& name) {
    return all_matches(output_of("LC_ALL=C readelf --dyn-syms -W " + library(name)),
                       "FUNC\\s+GLOBAL\\s+DEFAULT\\s+[0-9]+ ([A-Za-z0-9_]+)");
}

std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += name + " ";
    }
    return text;
}

}  // namespace

TEST("libgpusnap exports exactly what its header declares and its map lists") {
    std::string header = text_of(GPUSNAP_SOURCE_DIR "/include/gpusnap.h");
    std::string map = text_of(GPUSNAP_SOURCE_DIR "/driver/gpusnap.map");
    auto declared = all_matches(header, "\\b(gpusnap_[a-z_]+)\\(");
    auto listed = all_matches(map, "\\n\\s*(gpusnap_[a-z_]+);");
    auto exported = exported_functions("libgpusnap.so");
    CHECK_EQUAL(joined(listed), joined(declared));
    CHECK_EQUAL(joined(exported), joined(declared));
    CHECK(output_of("LC_ALL=C readelf --dyn-syms -W " + library("libgpusnap.so")).find("gpusnap_init@@GPUSNAP_8") !=
          std::string::npos);
}

TEST("the preload exports exactly the functions of its tables, those for hints, and dlsym") {
    std::string tables = text_of(GPUSNAP_SOURCE_DIR "/preload/own.def") + text_of(GPUSNAP_SOURCE_DIR "/preload/gated.def");
    auto interposed = all_matches(tables, "(?:OWN|GATED)\\((cu\\w+),");
    size_t driver_functions = interposed.size();
    interposed.insert("dlsym");
    for (const std::string& name :
         all_matches(text_of(GPUSNAP_SOURCE_DIR "/include/gpusnap_hints.h"), "GPUSNAP_HINT_CALL_\\(\"(\\w+)\"")) {
        interposed.insert("gpusnap_preload_hint_" + name);
    }
    auto listed = all_matches(text_of(GPUSNAP_SOURCE_DIR "/preload/preload.map"), "    (\\w+);");
    CHECK_EQUAL(joined(listed), joined(interposed));
    CHECK_EQUAL(joined(exported_functions("libgpusnap-preload.so")), joined(interposed));
    note(std::to_string(driver_functions) + " functions interposed");
}

TEST("the libraries need nothing newer than glibc 2.35 and no C++ runtime") {
    // Libraries to be carried elsewhere are built against an old libc; a build for the machine it stands on is not held to that.
    if (__GLIBC_MINOR__ > 36) {
        skip("built against glibc 2." + std::to_string(__GLIBC_MINOR__) + ", for machines like this one only");
    }
    for (const char* name : {"libgpusnap.so", "libgpusnap-preload.so"}) {
        std::string versions = output_of("LC_ALL=C readelf -V -W " + library(name));
        for (const std::string& minor : all_matches(versions, "GLIBC_2\\.([0-9]+)")) {
            CHECK(std::stoi(minor) <= 35);
        }
        std::string dynamic = output_of("LC_ALL=C readelf -d -W " + library(name));
        CHECK(dynamic.find("libstdc++") == std::string::npos);
        CHECK(dynamic.find("libgcc_s") == std::string::npos);
        CHECK(dynamic.find("libcuda") == std::string::npos);
    }
}
