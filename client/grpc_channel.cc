#include "client/grpc_channel.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/error_info.h"

namespace emsdb::client {
namespace {

constexpr int kMaxReceiveBytes = 64 << 20;  // a cell may have 16 MiB

std::string PriorityName(Priority priority) {
  switch (priority) {
    case Priority::kDispatch:
      return "dispatch";
    case Priority::kClinical:
      return "clinical";
    case Priority::kOperations:
      return "operations";
    case Priority::kReporting:
      return "reporting";
    case Priority::kDefault:
      break;
  }
  return "";
}

// gRPC ends the process on a header value it cannot send.
bool FitForAHeader(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

absl::Status Check(const ConnectOptions& options) {
  if (options.address.empty()) return absl::InvalidArgumentError("address: must not be empty");
  if (!FitForAHeader(options.token)) {
    return absl::InvalidArgumentError("token: holds a character beyond printable ASCII");
  }
  if (!FitForAHeader(options.caller)) {
    return absl::InvalidArgumentError("caller: holds a character beyond printable ASCII");
  }
  if (options.tls.has_value() && options.tls->certificate.empty() != options.tls->key.empty()) {
    return absl::InvalidArgumentError("tls: certificate and key go together");
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::optional<Tls>& tls) {
  if (!tls.has_value()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = tls->roots,
                               .pem_private_key = tls->key,
                               .pem_cert_chain = tls->certificate});
}

grpc::ChannelArguments Arguments(const ConnectOptions& options, grpc::ChannelArguments arguments) {
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetMaxSendMessageSize(kMaxReceiveBytes);
  // What may be repeated is decided in retry.cc, not by a record in the name service.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A gateway that is back is to be found soon; gRPC's own default waits up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  if (options.tls.has_value() && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return arguments;
}

// gRPC stays for the life of the process. When the last user lets go of it, it joins its threads,
// and one that polls for a large message sleeps up to ten seconds first (seen with gRPC 1.51).
void KeepGrpc() {
  static const bool kept = (grpc_init(), true);
  static_cast<void>(kept);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeGrpcChannel(const ConnectOptions& options,
                                                               const grpc::ChannelArguments& more) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  KeepGrpc();
  return grpc::CreateCustomChannel(options.address, Credentials(options.tls),
                                   Arguments(options, more));
}

Headers::Headers(const ConnectOptions& options)
    : caller_(options.caller), priority_(PriorityName(options.usual_priority)) {
  if (!options.token.empty()) authorization_ = absl::StrCat("Bearer ", options.token);
}

void Headers::AddTo(grpc::ClientContext& context) const {
  if (!priority_.empty()) context.AddMetadata("emsdb-priority", priority_);
  if (!authorization_.empty()) context.AddMetadata("authorization", authorization_);
  if (!caller_.empty()) context.AddMetadata("emsdb-caller", caller_);
}

gpr_timespec ToGrpc(Instant deadline) {
  const Duration left = deadline - std::chrono::steady_clock::now();
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return StatusFromWire(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                        status.error_details());
}

}  // namespace emsdb::client
