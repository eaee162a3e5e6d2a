#include "server/commit_token.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "pool/errors.h"

namespace emsdb {
namespace {

constexpr char kVersion[] = "c1";
constexpr std::size_t kParts = 7;
constexpr std::size_t kLongest = 200;

// CRC-64 (ECMA-182): sees every slip within eight neighbouring characters, and with them every
// wrong, lost or swapped one.
std::uint64_t Checksum(std::string_view text) {
  constexpr std::uint64_t kPolynomial = 0x42F0E1EBA9EA3693;
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  std::uint64_t sum = ~std::uint64_t{0};
  for (const char character : text) {
    sum ^= static_cast<std::uint64_t>(static_cast<unsigned char>(character)) << 56;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & kTop) != 0 ? (sum << 1) ^ kPolynomial : sum << 1;
  }
  return sum;
}

absl::Status NotAToken(std::string_view why) {
  return InvalidField("commit_token", absl::StrFormat("not a token of this gateway: %s", why));
}

}  // namespace

std::string ToCommitToken(const NamedCommit& commit) {
  const ServerIdentity& server = commit.id.server;
  const std::string text =
      absl::StrFormat("%s.%s.%x.%x.%x.%x", kVersion, commit.database, server.system,
                      commit.id.transaction, server.incarnation, server.timeline);
  return absl::StrFormat("%s.%016x", text, Checksum(text));
}

absl::StatusOr<NamedCommit> FromCommitToken(const std::string& token) {
  if (token.empty()) return InvalidField("commit_token", "a token is wanted");
  if (token.size() > kLongest) return NotAToken("it is too long");
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  if (parts.size() != kParts || parts[0] != kVersion) return NotAToken("it has another form");
  NamedCommit commit{.database = parts[1], .id = {}};
  ServerIdentity& server = commit.id.server;
  if (!absl::SimpleHexAtoi(parts[2], &server.system) ||
      !absl::SimpleHexAtoi(parts[3], &commit.id.transaction) ||
      !absl::SimpleHexAtoi(parts[4], &server.incarnation) ||
      !absl::SimpleHexAtoi(parts[5], &server.timeline)) {
    return NotAToken("it has another form");
  }
  if (ToCommitToken(commit) != token) return NotAToken("its checksum is wrong, look for a slip");
  if (commit.id.transaction == 0) return NotAToken("it names no commit");
  return commit;
}

}  // namespace emsdb
