#include "target/locate.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>

#include "driver/failure.h"
#include "preload_protocol.h"

namespace gpusnap {
namespace {

std::string read_proc(int32_t pid, const char* file) {
    std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        int error = errno;
        throw io_failure(error == EACCES ? GPUSNAP_E_PERMISSION : GPUSNAP_E_PEER_GONE,
                         "cannot read " + path, error);
    }
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string environment_value(const std::string& environment, const std::string& name) {
    std::istringstream entries(environment);
    std::string entry;
    while (std::getline(entries, entry, '\0')) {
        if (entry.compare(0, name.size() + 1, name + "=") == 0) {
            return entry.substr(name.size() + 1);
        }
    }
    return "";
}

// The last number of "NSpid:\t4711\t1" is the pid as the process itself sees it.
std::string innermost_pid(const std::string& status, int32_t pid) {
    std::istringstream lines(status);
    std::string line;
    while (std::getline(lines, line)) {
        if (line.compare(0, 6, "NSpid:") == 0) {
            return line.substr(line.find_last_of(" \t") + 1);
        }
    }
    return std::to_string(pid);
}

}  // namespace

SocketPlace locate_socket(int32_t pid) {
    std::string directory = environment_value(read_proc(pid, "environ"), "GPUSNAP_SOCKET_DIR");
    if (directory.empty()) {
        directory = GPUSNAP_WIRE_DEFAULT_SOCKET_DIR;
    }
    SocketPlace place;
    place.directory = "/proc/" + std::to_string(pid) + "/root" + (directory[0] == '/' ? "" : "/") + directory;
    place.name = innermost_pid(read_proc(pid, "status"), pid) + ".sock";
    return place;
}

SocketPlace split_socket_path(const std::string& path) {
    size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) {
        return {".", path};
    }
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace gpusnap
