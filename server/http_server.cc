#include "server/http_server.h"

#include <CivetServer.h>

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
  const std::vector<std::string> options = {"listening_ports",    address, "num_threads", "2",
                                            "request_timeout_ms", "5000"};
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
