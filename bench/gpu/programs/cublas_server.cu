// A C++ server with cuBLAS on the CUDA runtime: weights in device memory, products on two streams, mapped page-locked memory
// that kernels write, events, a CUDA graph. Speaks protocol.py's protocol. The runtime is linked in: nothing finds the driver
// by its name's symbols.
//
//   nvcc -O2 -std=c++17 -arch=native -o cublas_server cublas_server.cu -lcublas
#include <arpa/inet.h>
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kWidth = 2048;
constexpr int kRows = 64;
constexpr size_t kWeightBytes = sizeof(float) * kWidth * kWidth;
constexpr size_t kBlockBytes = 4 << 20;

void check(cudaError_t result, const char* call) {
    if (result != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(result));
}
void check(cublasStatus_t result, const char* call) {
    if (result != CUBLAS_STATUS_SUCCESS) throw std::runtime_error(std::string(call) + ": cuBLAS status " + std::to_string(result));
}
#define CHECK(call) check(call, #call)

__device__ __host__ uint64_t mixed(uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

__global__ void draw(float* to, size_t count, uint64_t seed, float scale) {
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < count; i += size_t{gridDim.x} * blockDim.x) {
        to[i] = (static_cast<float>(mixed(seed + i) >> 40) / 8388608.0f - 1.0f) * scale;
    }
}

__global__ void squash(float* x, size_t count) {
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < count; i += size_t{gridDim.x} * blockDim.x) {
        x[i] = tanhf(x[i]);
    }
}

// A block of threads a block of memory; the order of additions does not matter to whole numbers.
__global__ void sum_blocks(const uint64_t* words, size_t words_a_block, unsigned long long* sums) {
    unsigned long long mine = 0;
    const size_t start = blockIdx.x * words_a_block;
    for (size_t i = threadIdx.x; i < words_a_block; i += blockDim.x) mine += mixed(words[start + i] ^ i);
    atomicAdd(&sums[blockIdx.x], mine);
}

struct Options {
    int port = 0;
    size_t mib = 512;
    std::string log;
};

class Server {
   public:
    explicit Server(const Options& options) {
        std::random_device source;
        token_ = static_cast<uint64_t>(source()) << 32 | source();
        CHECK(cublasCreate(&blas_));
        for (cudaStream_t& stream : streams_) CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
        for (cudaEvent_t& event : events_) CHECK(cudaEventCreate(&event));
        const size_t count = std::max<size_t>(2, (options.mib << 20) / kWeightBytes);
        for (size_t i = 0; i < count; i++) {
            float* weight = nullptr;
            CHECK(cudaMalloc(&weight, kWeightBytes));
            draw<<<256, 256, 0, streams_[0]>>>(weight, kWeightBytes / 4, token_ + i * kWidth * kWidth, 0.02f);
            weights_.push_back(weight);
        }
        for (float*& buffer : activations_) CHECK(cudaMalloc(&buffer, sizeof(float) * kRows * kWidth));
        CHECK(cudaHostAlloc(&mapped_, sizeof(float) * kRows * kWidth, cudaHostAllocMapped));
        CHECK(cudaHostGetDevicePointer(reinterpret_cast<void**>(&mapped_device_), mapped_, 0));
        CHECK(cudaEventRecord(events_[0], streams_[0]));
        forward(1, weights_.size());
        capture();
    }

    uint64_t token() const { return token_; }

    std::string answer(uint64_t n) { return forward(n, weights_.size()); }

