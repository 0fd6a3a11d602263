#include "ranks/link.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "passed_descriptors.h"
#include "workload/driver.h"

namespace ranks {
namespace {

using workload::driver;

constexpr auto patience = std::chrono::seconds(60);
constexpr size_t words = Link::bytes / sizeof(uint64_t);

void must(bool done, const char* what) {
    if (!done) {
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    }
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error("the folder's name is too long: " + path);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

int accept_one(const std::string& path) {
    sockaddr_un address = address_of(path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path.c_str());
    must(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(listener, 1) == 0, "listen");
    int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    must(connection >= 0, "accept");
    close(listener);
    unlink(path.c_str());
    return connection;
}

int connect_to(const std::string& path) {
    sockaddr_un address = address_of(path);
    auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
            return connection;
        }
        close(connection);
        must(std::chrono::steady_clock::now() < deadline, "connect");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void send_descriptor(int connection, int descriptor) {
    char byte = 'd';
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    gpusnap::PassedDescriptors passed;
    passed.attach(&message, std::span(&descriptor, 1));
    must(sendmsg(connection, &message, 0) == 1, "sendmsg");
}

int receive_descriptor(int connection) {
    char byte = 0;
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    gpusnap::PassedDescriptors passed;
    passed.expect(&message);
    must(recvmsg(connection, &message, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
    int descriptor = -1;
    gpusnap::PassedDescriptors::take_from(&message, [&](int came) { descriptor = came; });
    must(descriptor >= 0, "the peer's descriptor");
    return descriptor;
}

}  // namespace

Link::Link(int rank, const std::string& folder, uint64_t generation, int gpu) : rank_(rank), gpu_(gpu) {
    connect(folder + "/link-" + std::to_string(generation));
    map_segment(generation);
    if (gpu_ >= 0) {
        share_device();
    }
    meet();
}

void Link::end() {
    meet();
    if (gpu_ >= 0) {
        drop(theirs_);
        drop(mine_);
    }
    munmap(segment_, 2 * bytes);
    close(connection_);
}

void Link::connect(const std::string& path) {
    connection_ = rank_ == 0 ? accept_one(path) : connect_to(path);
}

// Named as NCCL names its segments, and without a name once both have it.
void Link::map_segment(uint64_t generation) {
    char name[64] = {};
    if (rank_ == 0) {
        std::snprintf(name, sizeof name, "/dev/shm/nccl-%d-%llu", getpid(), static_cast<unsigned long long>(generation));
        must(write(connection_, name, sizeof name) == sizeof name, "write");
    } else {
        must(recv(connection_, name, sizeof name, MSG_WAITALL) == sizeof name, "recv");
    }
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0 && ftruncate(file, 2 * bytes) == 0, name);
    void* there = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(there != MAP_FAILED, "mmap");
    close(file);
    segment_ = static_cast<uint64_t*>(there);
    meet();
    unlink(name);
}

Link::Block Link::mapped(CUmemGenericAllocationHandle handle) const {
    Block block{handle, 0};
    CUmemAccessDesc description{};
    description.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    description.location.id = gpu_;
    description.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    DRIVER_CALL(driver(), cuMemAddressReserve, &block.address, bytes, 0, 0, 0);
    DRIVER_CALL(driver(), cuMemMap, block.address, bytes, 0, handle, 0);
    DRIVER_CALL(driver(), cuMemSetAccess, block.address, bytes, &description, 1);
    return block;
}

void Link::drop(const Block& block) {
    driver().cuMemUnmap(block.address, bytes);
    driver().cuMemAddressFree(block.address, bytes);
    driver().cuMemRelease(block.handle);
}

void Link::share_device() {
    CUmemAllocationProp wanted{};
    wanted.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    wanted.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    wanted.location.id = gpu_;
    wanted.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    CUmemGenericAllocationHandle own = 0;
    DRIVER_CALL(driver(), cuMemCreate, &own, bytes, &wanted, 0);
    mine_ = mapped(own);
    int out = -1;
    DRIVER_CALL(driver(), cuMemExportToShareableHandle, &out, own, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0);
    send_descriptor(connection_, out);
    close(out);
    int in = receive_descriptor(connection_);
    CUmemGenericAllocationHandle other = 0;
    CUresult result = driver().cuMemImportFromShareableHandle(&other, reinterpret_cast<void*>(static_cast<intptr_t>(in)),
                                                              CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
    close(in);
    workload::check(result, "cuMemImportFromShareableHandle");
    theirs_ = mapped(other);
}

void Link::meet() {
    char byte = 'm';
    must(send(connection_, &byte, 1, MSG_NOSIGNAL) == 1 && recv(connection_, &byte, 1, 0) == 1, "the other rank is gone");
}

std::vector<uint64_t> Link::all_reduce(const std::vector<uint64_t>& mine) {
    size_t size = mine.size() * sizeof(uint64_t);
    std::vector<uint64_t> other(mine.size());
    if (gpu_ >= 0) {
        DRIVER_CALL(driver(), cuMemcpyHtoD_v2, mine_.address, mine.data(), size);
        meet();
        DRIVER_CALL(driver(), cuMemcpyDtoH_v2, other.data(), theirs_.address, size);
    } else {
        std::memcpy(segment_ + static_cast<size_t>(rank_) * words, mine.data(), size);
        meet();
        std::memcpy(other.data(), segment_ + static_cast<size_t>(1 - rank_) * words, size);
    }
    meet();  // nobody writes what the other still reads
    for (size_t i = 0; i < mine.size(); i++) {
        other[i] += mine[i];
    }
    return other;
}

}  // namespace ranks
