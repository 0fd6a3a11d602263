// Work in progress: a thread that keeps copying, streams that are held up, captures, and stream-ordered memory.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>

#include "workload/commands.h"
#include "workload/driver.h"
#include "workload/memory.h"

namespace workload {
namespace {

std::vector<CUstream>& streams() {
    static std::vector<CUstream> all;
    return all;
}

CUcontext& context() {
    static CUcontext only = nullptr;
    return only;
}

struct Copier {
    std::thread thread;
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> count{0};
};

Copier& copier() {
    static Copier only;
    return only;
}

// A thread for each call that only asks or waits: what runtimes do by themselves, every few seconds.
struct Askers {
    std::vector<std::thread> threads;
    std::atomic<bool> stop{false};
    std::array<std::atomic<uint64_t>, 7> counts{};
    std::atomic<bool> failed{false};
};

Askers& askers() {
    static Askers only;
    return only;
}

std::string start_asking(const Arguments&) {
    CUevent begin = nullptr;
    CUevent end = nullptr;
    CUstream stream = nullptr;
    DRIVER_CALL(driver(), cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
    DRIVER_CALL(driver(), cuEventCreate, &begin, 0);
    DRIVER_CALL(driver(), cuEventCreate, &end, 0);
    DRIVER_CALL(driver(), cuEventRecord, begin, stream);
    DRIVER_CALL(driver(), cuEventRecord, end, stream);
    DRIVER_CALL(driver(), cuStreamSynchronize, stream);
    static size_t free_bytes;
    static size_t total_bytes;
    static float milliseconds;
    std::array<std::function<CUresult()>, 7> calls{
        [=] { return driver().cuStreamQuery(stream); },
        [=] { return driver().cuStreamSynchronize(stream); },
        [] { return driver().cuCtxSynchronize(); },
        [=] { return driver().cuEventQuery(end); },
        [=] { return driver().cuEventSynchronize(end); },
        [=] { return driver().cuEventElapsedTime(&milliseconds, begin, end); },
        [] { return driver().cuMemGetInfo_v2(&free_bytes, &total_bytes); },
    };
    for (size_t i = 0; i < calls.size(); i++) {
        askers().threads.emplace_back([i, call = calls[i]] {
            driver().cuCtxSetCurrent(context());
            while (!askers().stop) {
                if (call() != CUDA_SUCCESS) {
                    askers().failed = true;
                }
                askers().counts[i]++;
            }
        });
    }
    return "";
}

// -> the fewest rounds of any, the sum of all rounds
std::string asked(const Arguments&) {
    uint64_t least = UINT64_MAX;
    uint64_t sum = 0;
    for (const auto& count : askers().counts) {
        least = std::min<uint64_t>(least, count);
        sum += count;
    }
    return std::to_string(least) + " " + std::to_string(sum);
}

std::string stop_asking(const Arguments&) {
    askers().stop = true;
    for (std::thread& thread : askers().threads) {
        thread.join();
    }
    askers().threads.clear();
    return askers().failed ? "a call failed" : "all succeeded";
}

std::atomic<bool> held{false};

void wait_while_held(void*) {
    while (held.load()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

std::string start_copying(const Arguments& arguments) {
    CUdeviceptr address = buffers().at(number(arguments, 0)).address;
    copier().stop = false;
    copier().thread = std::thread([address] {
        driver().cuCtxSetCurrent(context());
        uint64_t word = 0;
        while (!copier().stop) {
            word = copier().count + 1;
            if (driver().cuMemcpyHtoD_v2(address, &word, sizeof word) != CUDA_SUCCESS) {
                return;
            }
            copier().count++;
        }
    });
    return "";
}

// THREADS ROUNDS: each thread with the context current and a random order of its own; -> the number of what was wrong, a thread that
// breaks included.
template <typename Body>
std::string wrong_in_threads(const Arguments& arguments, Body&& body) {
    uint64_t threads = number(arguments, 0);
    uint64_t rounds = number(arguments, 1);
    std::atomic<uint64_t> wrong{0};
    std::vector<std::thread> running;
    for (uint64_t t = 0; t < threads; t++) {
        running.emplace_back([&, t] {
            try {
                DRIVER_CALL(driver(), cuCtxSetCurrent, context());
                std::mt19937_64 random(t + 1);
                body(random, rounds, wrong);
            } catch (const std::exception&) {
                wrong++;
            }
        });
    }
    for (std::thread& thread : running) {
        thread.join();
    }
    return std::to_string(wrong);
}

// Allocates and frees by every path, checking what was written.
void churn(std::mt19937_64& random, uint64_t rounds, std::atomic<uint64_t>& wrong) {
    const Functions& functions = driver();
    for (uint64_t round = 0; round < rounds; round++) {
        size_t size = (2ull << 20) + random() % (4 << 20);
        uint64_t seed = random();
        CUdeviceptr address = 0;
        bool ordered = random() % 2 == 0;
        if (ordered) {
            DRIVER_CALL(functions, cuMemAllocAsync, &address, size, nullptr);
        } else {
            DRIVER_CALL(functions, cuMemAlloc_v2, &address, size);
        }
        fill(address, 4096, seed);
        fill(address + size - 4096, 4096, seed + 1);
        wrong += differing_bytes(address, 4096, seed) != 0;
        wrong += differing_bytes(address + size - 4096, 4096, seed + 1) != 0;
        if (ordered) {
            DRIVER_CALL(functions, cuMemFreeAsync, address, nullptr);
        } else {
            DRIVER_CALL(functions, cuMemFree_v2, address);
        }
    }
}

// In a stream of the thread's own: several blocks are alive, each full of a value of its own that is looked at just before it is
// freed in stream order.
void churn_on_stream(std::mt19937_64& random, uint64_t rounds, std::atomic<uint64_t>& wrong) {
    const Functions& functions = driver();
    CUstream stream = nullptr;
    DRIVER_CALL(functions, cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
    struct Block {
        CUdeviceptr address = 0;
        size_t size = 0;
        unsigned char value = 0;
    };
    std::array<Block, 3> alive{};
    for (uint64_t round = 0; round < rounds; round++) {
        Block& block = alive[random() % alive.size()];
        if (block.address != 0) {
            unsigned char ends[2] = {};
            DRIVER_CALL(functions, cuMemcpyDtoHAsync_v2, &ends[0], block.address, 1, stream);
            DRIVER_CALL(functions, cuMemcpyDtoHAsync_v2, &ends[1], block.address + block.size - 1, 1, stream);
            DRIVER_CALL(functions, cuStreamSynchronize, stream);
            wrong += ends[0] != block.value || ends[1] != block.value;
            DRIVER_CALL(functions, cuMemFreeAsync, block.address, stream);
        }
        block = {0, (2ull << 20) + random() % (2 << 20), static_cast<unsigned char>(1 + random() % 255)};
        DRIVER_CALL(functions, cuMemAllocAsync, &block.address, block.size, stream);
        DRIVER_CALL(functions, cuMemsetD8Async, block.address, block.value, block.size, stream);
    }
    for (const Block& block : alive) {
        if (block.address != 0) {
            DRIVER_CALL(functions, cuMemFreeAsync, block.address, stream);
        }
    }
    DRIVER_CALL(functions, cuStreamDestroy_v2, stream);
}

std::string allocate_on_stream(const Arguments& arguments) {
    Buffer buffer;
    buffer.size = number(arguments, 0);
    buffer.stream = streams().at(number(arguments, 1));
    buffer.stream_ordered = true;
    DRIVER_CALL(driver(), cuMemAllocAsync, &buffer.address, buffer.size, buffer.stream);
    size_t index = keep(buffer);
    return std::to_string(index) + " " + std::to_string(buffer.address);
}

CUmemoryPool default_pool() {
    CUmemoryPool pool = nullptr;
    DRIVER_CALL(driver(), cuDeviceGetDefaultMemPool, &pool, 0);
    return pool;
}

std::string pool_attribute(const Arguments& arguments) {
    uint64_t value = 0;
    DRIVER_CALL(driver(), cuMemPoolGetAttribute, default_pool(), static_cast<CUmemPool_attribute>(number(arguments, 0)),
                &value);
    return std::to_string(value);
}

}  // namespace

void add_stream_commands(Commands& commands) {
    commands["init"] = [](const Arguments&) {
        const Functions& functions = driver();
        DRIVER_CALL(functions, cuInit, 0);
        DRIVER_CALL(functions, cuDevicePrimaryCtxRetain, &context(), 0);
        DRIVER_CALL(functions, cuCtxSetCurrent, context());
        return "";
    };
    commands["reset"] = [](const Arguments&) {
        DRIVER_CALL(driver(), cuDevicePrimaryCtxReset_v2, 0);
        return "";
    };
    commands["primary-retain"] = [](const Arguments&) {
        CUcontext same = nullptr;
        DRIVER_CALL(driver(), cuDevicePrimaryCtxRetain, &same, 0);
        return "";
    };
    commands["primary-release"] = [](const Arguments&) {
        DRIVER_CALL(driver(), cuDevicePrimaryCtxRelease_v2, 0);
        return "";
    };
    commands["synchronize"] = [](const Arguments&) {
        DRIVER_CALL(driver(), cuCtxSynchronize);
        return "";
    };
    commands["copy-start"] = start_copying;  // INDEX
    commands["copy-count"] = [](const Arguments&) { return std::to_string(copier().count.load()); };
    commands["copy-stop"] = [](const Arguments&) {
        copier().stop = true;
        copier().thread.join();
        return std::to_string(copier().count.load());
    };
    commands["ask-start"] = start_asking;
    commands["asked"] = asked;        // -> FEWEST SUM
    commands["ask-stop"] = stop_asking;
    commands["churn"] = [](const Arguments& a) { return wrong_in_threads(a, churn); };  // THREADS ROUNDS -> WRONG
    commands["churn-on-streams"] = [](const Arguments& a) { return wrong_in_threads(a, churn_on_stream); };  // THREADS ROUNDS -> WRONG
    commands["stream"] = [](const Arguments&) {
        CUstream stream = nullptr;
        DRIVER_CALL(driver(), cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
        streams().push_back(stream);
        return std::to_string(streams().size() - 1);
    };
    commands["stream-destroy"] = [](const Arguments& a) {
        DRIVER_CALL(driver(), cuStreamDestroy_v2, streams().at(number(a, 0)));
        return "";
    };
    commands["stream-sync"] = [](const Arguments& a) {
        DRIVER_CALL(driver(), cuStreamSynchronize, streams().at(number(a, 0)));
        return "";
    };
    commands["hold"] = [](const Arguments& a) {  // STREAM: nothing after this runs until let-go
        held = true;
        DRIVER_CALL(driver(), cuLaunchHostFunc, streams().at(number(a, 0)), wait_while_held, nullptr);
        return "";
    };
    commands["let-go"] = [](const Arguments&) {
        held = false;
        return "";
    };
    commands["capture-begin"] = [](const Arguments& a) {
        DRIVER_CALL(driver(), cuStreamBeginCapture_v2, streams().at(number(a, 0)), CU_STREAM_CAPTURE_MODE_RELAXED);
        return "";
    };
    commands["capture-end"] = [](const Arguments& a) {
        CUgraph graph = nullptr;
        DRIVER_CALL(driver(), cuStreamEndCapture, streams().at(number(a, 0)), &graph);
        return "";
    };
    commands["alloc-on"] = allocate_on_stream;  // BYTES STREAM -> INDEX ADDRESS
    commands["memset-on"] = [](const Arguments& a) {  // INDEX VALUE STREAM
        const Buffer& buffer = buffers().at(number(a, 0));
        DRIVER_CALL(driver(), cuMemsetD8Async, buffer.address, static_cast<unsigned char>(number(a, 1)), buffer.size,
                    streams().at(number(a, 2)));
        return "";
    };
    commands["first-byte"] = [](const Arguments& a) {  // INDEX -> VALUE
        unsigned char value = 0;
        DRIVER_CALL(driver(), cuMemcpyDtoH_v2, &value, buffers().at(number(a, 0)).address, 1);
        return std::to_string(value);
    };
    commands["pool-attribute"] = pool_attribute;  // ATTRIBUTE -> VALUE
    commands["pool-threshold"] = [](const Arguments& a) {
        uint64_t value = number(a, 0);
        DRIVER_CALL(driver(), cuMemPoolSetAttribute, default_pool(), CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &value);
        return "";
    };
    commands["pool-trim"] = [](const Arguments& a) {
        DRIVER_CALL(driver(), cuMemPoolTrimTo, default_pool(), number(a, 0));
        return "";
    };
}

}  // namespace workload
