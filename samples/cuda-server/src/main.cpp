// A small inference server on the CUDA driver API: loads weights, warms up, answers over HTTP. See README.md.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>

#include "cuda.h"
#include "http.h"
#include "model.h"
#include "options.h"
#include "side_process.h"

namespace {

std::atomic<bool> stop{false};
std::atomic<bool> ready{false};
std::atomic<uint64_t> requests{0};
std::atomic<double> load_seconds{0};
std::atomic<double> warmup_seconds{0};

void on_stop_signal(int) { stop = true; }

void handle_signals() {
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void redirect(int to, const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC, 0644);
  if (file < 0) throw std::runtime_error(std::string(path) + ": " + std::strerror(errno));
  dup2(file, to);
  close(file);
}

// What a process needs to be dumped and restored: a session of its own, no terminal.
void become_service(const std::string& log_file) {
  setsid();  // fails harmlessly where it leads a session or a group already
  redirect(0, "/dev/null", O_RDONLY);
  redirect(1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  dup2(1, 2);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string hex(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "\"%016llx\"", static_cast<unsigned long long>(value));
  return text;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

HttpResponse answer(Model& model, const HttpRequest& request) {
  const auto prompt = request.query.find("prompt");
  if (prompt == request.query.end() || prompt->second.empty()) return {400, "{\"error\":\"prompt is missing\"}"};
  const Answer a = model.answer(prompt->second);
  const uint64_t count = ++requests;
  return {200, "{\"answer\":\"" + a.answer + "\",\"weights\":" + hex(a.weights) + ",\"cache\":" + hex(a.cache) +
                   ",\"token\":" + hex(a.token) + ",\"state\":" + hex(a.state) + ",\"host\":" + hex(a.host) +
                   ",\"pid\":" + std::to_string(getpid()) +
                   ",\"requests\":" + std::to_string(count) + "}"};
}

HttpResponse stats(const Model& model, const Cuda& cuda) {
  const uint64_t state_bytes = model.state_file().content().size();
  return {200, "{\"pid\":" + std::to_string(getpid()) + ",\"ready\":" + (ready ? "true" : "false") +
                   ",\"requests\":" + std::to_string(requests) + ",\"device\":" + json_text(cuda.device_name()) +
                   ",\"weightsBytes\":" + std::to_string(model.weights_bytes()) +
                   ",\"tensors\":" + std::to_string(model.tensors()) +
                   ",\"cacheBytes\":" + std::to_string(model.cache_bytes()) +
                   ",\"cacheUsedBytes\":" + std::to_string(model.cache_used_bytes()) +
                   ",\"tile\":" + std::to_string(model.tile()) + ",\"loadSeconds\":" + number(load_seconds) +
                   ",\"warmupSeconds\":" + number(warmup_seconds) + ",\"stateFile\":" + json_text(model.state_file().path()) +
                   ",\"stateFileBytes\":" + std::to_string(state_bytes) + "}"};
}

HttpResponse handle(Model& model, const Cuda& cuda, const HttpRequest& request) {
  if (request.path != "/ready" && request.path != "/answer" && request.path != "/stats") {
    return {404, "{\"error\":\"there are /ready, /answer?prompt= and /stats\"}"};
  }
  if (!ready) return {503, "{\"ready\":false}"};
  if (request.path == "/ready") return {200, "{\"ready\":true}"};
  return request.path == "/stats" ? stats(model, cuda) : answer(model, request);
}

void prepare(Model& model) {
  auto start = std::chrono::steady_clock::now();
  model.load();
  load_seconds = seconds_since(start);
  std::printf("weights loaded in %.2f s\n", load_seconds.load());
  start = std::chrono::steady_clock::now();
  model.warm_up();
  warmup_seconds = seconds_since(start);
  std::printf("warm after %.2f s more, tile %u\n", warmup_seconds.load(), model.tile());
  ready = true;
}

void run(const Options& options) {
  if (!options.workdir.empty() && chdir(options.workdir.c_str()) != 0) {
    throw std::runtime_error("--workdir " + options.workdir + ": " + std::strerror(errno));
  }
  if (!options.log_file.empty()) become_service(options.log_file);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  handle_signals();
  const SideProcess side(options.side_mib, options.token.value_or(1));
  HttpServer server(options.address, options.port);
  std::printf("pid %d listens on %s:%u\n", getpid(), options.address.c_str(), server.port());
  const Cuda cuda(options.driver);
  Model model(cuda, options, side);
  std::exception_ptr failure;
  std::thread serving([&] {
    try {
      cuda.enter();
      server.serve([&](const HttpRequest& request) { return handle(model, cuda, request); }, stop);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  try {
    prepare(model);
  } catch (...) {
    stop = true;
    serving.join();
    throw;
  }
  serving.join();
  if (failure) std::rethrow_exception(failure);
  std::printf("stopped after %llu requests\n", static_cast<unsigned long long>(requests.load()));
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = Options::parse(count, arguments);
  try {
    run(options);
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cuda-server: %s\n", problem.what());
    return 1;
  }
}
