// gpusnap-ranks: a workload of two CUDA processes that compute together, as the ranks of an NCCL process group do.
//
//   gpusnap-ranks --port N [--folder F] [--log FILE] [--mib N] [--device] [--spread] [--hooks ends|keeps] [--kept-port N]
//
// Rank 0 answers GET /answer?n=N on loopback (or any other path) with sums over the state of both. --device: they share device memory, too, not
// only host memory. --spread: each on a GPU of its own. --hooks ends: quiesce callbacks end what they share, which takes both of
// them at the same time, and resume callbacks share anew; keeps: quiesce callbacks do nothing; none: there are no callbacks.
// --kept-port: another port, whose connections are accepted and kept; as the listeners of NCCL it does not set SO_REUSEADDR.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gpusnap_hints.h"
#include "ranks/link.h"
#include "workload/driver.h"
#include "workload/memory.h"

namespace {

using ranks::Link;
using workload::driver;

constexpr size_t words_a_question = 4096;

struct Options {
    uint16_t port = 0;
    uint16_t kept_port = 0;
    std::string folder = ".";
    std::string log;
    size_t state_bytes = 24 << 20;
    bool device = false;
    bool spread = false;
    std::string hooks;

    static Options parse(int count, char** arguments) {
        Options options;
        for (int i = 1; i < count; i++) {
            std::string flag = arguments[i];
            if (flag == "--device") {
                options.device = true;
            } else if (flag == "--spread") {
                options.spread = true;
            } else if (i + 1 < count && flag == "--port") {
                options.port = static_cast<uint16_t>(std::stoul(arguments[++i]));
            } else if (i + 1 < count && flag == "--kept-port") {
                options.kept_port = static_cast<uint16_t>(std::stoul(arguments[++i]));
            } else if (i + 1 < count && flag == "--folder") {
                options.folder = arguments[++i];
            } else if (i + 1 < count && flag == "--log") {
                options.log = arguments[++i];
            } else if (i + 1 < count && flag == "--mib") {
                options.state_bytes = std::stoull(arguments[++i]) << 20;
            } else if (i + 1 < count && flag == "--hooks") {
                options.hooks = arguments[++i];
            } else {
                throw std::runtime_error("unknown: " + flag);
            }
        }
        return options;
    }
};

// The whole of it, or an error.
void receive(int from, void* there, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t got = recv(from, static_cast<char*>(there) + done, size - done, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            throw std::runtime_error("the other rank is gone");
        }
        done += static_cast<size_t>(std::max<ssize_t>(got, 0));
    }
}

void tell(int to, const void* what, size_t size) {
    if (send(to, what, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) {
        throw std::runtime_error("the other rank is gone");
    }
}

// Ends of a rank that leave for the other one: what is asked of it, and that nothing more will be.
struct Wires {
    int questions = -1;
    int rest = -1;
};

class Rank {
public:
    Rank(int number, const Options& options, uint64_t token, Wires wires)
        : number_(number), gpu_(options.spread ? number : 0), options_(options), wires_(wires) {
        use_device();
        DRIVER_CALL(driver(), cuMemAlloc_v2, &state_, options_.state_bytes);
        workload::fill(state_, options_.state_bytes, token + static_cast<uint64_t>(number));
        join();
        if (!options_.hooks.empty()) {
            gpusnap_hint_on_quiesce(&Rank::before, this);
            gpusnap_hint_on_resume(&Rank::after, this);
        }
    }

    uint64_t sums(uint64_t n) {
        std::vector<uint64_t> mine(words_a_question);
        size_t size = words_a_question * sizeof(uint64_t);
        DRIVER_CALL(driver(), cuMemcpyDtoH_v2, mine.data(), state_ + n * 7919 * size % (options_.state_bytes - size),
                    size);
        uint64_t sum = 0;
        for (uint64_t word : link_->all_reduce(mine)) {
            sum = sum * 31 + word;
        }
        return sum;
    }

    // Rank 0: what both of them say, and not while they rest.
    std::pair<uint64_t, uint64_t> ask(uint64_t n) {
        awake_.acquire();
        tell(wires_.questions, &n, sizeof n);
        std::pair<uint64_t, uint64_t> both{sums(n), 0};
        receive(wires_.questions, &both.second, sizeof both.second);
        awake_.release();
        return both;
    }

private:
    void join() {
        link_ = std::make_unique<Link>(number_, options_.folder, generation_++, options_.device ? gpu_ : -1);
    }

    void use_device() const {
        CUcontext context = nullptr;
        DRIVER_CALL(driver(), cuInit, 0);
        DRIVER_CALL(driver(), cuDevicePrimaryCtxRetain, &context, gpu_);
        DRIVER_CALL(driver(), cuCtxSetCurrent, context);
    }

    // Rank 0 lets nobody ask any more, then tells the other one, so that neither is in the middle of an answer.
    void rest() {
        char byte = 'r';
        if (number_ == 0) {
            awake_.acquire();
            tell(wires_.rest, &byte, 1);
        } else {
            receive(wires_.rest, &byte, 1);
        }
        use_device();
        link_->end();
        link_.reset();
    }

    static int before(void* user, uint32_t, char* reason) {
        auto* self = static_cast<Rank*>(user);
        try {
            if (self->options_.hooks == "ends") {
                self->rest();
            }
            return 0;
        } catch (const std::exception& problem) {
            std::snprintf(reason, GPUSNAP_HINT_REASON_BYTES, "%s", problem.what());
            return 1;
        }
    }

    static void after(void* user, gpusnap_hint_resume_reason) {
        auto* self = static_cast<Rank*>(user);
        if (self->link_ != nullptr) {
            return;
        }
        try {
            self->use_device();
            self->join();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "rank %d: %s\n", self->number_, problem.what());
            std::abort();
        }
        self->awake_.release();
    }

    const int number_;
    const int gpu_;
    const Options options_;
    const Wires wires_;
    CUdeviceptr state_ = 0;
    std::unique_ptr<Link> link_;
    uint64_t generation_ = 0;
    std::counting_semaphore<> awake_{1};
};

