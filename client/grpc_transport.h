// The real transport: one gRPC channel to one gateway.
#ifndef EMSDB_CLIENT_GRPC_TRANSPORT_H_
#define EMSDB_CLIENT_GRPC_TRANSPORT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/options.h"
#include "client/transport.h"

namespace emsdb::client {

// Connects when first used, so a gateway that is away now is no error here; INVALID_ARGUMENT for
// options that can never work, naming the option, never the token.
absl::StatusOr<std::shared_ptr<Transport>> MakeGrpcTransport(const ConnectOptions& options);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_GRPC_TRANSPORT_H_
