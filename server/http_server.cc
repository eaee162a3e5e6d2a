#include "server/http_server.h"

#include <CivetServer.h>

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

namespace emsdb {
namespace {

class Page final : public CivetHandler {
 public:
  explicit Page(std::function<HttpAnswer()> answer) : answer_(std::move(answer)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    const HttpAnswer answer = answer_();
    const std::string head = absl::StrFormat(
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
        answer.status, answer.status == 200 ? "OK" : "Service Unavailable", answer.content_type,
        answer.body.size());
    mg_write(connection, head.data(), head.size());
    mg_write(connection, answer.body.data(), answer.body.size());
    return true;
  }

 private:
  const std::function<HttpAnswer()> answer_;
};

}  // namespace

struct HttpServer::Parts {
  Parts(const std::vector<std::string>& options, Pages pages)
      : metrics(std::move(pages.metrics)),
        health(std::move(pages.health)),
        readiness(std::move(pages.readiness)),
        server(options) {
    server.addHandler("/metrics$", metrics);
    server.addHandler("/healthz$", health);
    server.addHandler("/readyz$", readiness);
  }

  Page metrics;
  Page health;
  Page readiness;
  CivetServer server;  // last: it stops before the pages end
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              Pages pages) {
  // The library takes addresses alone.
  constexpr std::string_view kName = "localhost:";
  const bool named = address.compare(0, kName.size(), kName) == 0;
  const std::string listen = named ? "127.0.0.1:" + address.substr(kName.size()) : address;
  const std::vector<std::string> options = {"listening_ports",    listen, "num_threads", "8",
                                            "request_timeout_ms", "1000"};
  try {
    return std::unique_ptr<HttpServer>(
        new HttpServer(std::make_unique<Parts>(options, std::move(pages))));
  } catch (const CivetException& failure) {
    return absl::UnavailableError(
        absl::StrFormat("EMSDB_METRICS_LISTEN: cannot listen on %s: %s", address, failure.what()));
  }
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const {
  const std::vector<int> ports = parts_->server.getListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace emsdb
