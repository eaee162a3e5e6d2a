#include "server/caller.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr char kLabelKey[] = "emsdb-caller";
constexpr char kPriorityKey[] = "emsdb-priority";
constexpr char kTraceKey[] = "traceparent";
constexpr char kAuthorizationKey[] = "authorization";
constexpr char kScheme[] = "bearer ";
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

bool IsLabel(const std::string& label) { return label.size() <= kLongestLabel && Printable(label); }

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// version-trace-parent-flags, in lower-case hexadecimal digits. Version ff, and a trace or a parent
// of nothing but zeros, are invalid by the standard.
bool IsTraceParent(std::string_view text) {
  if (text.size() != kTraceLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  return IsLowerHex(version) && version != "ff" && IsLowerHex(trace) && !IsZero(trace) &&
         IsLowerHex(parent) && !IsZero(parent) && IsLowerHex(text.substr(53));
}

absl::Status Unauthenticated(const char* reason, const std::string& why) {
  return WithDetail(absl::UnauthenticatedError(why), {.reason = reason, .retry = Retry::kNo});
}

// The entry of the tokens file that a certificate or a token proves. A certificate goes first: it
// was verified when the connection was made.
absl::StatusOr<Caller> Prove(const Introduction& introduction, const Callers& callers) {
  for (const std::string& name : introduction.certificate_names) {
    if (auto rights = callers.ByCertificate(name)) {
      return Caller{.name = rights->name, .proof = Caller::Proof::kCertificate, .rights = rights};
    }
  }
  if (introduction.authorizations.size() > 1) {
    return Unauthenticated("TOKEN_UNKNOWN", "the metadata have more than one authorization");
  }
  if (introduction.authorizations.empty()) {
    return Unauthenticated(
        "TOKEN_MISSING",
        "the gateway wants to know who calls: send metadata authorization: Bearer "
        "and a token" +
            std::string(introduction.certificate_names.empty()
                            ? ""
                            : " (the certificate is of nobody it knows)"));
  }
  const std::string& authorization = introduction.authorizations.front();
  if (!absl::StartsWithIgnoreCase(authorization, kScheme)) {
    return Unauthenticated("TOKEN_UNKNOWN",
                           "the metadata's authorization must be Bearer and a token");
  }
  std::string_view token = std::string_view(authorization).substr(sizeof kScheme - 1);
  while (token.starts_with(' ')) token.remove_prefix(1);
  auto rights = callers.ByToken(token);
  if (!rights) return Unauthenticated("TOKEN_UNKNOWN", "the token is of nobody the gateway knows");
  return Caller{.name = rights->name, .proof = Caller::Proof::kToken, .rights = rights};
}

// Without a tokens file.
absl::StatusOr<Caller> Believe(const Introduction& introduction) {
  if (!introduction.certificate_names.empty()) {
    return Caller{.name = introduction.certificate_names.front(),
                  .proof = Caller::Proof::kCertificate};
  }
  if (!IsLabel(introduction.label)) {
    return InvalidField("metadata emsdb-caller",
                        "a label of at most 64 printable ASCII characters is wanted");
  }
  return Caller{.name = introduction.label};
}

}  // namespace

std::string Caller::owner() const {
  if (rights) return "caller:" + name;
  return (proof == Proof::kNone ? "label:" : "cert:") + name;
}

Introduction IntroductionOf(const grpc::ServerContextBase& context) {
  Introduction introduction{.certificate_names = {},
                            .authorizations = {},
                            .label = Metadata(context, kLabelKey),
                            .priority = Metadata(context, kPriorityKey),
                            .trace_parent = Metadata(context, kTraceKey)};
  const auto [first, last] = context.client_metadata().equal_range(kAuthorizationKey);
  for (auto at = first; at != last; ++at) {
    introduction.authorizations.emplace_back(at->second.data(), at->second.size());
  }
  const auto auth = context.auth_context();
  if (auth && auth->IsPeerAuthenticated()) {
    for (const grpc::string_ref& name : auth->GetPeerIdentity()) {
      introduction.certificate_names.emplace_back(name.data(), name.size());
    }
  }
  return introduction;
}

absl::StatusOr<Caller> Recognise(const Introduction& introduction, const Callers* callers) {
  auto caller = callers == nullptr ? Believe(introduction) : Prove(introduction, *callers);
  if (!caller.ok()) return caller;
  if (IsTraceParent(introduction.trace_parent)) caller->trace_parent = introduction.trace_parent;
  if (introduction.priority.empty()) return caller;
  caller->usual_priority = PriorityNamed(introduction.priority);
  if (!caller->usual_priority) {
    return InvalidField("metadata emsdb-priority",
                        "dispatch, clinical, operations or reporting is wanted");
  }
  return caller;
}

Caller Unrecognised(const Introduction& introduction) {
  Caller caller;
  if (IsLabel(introduction.label)) caller.name = introduction.label;
  if (IsTraceParent(introduction.trace_parent)) caller.trace_parent = introduction.trace_parent;
  return caller;
}

}  // namespace emsdb
