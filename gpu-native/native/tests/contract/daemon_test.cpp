// What a workload does when its daemon is gone, late, or not alone.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

#include "contract/fixture.h"
#include "contract/harness.h"
#include "preload_protocol.h"

using namespace contract;

namespace {

int connect_raw(const Workload& workload) {
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, workload.socket_path().c_str(), sizeof address.sun_path - 1);
    CHECK_EQUAL(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
}

}  // namespace

TEST("a lost connection opens the gate of a quiesced process") {
    Workload workload;
    workload.tell("alloc dlsym 5000000");
    {
        Target target(workload);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        workload.send("memset 0 1");
        CHECK(!workload.answers_within(200));
    }
    CHECK_EQUAL(workload.receive(), std::string("ok"));
    Target target(workload);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
}

TEST("a released process waits for the next daemon, which brings it back") {
    Workload workload;
    workload.tell("alloc dlsym 5000000");
    workload.tell("fill 0 42");
    std::string pool_path = scratch() + "/inherited-pool";
    std::string marker = scratch() + "/released-marker";
    pid_t daemon = start_role({"--frozen-by-me", std::to_string(workload.pid()), pool_path, marker});
    await_file(marker);
    ::kill(daemon, SIGKILL);
    waitpid(daemon, nullptr, 0);
    Target target(workload);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_import(target.get(), nullptr));
    auto all = target.allocations();
    CHECK_EQUAL(all.size(), 1u);
    gpusnap_pool_args args{sizeof args, 0, pool_path.c_str(), (all[0].size_bytes + 4194303) / 4194304 * 4194304};
    gpusnap_pool* pool = nullptr;
    OK(gpusnap_pool_open(&args, &pool));
    gpusnap_copy_item item{all[0].local_address, gpusnap_pool_base(pool), all[0].size_bytes};
    OK(gpusnap_copy(0, GPUSNAP_HOST_TO_DEVICE, &item, 1, nullptr));
    gpusnap_pool_close(pool);
    OK(gpusnap_target_unimport(target.get()));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.number("differs 0 42"), 0u);
}

TEST("a second connection may look but not touch") {
    Workload workload;
    Target owner(workload);
    Target other(workload);
    workload.tell("alloc dlsym 5000000");
    OK(gpusnap_target_quiesce(owner.get(), 10'000));
    CHECK_EQUAL(other.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_QUIESCED));
    CHECK_EQUAL(other.allocations().size(), 1u);
    CHECK_EQUAL(gpusnap_target_release(other.get()), GPUSNAP_E_STATE);
    CHECK(last_error().find("another connection") != std::string::npos);
    CHECK_EQUAL(gpusnap_target_resume(other.get()), GPUSNAP_E_STATE);
    other.close();
    CHECK_EQUAL(owner.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_QUIESCED));
    OK(gpusnap_target_resume(owner.get()));
}

TEST("a daemon of another protocol version is told so") {
    Workload workload;
    int fd = connect_raw(workload);
    gpusnap_wire_header request{GPUSNAP_WIRE_MAGIC, GPUSNAP_WIRE_VERSION + 1, GPUSNAP_WIRE_STATUS, 0, 0, 0};
    CHECK_EQUAL(send(fd, &request, sizeof request, 0), static_cast<ssize_t>(sizeof request));
    char reply[512] = {};
    ssize_t got = recv(fd, reply, sizeof reply - 1, 0);
    CHECK(got > static_cast<ssize_t>(sizeof request));
    gpusnap_wire_header header{};
    std::memcpy(&header, reply, sizeof header);
    CHECK_EQUAL(header.status, static_cast<uint32_t>(GPUSNAP_E_PROTOCOL));
    CHECK(std::string(reply + sizeof header).find("protocol 1") != std::string::npos);
    close(fd);
}

TEST("nonsense on the socket costs only its own connection") {
    Workload workload;
    int fd = connect_raw(workload);
    CHECK_EQUAL(send(fd, "nonsense", 8, 0), 8);
    char reply[64];
    CHECK_EQUAL(recv(fd, reply, sizeof reply, 0), 0);
    close(fd);
    fd = connect_raw(workload);
    gpusnap_wire_header request{GPUSNAP_WIRE_MAGIC, GPUSNAP_WIRE_VERSION, 99, 0, 0, 0};
    CHECK_EQUAL(send(fd, &request, sizeof request, 0), static_cast<ssize_t>(sizeof request));
    CHECK(recv(fd, reply, sizeof reply, 0) > 0);
    close(fd);
    Target target(workload);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RUNNING));
}

TEST("a stopped process is a time-out, not a hang") {
    Workload workload;
    ::kill(workload.pid(), SIGSTOP);
    waitpid(workload.pid(), nullptr, WUNTRACED);
    gpusnap_target* target = nullptr;
    gpusnap_status status = gpusnap_target_open(workload.pid(), nullptr, 300, &target);
    ::kill(workload.pid(), SIGCONT);
    CHECK_EQUAL(status, GPUSNAP_E_TIMEOUT);
}

TEST("a process that dies is noticed at the next call") {
    Workload workload;
    Target target(workload);
    workload.kill();
    CHECK_EQUAL(gpusnap_target_quiesce(target.get(), 1000), GPUSNAP_E_PEER_GONE);
    gpusnap_target_status status{};
    status.struct_size = sizeof status;
    CHECK_EQUAL(gpusnap_target_query(target.get(), &status), GPUSNAP_E_PEER_GONE);
}

TEST("a forked child leaves the parent's socket and freeze alone") {
    Workload workload;
    Target target(workload);
    workload.tell("alloc dlsym 5000000");
    CHECK_EQUAL(workload.number("fork"), 7u);
    CHECK_EQUAL(access(workload.socket_path().c_str(), F_OK), 0);
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    OK(gpusnap_target_resume(target.get()));
}
