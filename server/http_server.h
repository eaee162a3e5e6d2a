// HTTP for machines that watch: /metrics, /healthz (the process lives), /readyz (it takes calls,
// and at least one database can be reached).
#ifndef EMSDB_SERVER_HTTP_SERVER_H_
#define EMSDB_SERVER_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace emsdb {

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

// Handlers run in threads of the server's own.
class HttpServer {
 public:
  struct Pages {
    std::function<HttpAnswer()> metrics;
    std::function<HttpAnswer()> health;
    std::function<HttpAnswer()> readiness;
  };

  // `address` is host:port or [address]:port; port 0 takes a free one.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address, Pages pages);
  ~HttpServer();

  int port() const;

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace emsdb

#endif  // EMSDB_SERVER_HTTP_SERVER_H_
