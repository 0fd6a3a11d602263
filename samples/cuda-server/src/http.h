// As much of HTTP/1.1 as the sample needs: GET, one request a connection, in one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> query;  // decoded
};

struct HttpResponse {
  int status;
  std::string json;
};

class HttpServer {
 public:
  // Binds and listens. Throws std::runtime_error.
  HttpServer(const std::string& address, uint16_t port);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const { return port_; }
  // Serves until `stop`; what the handler throws becomes a 500.
  void serve(const std::function<HttpResponse(const HttpRequest&)>& handler, const std::atomic<bool>& stop);

 private:
  int listener_;
  uint16_t port_;
};

// Escapes for a JSON string, quotes included.
std::string json_text(const std::string& text);
