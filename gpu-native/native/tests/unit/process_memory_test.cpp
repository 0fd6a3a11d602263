// The memory of another process.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "contract/harness.h"
#include "driver/failure.h"
#include "gpusnap.h"

using namespace contract;

namespace {

constexpr size_t page = 4096;
constexpr size_t size = 2048 * page;

// Memory that a child has at the same address with the same content, and then for itself.
struct Child {
    Child() {
        memory = static_cast<unsigned char*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(memory != MAP_FAILED);
        std::memset(memory, 7, size);
        int ready[2];
        CHECK_EQUAL(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
            munmap(memory + size / 2, page);  // a hole
            if (write(ready[1], "r", 1) == 1) {
                for (;;) {
                    pause();
                }
            }
            _exit(1);
        }
        char byte = 0;
        CHECK_EQUAL(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
    }
    ~Child() {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        munmap(memory, size);
    }
    uint64_t address(size_t offset) const { return reinterpret_cast<uint64_t>(memory) + offset; }
    unsigned char* memory = nullptr;
    pid_t pid = -1;
};

}  // namespace

TEST("what is written into a stopped process can be read from it, and the rest is as before") {
    Child child;
    kill(child.pid, SIGSTOP);
    std::vector<unsigned char> sent(size / 2 - 1);
    for (size_t i = 0; i < sent.size(); i++) {
        sent[i] = static_cast<unsigned char>(i * 31 >> 3);
    }
    CHECK_EQUAL(gpusnap_process_write(child.pid, child.address(1), sent.data(), sent.size()), GPUSNAP_OK);
    std::vector<unsigned char> found(size / 2);
    CHECK_EQUAL(gpusnap_process_read(child.pid, child.address(0), found.data(), found.size()), GPUSNAP_OK);
    CHECK_EQUAL(static_cast<int>(found[0]), 7);
    CHECK(std::memcmp(&found[1], sent.data(), sent.size()) == 0);
    CHECK_EQUAL(static_cast<int>(child.memory[1]), 7);  // here nothing was written
}

TEST("a hole in the memory of a process is an error that names its address") {
    Child child;
    std::vector<unsigned char> bytes(size);
    char hole[32];
    std::snprintf(hole, sizeof hole, "0x%llx", static_cast<unsigned long long>(child.address(size / 2)));
    CHECK_EQUAL(gpusnap_process_read(child.pid, child.address(0), bytes.data(), size), GPUSNAP_E_IO);
    CHECK(gpusnap::last_error().find(std::string("cannot read 4194304 bytes at ") + hole) != std::string::npos);
    CHECK_EQUAL(gpusnap_process_write(child.pid, child.address(0), bytes.data(), size), GPUSNAP_E_IO);
    CHECK(gpusnap::last_error().find(std::string("cannot write 4194304 bytes at ") + hole) != std::string::npos);
}

TEST("a process that is gone is told apart from one that may not be touched") {
    pid_t gone = fork();
    if (gone == 0) {
        _exit(0);
    }
    CHECK_EQUAL(waitpid(gone, nullptr, 0), gone);
    char byte = 0;
    CHECK_EQUAL(gpusnap_process_read(gone, 4096, &byte, 1), GPUSNAP_E_PEER_GONE);
    CHECK(gpusnap::last_error().find("of process " + std::to_string(gone)) != std::string::npos);

    Child child;
    pid_t stranger = fork();
    if (stranger == 0) {
        bool dropped = geteuid() != 0 || setuid(65534) == 0;
        pid_t other = geteuid() == 65534 ? child.pid : 1;
        gpusnap_status status = gpusnap_process_read(other, child.address(0), &byte, 1);
        _exit(dropped && status == GPUSNAP_E_PERMISSION ? 0 : 1);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(stranger, &status, 0), stranger);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST("arguments that mean nothing are refused, and nothing is moved at once") {
    char byte = 5;
    CHECK_EQUAL(gpusnap_process_read(0, 4096, &byte, 1), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_process_write(-1, 4096, &byte, 1), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_process_write(getpid(), 4096, nullptr, 1), GPUSNAP_E_INVALID);
    CHECK_EQUAL(gpusnap_process_read(getpid(), 4096, nullptr, 0), GPUSNAP_OK);
    CHECK_EQUAL(byte, 5);
}
