// gpusnap-test-container: what a container runtime does, as far as tests of thaws into containers need it: namespaces of its
// own, a root of its own over a common image, a control group, a network that has loopback and one more address.
//
//   gpusnap-test-container --folder F --group G --host H --address A [--bind P]... [--volume SOURCE:P]...
//                          [--tmpfs P]... [--make P]... [--device NAME]... -- COMMAND
//
// The image is this machine's root file system; volumes are read-only; devices are names in /dev, for who only looks at those.
// Ends as the command ends, and the command with it.

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Options {
    fs::path folder;
    fs::path group;
    std::string host;
    std::string address;
    struct Volume {
        fs::path source;
        fs::path at;
    };
    std::vector<fs::path> binds;
    std::vector<Volume> volumes;
    std::vector<fs::path> tmpfs;
    std::vector<fs::path> makes;
    std::vector<std::string> devices;
    std::vector<char*> command;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "gpusnap-test-container: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(70);
}

void must(bool done, const std::string& what) {
    if (!done) fail(what);
}

Options parse(int count, char** arguments) {
    Options options;
    int at = 1;
    for (; at + 1 < count && std::strcmp(arguments[at], "--") != 0; at += 2) {
        const std::string flag = arguments[at];
        const std::string value = arguments[at + 1];
        if (flag == "--folder") options.folder = value;
        if (flag == "--group") options.group = value;
        if (flag == "--host") options.host = value;
        if (flag == "--address") options.address = value;
        if (flag == "--bind") options.binds.push_back(value);
        if (flag == "--volume") options.volumes.push_back({value.substr(0, value.find(':')), value.substr(value.find(':') + 1)});
        if (flag == "--tmpfs") options.tmpfs.push_back(value);
        if (flag == "--make") options.makes.push_back(value);
        if (flag == "--device") options.devices.push_back(value);
    }
    for (at++; at < count; at++) options.command.push_back(arguments[at]);
    options.command.push_back(nullptr);
    return options;
}

fs::path inside(const fs::path& root, const fs::path& path) { return root / path.relative_path(); }

void mount_tmpfs(const fs::path& at) {
    fs::create_directories(at);
    must(mount("tmpfs", at.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0, "tmpfs at " + at.string());
}

void make_root(const Options& options, const fs::path& root) {
    must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
    const std::string layers = "lowerdir=/,upperdir=" + (options.folder / "upper").string() + ",workdir=" + (options.folder / "work").string();
    must(mount("overlay", root.c_str(), "overlay", 0, layers.c_str()) == 0, "overlay with " + layers);
    mount_tmpfs(root / "dev");
    for (const char* name : {"null", "zero", "random", "urandom"}) {
        const fs::path device = root / "dev" / name;
        std::ofstream(device).close();
        must(mount((fs::path("/dev") / name).c_str(), device.c_str(), nullptr, MS_BIND, nullptr) == 0, device.string());
    }
    for (const std::string& name : options.devices) std::ofstream(root / "dev" / name).close();
    mount_tmpfs(root / "dev/shm");
    for (const fs::path& path : options.binds) {
        fs::create_directories(inside(root, path));
        must(mount(path.c_str(), inside(root, path).c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0, "bind of " + path.string());
    }
    for (const Options::Volume& volume : options.volumes) {
        const fs::path at = inside(root, volume.at);
        fs::create_directories(at);
        must(mount(volume.source.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) == 0, "volume of " + volume.source.string());
        must(mount(nullptr, at.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0, "read-only " + at.string());
    }
    for (const fs::path& path : options.tmpfs) mount_tmpfs(inside(root, path));
    for (const fs::path& path : options.makes) fs::create_directories(inside(root, path));
    fs::create_directories(root / "proc");
}

void enter_root(const fs::path& root) {
    must(chdir(root.c_str()) == 0, root.string());
    must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
    must(umount2(".", MNT_DETACH) == 0, "the old root");
    must(chdir("/") == 0, "/");
    must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0, "/proc");
}

void set_address(int control, const char* device, const std::string& address) {
    ifreq request{};
    std::strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    sockaddr_in ip{};
    ip.sin_family = AF_INET;
    must(inet_pton(AF_INET, address.c_str(), &ip.sin_addr) == 1, address);
    std::memcpy(&request.ifr_addr, &ip, sizeof ip);
    must(ioctl(control, SIOCSIFADDR, &request) == 0, std::string("address of ") + device);
}

void make_network(const Options& options) {
    must(sethostname(options.host.data(), options.host.size()) == 0, "host name");
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(control >= 0, "socket");
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP;
    must(ioctl(control, SIOCSIFFLAGS, &request) == 0, "loopback");
    set_address(control, "lo:1", options.address);
    close(control);
}

}  // namespace

int main(int count, char** arguments) {
    const Options options = parse(count, arguments);
    const fs::path root = options.folder / "root";
    for (const char* name : {"upper", "work", "root"}) fs::create_directories(options.folder / name);
    fs::create_directories(options.group);
    std::ofstream(options.group / "cgroup.procs") << "0" << std::flush;
    must(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0, "namespaces");
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        make_root(options, root);
        enter_root(root);
        make_network(options);
        execv(options.command.front(), options.command.data());
        fail(options.command.front());
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
