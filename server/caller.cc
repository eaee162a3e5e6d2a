#include "server/caller.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr char kLabelKey[] = "emsdb-caller";
constexpr char kTraceKey[] = "traceparent";
constexpr std::size_t kLongestLabel = 64;
constexpr std::size_t kTraceLength = 55;

std::string Metadata(const grpc::ServerContextBase& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

bool Printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// version-trace-parent-flags, in lower-case hexadecimal digits.
bool IsTraceParent(std::string_view text) {
  if (text.size() != kTraceLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f') || c == '-';
  });
}

}  // namespace

absl::StatusOr<Caller> CallerOf(const grpc::ServerContextBase& context) {
  Caller caller;
  const std::string trace = Metadata(context, kTraceKey);
  if (IsTraceParent(trace)) caller.trace_parent = trace;
  const auto auth = context.auth_context();
  if (auth && auth->IsPeerAuthenticated()) {
    const auto identity = auth->GetPeerIdentity();
    if (!identity.empty()) {
      caller.name = std::string(identity.front().data(), identity.front().size());
      caller.proof = Caller::Proof::kCertificate;
      return caller;
    }
  }
  caller.name = Metadata(context, kLabelKey);
  if (caller.name.size() > kLongestLabel || !Printable(caller.name)) {
    return InvalidField("metadata emsdb-caller",
                        "a label of at most 64 printable ASCII characters is wanted");
  }
  return caller;
}

}  // namespace emsdb