    // Fresh device and page-locked memory, fewer layers, and the graph of before.
    std::string work(uint64_t round) {
        float* fresh = nullptr;
        void* pinned = nullptr;
        const size_t bytes = round << 22;
        CHECK(cudaMallocAsync(&fresh, bytes, streams_[1]));
        CHECK(cudaMallocHost(&pinned, bytes));
        draw<<<64, 256, 0, streams_[1]>>>(fresh, bytes / 4, round, 1.0f);
        CHECK(cudaGetLastError());
        CHECK(cudaMemcpyAsync(pinned, fresh, bytes, cudaMemcpyDeviceToHost, streams_[1]));
        CHECK(cudaFreeAsync(fresh, streams_[1]));
        CHECK(cudaStreamSynchronize(streams_[1]));
        std::string out(static_cast<const char*>(pinned), 65536);
        CHECK(cudaFreeHost(pinned));
        out += forward(round, 1 + round % weights_.size());
        CHECK(cudaGraphLaunch(graph_, streams_[0]));
        CHECK(cudaStreamSynchronize(streams_[0]));
        return out + std::string(reinterpret_cast<const char*>(mapped_), sizeof(float) * kRows * kWidth);
    }

    std::string state() {
        const size_t blocks = kWeightBytes / kBlockBytes;
        unsigned long long* sums = nullptr;
        CHECK(cudaMalloc(&sums, 8 * blocks * weights_.size()));
        CHECK(cudaMemset(sums, 0, 8 * blocks * weights_.size()));
        for (size_t i = 0; i < weights_.size(); i++) {
            sum_blocks<<<blocks, 256>>>(reinterpret_cast<const uint64_t*>(weights_[i]), kBlockBytes / 8, sums + i * blocks);
        }
        std::string out(8 * blocks * weights_.size(), '\0');
        CHECK(cudaMemcpy(out.data(), sums, out.size(), cudaMemcpyDeviceToHost));
        CHECK(cudaFree(sums));
        return out;
    }

    std::string facts() const {
        int version = 0, runtime = 0;
        cublasGetVersion(blas_, &version);
        cudaRuntimeGetVersion(&runtime);
        return "{\"pid\": " + std::to_string(getpid()) + ", \"cublas\": " + std::to_string(version) + ", \"runtime\": " +
               std::to_string(runtime) + ", \"stateBytes\": " + std::to_string(kWeightBytes * weights_.size()) + "}";
    }

   private:
    // x = tanh(x · w) for each w, alternately on two streams that wait for each other by events; the last one goes to mapped memory.
    std::string forward(uint64_t n, size_t layers) {
        constexpr size_t floats = size_t{kRows} * kWidth;
        draw<<<64, 256, 0, streams_[0]>>>(activations_[0], floats, n * floats, 1.0f);
        size_t last = 0;
        for (size_t i = 0; i < layers; i++) {
            cudaStream_t stream = streams_[i % 2];
            if (i > 0) CHECK(cudaStreamWaitEvent(stream, events_[1 + (i - 1) % 2], 0));
            layer(stream, weights_[i], activations_[i % 2], activations_[(i + 1) % 2]);
            CHECK(cudaEventRecord(events_[1 + i % 2], stream));
            last = i;
        }
        CHECK(cudaEventSynchronize(events_[1 + last % 2]));
        // Recorded before any freeze: it must still know that it has happened.
        CHECK(cudaEventQuery(events_[0]));
        CHECK(cudaMemcpy(mapped_, activations_[(last + 1) % 2], sizeof(float) * floats, cudaMemcpyDefault));
        squash<<<64, 256, 0, streams_[0]>>>(mapped_device_, floats);
        CHECK(cudaStreamSynchronize(streams_[0]));
        return std::string(reinterpret_cast<const char*>(mapped_), sizeof(float) * floats);
    }

