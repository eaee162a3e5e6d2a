// What every call over gRPC needs, whoever makes it: a channel with the library's settings, the
// caller's headers, a deadline that no step of the wall clock moves.
#ifndef EMSDB_CLIENT_GRPC_CHANNEL_H_
#define EMSDB_CLIENT_GRPC_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/options.h"

namespace emsdb::client {

// INVALID_ARGUMENT for options that can never work, naming the option, never the token. `more`:
// settings beside the library's own.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeGrpcChannel(const ConnectOptions& options,
                                                               const grpc::ChannelArguments& more);

// Who calls, as every call says it. Immutable; for any number of threads.
class Headers {
 public:
  explicit Headers(const ConnectOptions& options);

  void AddTo(grpc::ClientContext& context) const;

 private:
  std::string authorization_;
  std::string caller_;
  std::string priority_;
};

gpr_timespec ToGrpc(Instant deadline);

// With the gateway's details, where there are any.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace emsdb::client

#endif  // EMSDB_CLIENT_GRPC_CHANNEL_H_
