// Who calls: the certificate's subject, or the label that the caller gives itself in the metadata
// entry `emsdb-caller`, marked as unproven.
#ifndef EMSDB_SERVER_CALLER_H_
#define EMSDB_SERVER_CALLER_H_

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/statusor.h"

namespace emsdb {

struct Caller {
  enum class Proof { kNone, kCertificate };

  std::string name;  // may be empty without proof
  Proof proof = Proof::kNone;
  std::string trace_parent;  // of W3C trace context, "" if there is none or it is malformed

  // To whom a transaction belongs: a label is never taken for a certificate's subject.
  std::string owner() const { return (proof == Proof::kNone ? "label:" : "cert:") + name; }
};

// INVALID_ARGUMENT for a label that is longer than 64 bytes or not printable ASCII.
absl::StatusOr<Caller> CallerOf(const grpc::ServerContextBase& context);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CALLER_H_
