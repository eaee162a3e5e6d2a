// Who calls: the certificate's subject, else the owner of the bearer token, else the label that the
// caller gives itself in the metadata entry `emsdb-caller`, marked as unproven.
#ifndef EMSDB_SERVER_CALLER_H_
#define EMSDB_SERVER_CALLER_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/callers.h"

namespace emsdb {

struct Caller {
  enum class Proof { kNone, kCertificate, kToken };

  std::string name = {};  // may be empty without proof
  Proof proof = Proof::kNone;
  std::string trace_parent = {};  // of W3C trace context, "" if there is none or it is malformed
  // What it may do; null where no tokens file is configured: everything but to operate, which is
  // then for whoever sits on this machine.
  std::shared_ptr<const CallerRights> rights = nullptr;
  // The class of its calls that name none in the request, by its own word in the metadata entry
  // `emsdb-priority`.
  std::optional<Priority> usual_priority = std::nullopt;

  // To whom a transaction belongs: a label is never taken for something proven. A caller of the
  // tokens file is the same one by any of its tokens and certificates.
  std::string owner() const;
};

// How a caller introduces itself, before anything of it is believed.
struct Introduction {
  std::vector<std::string>
      certificate_names;                    // of a certificate that was verified, the first first
  std::vector<std::string> authorizations;  // metadata `authorization`, as often as it was sent
  std::string label;                        // metadata `emsdb-caller`
  std::string priority;                     // metadata `emsdb-priority`
  std::string trace_parent;                 // metadata `traceparent`
};

Introduction IntroductionOf(const grpc::ServerContextBase& context);

// `callers` are those of the tokens file, null if there is none. UNAUTHENTICATED for somebody whom
// the file does not know, INVALID_ARGUMENT for metadata that break a rule. No message shows a
// token.
absl::StatusOr<Caller> Recognise(const Introduction& introduction, const Callers* callers);

// What may be told of a caller that was refused.
Caller Unrecognised(const Introduction& introduction);

}  // namespace emsdb

#endif  // EMSDB_SERVER_CALLER_H_
