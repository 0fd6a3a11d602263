// A frozen workload through CRIU and back, with a thread waiting at the gate all the while.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "contract/fixture.h"
#include "contract/harness.h"
#include "preload_protocol.h"

using namespace contract;

namespace {

constexpr uint64_t mib = 1 << 20;

std::string criu() {
    const char* path = std::getenv("GPUSNAP_CRIU");
    if (path == nullptr || *path == '\0') {
        skip("GPUSNAP_CRIU is not set");
    }
    if (geteuid() != 0) {
        skip("CRIU needs root");
    }
    if (std::system((std::string(path) + " check >/dev/null 2>&1").c_str()) != 0) {
        skip(std::string(path) + " check fails on this kernel");
    }
    return path;
}

void run_criu(const std::string& command, const std::string& log) {
    if (std::system((command + " -v4 -o " + log + " >/dev/null 2>&1").c_str()) == 0) {
        return;
    }
    std::ifstream file(log);
    std::string errors;
    for (std::string line; std::getline(file, line);) {
        if (line.find("Error") != std::string::npos) {
            errors += line + " ";
        }
    }
    throw Failed(command + ": " + errors);
}

uint64_t bytes_in(const std::string& directory) {
    uint64_t total = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        total += entry.file_size();
    }
    return total;
}

}  // namespace

TEST("a released process goes through a dump and a restore, and every byte comes back") {
    std::string program = criu();
    if (!driver_info().has_checkpoint) {
        skip("this driver has no checkpoint API");
    }
    std::string images = scratch() + "/images";
    std::filesystem::create_directory(images);
    Workload workload(Environment{}, true, true, Wiring::named_pipes);
    uint64_t size = driver_info().simulated ? 256 * mib : 4096 * mib;
    workload.tell("alloc dlsym " + std::to_string(size));
    workload.tell("alloc async 9000000");
    workload.tell("alloc dlsym 65536");
    workload.tell("alloc dlsym 5000000");
    workload.tell("create-twice 4000000");
    workload.tell("hint 1 0 4096 kv");
    workload.tell("callbacks a use-device");
    for (const char* command : {"fill 0 1", "fill 1 2", "fill 2 3", "fill 4 4", "copy-start 3"}) {
        workload.tell(command);
    }
    Pool pool(size + 64 * mib);
    {
        Target target(workload);
        OK(gpusnap_target_quiesce(target.get(), 10'000));
        OK(gpusnap_target_import(target.get(), nullptr));
        pool.save(target);
        OK(gpusnap_target_unimport(target.get()));
        OK(gpusnap_target_release(target.get()));
    }
    uint64_t copied = workload.number("copy-count");
    OK(gpusnap_process_lock(workload.pid(), 10'000));
    OK(gpusnap_process_checkpoint(workload.pid()));
    std::string options = " -D " + images + " --file-locks --link-remap --ghost-limit 1073741824 --ext-unix-sk";
    auto start = std::chrono::steady_clock::now();
    run_criu(program + " dump -t " + std::to_string(workload.pid()) + options, images + "/dump.log");
    workload.reap();
    note("images of " + std::to_string(bytes_in(images) / mib) + " MiB for " + std::to_string(size / mib) + " MiB of VRAM");
    auto dumped = std::chrono::steady_clock::now();
    run_criu(program + " restore -d" + options, images + "/restore.log");
    auto restored = std::chrono::steady_clock::now();
    using Seconds = std::chrono::duration<double>;
    note("dump " + std::to_string(Seconds(dumped - start).count()) + " s, restore " +
         std::to_string(Seconds(restored - dumped).count()) + " s");
    OK(gpusnap_process_restore(workload.pid(), nullptr, 0));
    OK(gpusnap_process_unlock(workload.pid()));
    Target target(workload);
    CHECK_EQUAL(target.status().state, static_cast<uint32_t>(GPUSNAP_TARGET_RELEASED));
    CHECK_EQUAL(target.hints().size(), 2u);
    CHECK_EQUAL(std::string(target.hints().at(0).tag), std::string("kv"));
    CHECK_EQUAL(std::string(target.hints().at(1).tag), std::string(GPUSNAP_WIRE_FREE_TAG));
    OK(gpusnap_target_remap(target.get()));
    OK(gpusnap_target_import(target.get(), nullptr));
    pool.fill(target);
    OK(gpusnap_target_unimport(target.get()));
    CHECK_EQUAL(workload.number("copy-count"), copied);
    OK(gpusnap_target_resume(target.get()));
    while (workload.number("copy-count") < copied + 10) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    workload.tell("copy-stop");
    for (const char* command : {"differs 0 1", "differs 1 2", "differs 2 3", "differs 4 4"}) {
        CHECK_EQUAL(workload.number(command), 0u);
    }
    // And a second time, without a dump.
    OK(gpusnap_target_quiesce(target.get(), 10'000));
    CHECK_EQUAL(workload.ask("events"), std::string("ok quiesce:a a:thawed quiesce:a"));
    OK(gpusnap_target_resume(target.get()));
    CHECK_EQUAL(workload.stderr_text(), std::string());
}