// The second rank: a number comes, its sum goes back, until the first one is gone.
[[noreturn]] void follow(const Options& options, uint64_t token, Wires wires) {
    try {
        Rank rank(1, options, token, wires);
        for (;;) {
            uint64_t n = 0;
            receive(wires.questions, &n, sizeof n);
            uint64_t sum = rank.sums(n);
            tell(wires.questions, &sum, sizeof sum);
        }
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "rank 1: %s\n", problem.what());
        _exit(1);
    }
}

std::string answer(Rank& rank, const std::string& request) {
    size_t at = request.find('=');
    auto [mine, theirs] = rank.ask(at == std::string::npos ? 1 : std::stoull(request.substr(at + 1)));
    char text[64];
    std::snprintf(text, sizeof text, "{\"answer\": \"%016llx%016llx\"}\n", static_cast<unsigned long long>(mine),
                  static_cast<unsigned long long>(theirs));
    return text;
}

int listen_on(uint16_t port, bool reuse) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int value = reuse ? 1 : 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 16) != 0) {
        throw std::runtime_error(std::string("listen: ") + std::strerror(errno));
    }
    return listener;
}

void keep_connections(uint16_t port) {
    int listener = listen_on(port, false);
    std::thread([listener] {
        while (accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) >= 0) {
        }
    }).detach();
}

[[noreturn]] void lead(const Options& options, uint64_t token, Wires wires) {
    Rank rank(0, options, token, wires);
    int listener = listen_on(options.port, true);
    if (options.kept_port != 0) {
        keep_connections(options.kept_port);
    }
    for (;;) {
        int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        std::string request;
        char part[1024];
        for (ssize_t got = 1; got > 0 && request.find("\r\n\r\n") == std::string::npos;) {
            got = read(connection, part, sizeof part);
            request.append(part, static_cast<size_t>(std::max<ssize_t>(got, 0)));
        }
        if (!request.empty()) {
            std::string body = answer(rank, request.substr(0, request.find("\r\n")));
            char head[200];
            std::snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\nX-Process-Token: %016llx\r\n\r\n",
                          body.size(), static_cast<unsigned long long>(token));
            std::string reply = head + body;
            send(connection, reply.data(), reply.size(), MSG_NOSIGNAL);
        }
        close(connection);
    }
}

}  // namespace

int main(int count, char** arguments) {
    try {
        Options options = Options::parse(count, arguments);
        if (!options.log.empty()) {
            int log = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
                throw std::runtime_error(options.log + ": " + std::strerror(errno));
            }
            close(log);
        }
        uint64_t token = 0;
        int questions[2];
        int rest[2];
        if (getrandom(&token, sizeof token, 0) != sizeof token ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, questions) != 0 ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rest) != 0) {
            throw std::runtime_error(std::strerror(errno));
        }
        token >>= 1;
        // Before either uses the driver, which does not survive a fork.
        pid_t child = fork();
        int own = child == 0 ? 1 : 0;
        close(questions[1 - own]);
        close(rest[1 - own]);
        if (child == 0) {
            follow(options, token, {questions[1], rest[1]});
        }
        lead(options, token, {questions[0], rest[0]});
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "gpusnap-ranks: %s\n", problem.what());
        return 1;
    }
}