    void layer(cudaStream_t stream, const float* weight, const float* from, float* to) {
        const float one = 1, zero = 0;
        CHECK(cublasSetStream(blas_, stream));
        CHECK(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, kWidth, kRows, kWidth, &one, weight, kWidth, from, kWidth, &zero, to, kWidth));
        squash<<<64, 256, 0, stream>>>(to, size_t{kRows} * kWidth);
        CHECK(cudaGetLastError());
    }

    void capture() {
        cudaGraph_t graph = nullptr;
        CHECK(cudaStreamBeginCapture(streams_[0], cudaStreamCaptureModeThreadLocal));
        draw<<<64, 256, 0, streams_[0]>>>(activations_[0], size_t{kRows} * kWidth, token_, 1.0f);
        layer(streams_[0], weights_[0], activations_[0], mapped_device_);
        CHECK(cudaStreamEndCapture(streams_[0], &graph));
        CHECK(cudaGraphInstantiate(&graph_, graph, 0));
        CHECK(cudaGraphDestroy(graph));
    }

    uint64_t token_ = 0;
    cublasHandle_t blas_ = nullptr;
    cudaStream_t streams_[2] = {};
    cudaEvent_t events_[3] = {};
    std::vector<float*> weights_;
    float* activations_[2] = {};
    float* mapped_ = nullptr;
    float* mapped_device_ = nullptr;
    cudaGraphExec_t graph_ = nullptr;
};

uint64_t argument(const std::string& target, const std::string& name) {
    const size_t at = target.find(name + "=");
    return at == std::string::npos ? 1 : std::strtoull(target.c_str() + at + name.size() + 1, nullptr, 10);
}

std::string respond(Server& server, const std::string& target) {
    const std::string path = target.substr(0, target.find('?'));
    if (path == "/ready") return "{\"ready\": true}\n";
    if (path == "/answer") return server.answer(argument(target, "n"));
    if (path == "/work") return server.work(argument(target, "round"));
    if (path == "/state") return server.state();
    if (path == "/facts") return server.facts();
    throw std::invalid_argument("no such path");
}

void serve_one(Server& server, int connection) {
    const timeval patience = {5, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string head;
    char piece[2048];
    while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(connection, piece, sizeof piece, 0);
        if (got <= 0 || head.size() > 16384) return;
        head.append(piece, static_cast<size_t>(got));
    }
    const size_t start = head.find(' ') + 1;
    int status = 200;
    std::string body;
    try {
        body = respond(server, head.substr(start, head.find(' ', start) - start));
    } catch (const std::invalid_argument& problem) {
        status = 404;
        body = problem.what();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        status = 500;
        body = std::string("{\"error\": \"") + problem.what() + "\"}";
    }
    char top[256];
    std::snprintf(top, sizeof top, "HTTP/1.0 %d x\r\nContent-Length: %zu\r\nConnection: close\r\nX-Process-Token: %016llx\r\n\r\n", status,
                  body.size(), static_cast<unsigned long long>(server.token()));
    body.insert(0, top);
    for (size_t at = 0; at < body.size();) {
        const ssize_t sent = send(connection, body.data() + at, body.size() - at, MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += static_cast<size_t>(sent);
    }
}

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string flag = arguments[i];
        if (flag == "--port") {
            options.port = std::atoi(arguments[i + 1]);
        } else if (flag == "--mib") {
            options.mib = std::strtoull(arguments[i + 1], nullptr, 10);
        } else if (flag == "--log") {
            options.log = arguments[i + 1];
        }
    }
    if (options.port == 0) throw std::runtime_error("usage: cublas_server --port N [--mib N] [--log FILE]");
    return options;
}

void redirect(int to, const char* path, int flags) {
    const int file = open(path, flags | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error(std::string(path) + ": " + std::strerror(errno));
    dup2(file, to);
    close(file);
}

// The port opens when the server is loaded: until then callers are refused, which they take for "not yet".
int run(int count, char** arguments) {
    const Options options = parse(count, arguments);
    redirect(0, "/dev/null", O_RDONLY);
    if (!options.log.empty()) {
        redirect(1, options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND);
        dup2(1, 2);
    }
    signal(SIGPIPE, SIG_IGN);
    Server server(options);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(static_cast<uint16_t>(options.port));
    if (bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || listen(listener, 64) != 0) {
        throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
    }
    std::fprintf(stderr, "ready: %s\n", server.facts().c_str());
    for (;;) {
        const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        serve_one(server, connection);
        close(connection);
    }
}

}  // namespace

int main(int count, char** arguments) {
    try {
        return run(count, arguments);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "cublas_server: %s\n", problem.what());
        return 1;
    }
}
