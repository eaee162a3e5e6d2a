// What callers must show, and what they are shown: TLS, mTLS, or plain text.
#ifndef EMSDB_SERVER_CREDENTIALS_H_
#define EMSDB_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace emsdb {

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentials(const Config& config);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CREDENTIALS_H_
