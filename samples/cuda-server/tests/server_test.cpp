// Starts the server on the simulated driver and talks to it: readiness, what an answer depends on, restart, SIGTERM.
// Arguments: the server, the driver library.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                \
    }                                                                              \
  } while (false)

namespace {

std::string server_path;
std::string driver_path;

struct Reply {
  int status = 0;
  std::string body;
  std::string field(const std::string& name) const {
    const size_t at = body.find("\"" + name + "\":");
    CHECK(at != std::string::npos);
    const size_t start = at + name.size() + 3;
    return body.substr(start, body.find_first_of(",}", start) - start);
  }
};

class Server {
 public:
  Server(const std::string& folder, std::vector<std::string> more) : folder_(folder), log_(folder + "/log") {
    std::filesystem::remove(log_);
    std::vector<std::string> words = {server_path, "--port",         "0",         "--workdir",    folder,  "--driver", driver_path,
                                      "--log-file", "log", "--weights-mib", "20", "--kv-mib",     "5", "--warmup-seconds", "0.05"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    while (port_ == 0) {
      CHECK(waitpid(pid_, nullptr, WNOHANG) == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      std::stringstream text;
      text << std::ifstream(log_).rdbuf();
      int pid = 0;
      std::sscanf(text.str().c_str(), "pid %d listens on 127.0.0.1:%hu\n", &pid, &port_);
    }
  }
  ~Server() {
    if (pid_ > 0) stop();
  }

  Reply get(const std::string& target, const std::string& method = "GET") const {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_port = htons(port_);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(connection, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
    const std::string request = method + " " + target + " HTTP/1.1\r\nHost: test\r\n\r\n";
    CHECK(send(connection, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    std::string text;
    char piece[4096];
    for (ssize_t got; (got = recv(connection, piece, sizeof piece, 0)) > 0;) text.append(piece, static_cast<size_t>(got));
    close(connection);
    Reply reply;
    CHECK(std::sscanf(text.c_str(), "HTTP/1.1 %d", &reply.status) == 1);
    reply.body = text.substr(text.find("\r\n\r\n") + 4);
    return reply;
  }
  void await_ready() const {
    for (;;) {
      const Reply reply = get("/ready");
      if (reply.status == 200) return;
      CHECK(reply.status == 503);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  int stop() {
    kill(pid_, SIGTERM);
    int status = 0;
    CHECK(waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    return status;
  }
  pid_t pid() const { return pid_; }

 private:
  const std::string folder_;
  const std::string log_;
  pid_t pid_ = 0;
  unsigned short port_ = 0;
};

std::string answer(const Server& server, const std::string& prompt) {
  const Reply reply = server.get("/answer?prompt=" + prompt);
  CHECK(reply.status == 200);
  CHECK(reply.field("pid") == std::to_string(server.pid()));
  return reply.field("answer");
}

std::string folder(const std::string& base, const char* name) {
  std::filesystem::create_directory(base + "/" + name);
  return base + "/" + name;
}

void same_prompt_same_answer_until_a_new_prompt(const Server& server) {
  const std::string first = answer(server, "hello+world");
  CHECK(first.size() == 34);
  CHECK(answer(server, "hello%20world") == first);
  const std::string other = answer(server, "something%20else");
  CHECK(other != first);
  CHECK(answer(server, "hello+world") != first);  // cache and state file have changed
  CHECK(answer(server, "something+else") == other);
}

void errors_are_clear(const Server& server) {
  CHECK(server.get("/answer").status == 400);
  CHECK(server.get("/nothing").status == 404);
  CHECK(server.get("/ready", "POST").status == 405);
}

}  // namespace

int main(int count, char** arguments) {
  CHECK(count == 3);
  server_path = arguments[1];
  driver_path = arguments[2];
  char base_path[] = "/dev/shm/cuda-server-test-XXXXXX";
  CHECK(mkdtemp(base_path) != nullptr);
  const std::string base = base_path;
  setenv("GPUSNAP_SIM_STATE_DIR", folder(base, "sim").c_str(), 1);

  const std::string a = folder(base, "a");
  std::vector<std::string> answers;
  {
    Server server(a, {"--token", "1234abcd"});
    server.await_ready();
    same_prompt_same_answer_until_a_new_prompt(server);
    errors_are_clear(server);
    answers = {answer(server, "x"), answer(server, "y")};
    const Reply stats = server.get("/stats");
    CHECK(stats.field("weightsBytes") == std::to_string(20 << 20));
    CHECK(stats.field("cacheBytes") == std::to_string(6 << 20));  // whole granules
    CHECK(stats.field("cacheUsedBytes") == std::to_string(4 * (64 << 10)));
    CHECK(server.stop() == 0);  // SIGTERM ends it cleanly
  }
  {  // the same history with the same token gives the same answers
    Server again(folder(base, "b"), {"--token", "1234abcd"});
    again.await_ready();
    same_prompt_same_answer_until_a_new_prompt(again);
    CHECK(answer(again, "x") == answers[0] && answer(again, "y") == answers[1]);
  }
  {  // the token is in it
    Server other(folder(base, "c"), {});
    other.await_ready();
    same_prompt_same_answer_until_a_new_prompt(other);
    CHECK(answer(other, "x") != answers[0]);
  }
  {  // every weight is in it: one bit of the file
    const std::string d = folder(base, "d");
    std::filesystem::copy(a + "/weights-20.bin", d + "/weights-20.bin");
    std::fstream file(d + "/weights-20.bin", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(17 << 20);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(17 << 20);
    file.put(byte);
    file.close();
    Server other(d, {"--token", "1234abcd"});
    other.await_ready();
    same_prompt_same_answer_until_a_new_prompt(other);
    CHECK(answer(other, "x") != answers[0]);
  }
  {  // so is every byte of the host memory, of both processes
    std::vector<std::string> hosts;
    for (const auto& [own, side] : std::vector<std::pair<const char*, const char*>>{{"20", "0"}, {"20", "20"}, {"20", "24"}}) {
      Server other(folder(base, (std::string("e") + side).c_str()), {"--token", "1234abcd", "--host-mib", own, "--side-mib", side});
      other.await_ready();
      same_prompt_same_answer_until_a_new_prompt(other);
      hosts.push_back(other.get("/answer?prompt=x").field("host"));
      CHECK(answer(other, "y") != answers[1]);
      CHECK(other.stop() == 0);
    }
    CHECK(hosts[0] != hosts[1] && hosts[1] != hosts[2] && hosts[0] != "\"0000000000000000\"");
  }
  {  // made on the device: no file, of the token's sequence, in tensors of the size asked for
    const std::string f = folder(base, "f");
    std::vector<std::string> weights;
    for (const char* token : {"1234abcd", "1234abcd", "1234abce"}) {
      Server other(f, {"--weights-from", "device", "--tensor-mib", "6", "--token", token});
      other.await_ready();
      CHECK(other.get("/stats").field("tensors") == "4");
      weights.push_back(other.get("/answer?prompt=x").field("weights"));
    }
    CHECK(!std::filesystem::exists(f + "/weights-20.bin"));
    CHECK(weights[0] == weights[1] && weights[0] != weights[2]);
  }
  std::filesystem::remove_all(base);
  return 0;
}
