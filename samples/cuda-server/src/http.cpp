#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace {

constexpr size_t kLongestHead = 16 << 10;
constexpr int kPatienceSeconds = 5;
constexpr int kStopCheckMilliseconds = 100;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

std::string decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() && std::sscanf(text.substr(i + 1, 2).c_str(), "%2x", &value) == 1) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

HttpRequest parse_target(const std::string& target) {
  HttpRequest request;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark == std::string::npos) return request;
  const std::string query = target.substr(mark + 1);
  for (size_t at = 0; at < query.size();) {
    const size_t end = std::min(query.find('&', at), query.size());
    const std::string pair = query.substr(at, end - at);
    const size_t equals = std::min(pair.find('='), pair.size());
    request.query[decode(pair.substr(0, equals))] = decode(pair.substr(std::min(equals + 1, pair.size())));
    at = end + 1;
  }
  return request;
}

// Up to the empty line; empty when the client sends no such thing in time.
std::string read_head(int connection) {
  std::string head;
  char piece[2048];
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < kLongestHead) {
    const ssize_t got = recv(connection, piece, sizeof piece, 0);
    if (got <= 0) return "";
    head.append(piece, static_cast<size_t>(got));
  }
  return head;
}

HttpResponse respond(const std::string& head, const std::function<HttpResponse(const HttpRequest&)>& handler) {
  const size_t first = head.find(' ');
  const size_t second = head.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos || head.find("\r\n\r\n") == std::string::npos) {
    return {400, "{\"error\":\"not an HTTP request\"}"};
  }
  if (head.substr(0, first) != "GET") return {405, "{\"error\":\"only GET\"}"};
  try {
    return handler(parse_target(head.substr(first + 1, second - first - 1)));
  } catch (const std::exception& problem) {
    return {500, "{\"error\":" + json_text(problem.what()) + "}"};
  }
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

void send_all(int connection, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t sent = send(connection, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<size_t>(sent);
  }
}

void serve_one(int connection, const std::function<HttpResponse(const HttpRequest&)>& handler) {
  const timeval patience = {kPatienceSeconds, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const std::string head = read_head(connection);
  if (head.empty()) return;
  const HttpResponse response = respond(head, handler);
  char top[256];
  std::snprintf(top, sizeof top,
                "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                response.status, reason(response.status), response.json.size() + 1);
  send_all(connection, top + response.json + "\n");
}

}  // namespace

HttpServer::HttpServer(const std::string& address, uint16_t port) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) {
    throw std::runtime_error("--address " + address + " is not an IPv4 address");
  }
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const std::string what = "cannot listen on " + address + ":" + std::to_string(port);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) fail(what);
  if (listen(listener_, 64) != 0) fail(what);
  socklen_t size = sizeof where;
  if (getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) != 0) fail(what);
  port_ = ntohs(where.sin_port);
}

HttpServer::~HttpServer() { close(listener_); }

void HttpServer::serve(const std::function<HttpResponse(const HttpRequest&)>& handler, const std::atomic<bool>& stop) {
  while (!stop) {
    pollfd waiting = {listener_, POLLIN, 0};
    if (poll(&waiting, 1, kStopCheckMilliseconds) <= 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve_one(connection, handler);
    close(connection);
  }
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}
