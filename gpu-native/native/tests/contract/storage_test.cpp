// Files straight into device memory. On a machine with a GPU this is the cuFile that is installed there, in whichever mode.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>
#include <optional>

#include "contract/device_memory.h"
#include "contract/fixture.h"
#include "contract/harness.h"
#include "contract/tree_digest.h"
#include "cufile_abi.h"

using namespace contract;

namespace {

// A folder on a disk: what is in memory already is no case for cuFile.
class Folder {
public:
    Folder() : path_(directory_of_this_program() + "/storage-" + std::to_string(getpid())) {
        std::filesystem::create_directory(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string at(const std::string& name) const { return path_ + "/" + name; }
    std::string file(const std::string& name, const Bytes& content) const {
        std::ofstream(at(name), std::ios::binary).write(reinterpret_cast<const char*>(content.data()), content.size());
        return at(name);
    }

private:
    std::string path_;
};

// What cuFile itself says to the plainest use of it: a code of cuFile's, 0 when it takes the file.
int plain_registration(const std::string& path) {
    void* library = dlopen("libcufile.so.0", RTLD_NOW);
    auto enroll = library == nullptr ? nullptr
                                     : reinterpret_cast<CufileError (*)(CufileHandle*, CufileDescription*)>(
                                           dlsym(library, "cuFileHandleRegister"));
    if (enroll == nullptr) {
        return -1;
    }
    CufileDescription description{};
    description.type = CUFILE_POSIX_DESCRIPTOR;
    description.handle.fd = open(path.c_str(), O_RDONLY | O_DIRECT);
    CufileHandle handle = nullptr;
    int code = enroll(&handle, &description).err;
    if (code == 0) {
        reinterpret_cast<void (*)(CufileHandle)>(dlsym(library, "cuFileHandleDeregister"))(handle);
    }
    close(description.handle.fd);
    return code;
}

// A machine may have no cuFile, or one that does not serve the file system of this program. That is skipped only when cuFile
// says so by itself: where it takes a file, so must we.
void need_storage() {
    driver_info();
    Folder folder;
    std::string probe = folder.file("probe", Bytes(4096));
    std::string where = directory_of_this_program();
    gpusnap_storage_args args{sizeof args, 1, nullptr, where.c_str()};
    gpusnap_storage_info info{};
    info.struct_size = sizeof info;
    OK(gpusnap_storage_query(&args, &info));
    if (info.available != 0) {
        note(info.reason);
        return;
    }
    int descriptor = open(probe.c_str(), O_RDONLY | O_DIRECT);
    if (descriptor < 0) {
        skip("the file system of " + where + " has no direct I/O");
    }
    close(descriptor);
    int code = plain_registration(probe);
    if (code == 0 || driver_info().simulated != 0) {
        throw Failed(std::string("cuFile takes a file here, and is found unusable: ") + info.reason);
    }
    skip(std::string(info.reason) + "; cuFile by itself answers " + std::to_string(code));
}

Bytes part(const Bytes& bytes, size_t from, size_t size) {
    return Bytes(bytes.begin() + from, bytes.begin() + from + size);
}

void fails(gpusnap_read_item item, gpusnap_status status, const std::string& text) {
    gpusnap_status found = gpusnap_read_to_device(0, &item, 1, nullptr);
    CHECK_EQUAL(found, status);
    if (last_error().find(text) == std::string::npos) {
        throw Failed(last_error() + " does not say " + text);
    }
}

}  // namespace

TEST("files are read to the device, whole or from anywhere, with digests of what is there then") {
    need_storage();
    Folder folder;
    Imported memory(16 * mib);
    Bytes content = noise(chunk_bytes, 21);
    Bytes odd = noise(mib + 1000, 22);
    std::string whole = folder.file("whole", content);
    std::string short_one = folder.file("short", odd);
    OK(gpusnap_fill_zero(0, memory.address(), memory.size_bytes()));
    std::vector<gpusnap_read_item> items = {
        {whole.c_str(), 0, memory.address(), chunk_bytes},
        {short_one.c_str(), 0, memory.address() + chunk_bytes, odd.size()},
        {whole.c_str(), 5000, memory.address() + 2 * chunk_bytes, 12345},
        {whole.c_str(), chunk_bytes - 1, memory.address() + 3 * chunk_bytes, 1}};
    std::vector<gpusnap_digest> digests(items.size());

    OK(gpusnap_read_to_device(0, items.data(), items.size(), digests.data()));

    std::vector<Bytes> expected = {content, odd, part(content, 5000, 12345), part(content, chunk_bytes - 1, 1)};
    for (size_t i = 0; i < items.size(); i++) {
        CHECK_EQUAL(hex(digests[i]), tree_digest(expected[i].data(), expected[i].size()));
        CHECK(from_device(items[i].device_address, items[i].size_bytes) == expected[i]);
        // and not a byte more
        CHECK(from_device(items[i].device_address + items[i].size_bytes, 16) == (i == 0 ? part(odd, 0, 16) : Bytes(16)));
    }
    OK(gpusnap_read_to_device(0, items.data(), items.size(), nullptr));
    OK(gpusnap_read_to_device(0, nullptr, 0, digests.data()));
}

TEST("threads read to the device at the same time") {
    need_storage();
    Folder folder;
    Imported memory(32 * mib);
    std::vector<std::string> problems(4);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < problems.size(); t++) {
        threads.emplace_back([&, t] {
            try {
                Bytes content = noise(chunk_bytes, 30 + t);
                std::string path = folder.file(std::to_string(t), content);
                for (uint64_t round = 0; round < 4; round++) {
                    uint64_t address = memory.address() + (2 * t + round % 2) * chunk_bytes;
                    gpusnap_read_item item{path.c_str(), 0, address, chunk_bytes};
                    gpusnap_digest digest{};
                    OK(gpusnap_read_to_device(0, &item, 1, &digest));
                    CHECK_EQUAL(hex(digest), tree_digest(content.data(), content.size()));
                }
            } catch (const std::exception& problem) {
                problems[t] = problem.what();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const std::string& problem : problems) {
        CHECK_EQUAL(problem, std::string());
    }
}

TEST("a file that is short, missing, a link or no file at all is told apart") {
    need_storage();
    Folder folder;
    Imported memory(chunk_bytes);
    std::string path = folder.file("file", noise(10'000, 23));
    std::filesystem::create_symlink(path, folder.at("link"));
    std::filesystem::create_directory(folder.at("folder"));
    CHECK_EQUAL(mkfifo(folder.at("pipe").c_str(), 0600), 0);

    fails({path.c_str(), 0, memory.address(), 10'001}, GPUSNAP_E_IO, "ends at 10000, 1 bytes before");
    fails({path.c_str(), 20'000, memory.address(), 1}, GPUSNAP_E_IO, "ends at 20000");
    fails({folder.at("none").c_str(), 0, memory.address(), 1}, GPUSNAP_E_IO, "No such file");
    fails({folder.at("link").c_str(), 0, memory.address(), 1}, GPUSNAP_E_PERMISSION, "is a symbolic link");
    std::string inside = folder.at("folder");
    gpusnap_read_item no_file{inside.c_str(), 0, memory.address(), 1};
    CHECK(gpusnap_read_to_device(0, &no_file, 1, nullptr) != GPUSNAP_OK);
    fails({folder.at("pipe").c_str(), 0, memory.address(), 1}, GPUSNAP_E_PERMISSION, "is not a regular file");
    fails({"", 0, memory.address(), 1}, GPUSNAP_E_INVALID, "has no path");
    fails({path.c_str(), 0, 0, 1}, GPUSNAP_E_INVALID, "NULL address");
    fails({path.c_str(), UINT64_MAX, memory.address(), 1}, GPUSNAP_E_INVALID, "where no file reaches");

    gpusnap_read_item crooked{path.c_str(), 0, memory.address() + 1, 100};
    gpusnap_digest digest{};
    CHECK_EQUAL(gpusnap_read_to_device(0, &crooked, 1, &digest), GPUSNAP_E_INVALID);
    gpusnap_read_item good{path.c_str(), 0, memory.address(), 10'000};
    OK(gpusnap_read_to_device(0, &good, 1, &digest));
}

TEST("whichever call of cuFile fails, a read says so, leaves no descriptor open, and works the next time") {
    if (!driver_info().simulated) {
        skip("a real cuFile does not fail on order");
    }
    need_storage();
    Folder folder;
    Bytes content = noise(chunk_bytes, 24);
    std::string path = folder.file("file", content);
    gpusnap_digest digest{};
    uint64_t free = gpu_info().free_bytes;
    {
        Imported memory(chunk_bytes);
        gpusnap_read_item item{path.c_str(), 0, memory.address(), chunk_bytes};
        OK(gpusnap_read_to_device(0, &item, 1, &digest));
    }
    auto descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
    };
    struct Case {
        const char* rule;
        gpusnap_status status;
        const char* text;
    };
    for (const Case& each : {Case{"cuFileHandleRegister=801", GPUSNAP_E_UNSUPPORTED, "cuFileHandleRegister"},
                             Case{"cuFileHandleRegister=2", GPUSNAP_E_NO_DEVICE_MEMORY, "cuFileHandleRegister"},
                             Case{"cuFileRead@1=999", GPUSNAP_E_IO, "cuFileRead"},
                             Case{"cuFileRead@3=999", GPUSNAP_E_IO, "cuFileRead"},
                             Case{"cuMemcpyHtoD=719", GPUSNAP_E_DRIVER, "cuFileRead"},
                             Case{"cuMemAlloc=2", GPUSNAP_E_NO_DEVICE_MEMORY, "cuMemAlloc"},
                             Case{"cuLaunchKernel@1=719", GPUSNAP_E_DRIVER, "cuLaunchKernel"}}) {
        std::optional<Imported> memory(std::in_place, chunk_bytes);
        gpusnap_read_item item{path.c_str(), 0, memory->address(), chunk_bytes};
        auto before = descriptors();
        {
            Failures failures(each.rule);
            CHECK_EQUAL(std::string(each.rule) + " gives " +
                            std::to_string(gpusnap_read_to_device(0, &item, 1, &digest)),
                        std::string(each.rule) + " gives " + std::to_string(each.status));
        }
        CHECK(last_error().find(each.text) != std::string::npos);
        CHECK_EQUAL(descriptors(), before);
        OK(gpusnap_read_to_device(0, &item, 1, &digest));
        CHECK_EQUAL(hex(digest), tree_digest(content.data(), content.size()));
        memory.reset();
        CHECK_EQUAL(gpu_info().free_bytes, free);
    }
}

TEST("cuFile is loaded when it is asked for, and says in which mode it works or why it does not") {
    if (!driver_info().simulated) {
        skip("what a real machine has does not change on order");
    }
    for (const char* what : {"kernel-side", "no-kernel-side", "missing", "broken", "refuses-files"}) {
        pid_t role = start_role({"--storage", what});
        int status = 0;
        CHECK_EQUAL(waitpid(role, &status, 0), role);
        CHECK(WIFEXITED(status));
        CHECK_EQUAL(std::string(what) + " " + std::to_string(WEXITSTATUS(status)), std::string(what) + " 0");
    }
}
